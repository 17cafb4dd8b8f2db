// SPDX-License-Identifier: Apache-2.0

#include "engines/web_recognizer.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engines/wav_stream.h"

namespace stagedoor::engines {
namespace {

using base::ErrorCode;

constexpr std::size_t answer_bytes_max = 256u << 10;
constexpr std::size_t samples_max =
    static_cast<std::size_t>(stage::recognition_length_max.count()) * stage::listening_rate_hz;

class TextAnswer : public WebAnswer {
 public:
  explicit TextAnswer(stage::RecognitionSink sink) : sink_(std::move(sink)) {}

  void on_status(int status, std::string_view) override { status_ = status; }
  bool on_bytes(std::string_view bytes) override {
    body_ += bytes;
    return true;
  }
  void on_end() override {
    if (status_ != 200) return on_failure(error("status " + std::to_string(status_)));
    base::JsonReader reader;
    const auto json = reader.read(body_);
    const auto member = json ? json->member("text") : std::nullopt;
    const auto text = member ? member->text() : std::nullopt;
    if (!text) return on_failure(error("no text in the answer"));
    sink_(stage::RecognizedText{trimmed(*text)});
  }
  void on_failure(base::Error error) override { sink_(std::move(error)); }

 private:
  static base::Error error(std::string detail) {
    return {ErrorCode::unavailable, "web recognizer: " + std::move(detail), {}};
  }
  static std::string trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \n\t\r");
    if (begin == text.npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(" \n\t\r") - begin + 1));
  }

  stage::RecognitionSink sink_;
  int status_ = 0;
  std::string body_;
};

void append_field(std::string& out, const std::string& boundary, std::string_view name,
                  std::string_view value) {
  out += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"";
  out += name;
  out += "\"\r\n\r\n";
  out += value;
  out += "\r\n";
}

// A boundary that the sound does not hold.
std::string boundary_for(std::string_view sound) {
  for (int i = 0;; ++i) {
    auto boundary = "stagedoor-part-" + std::to_string(i);
    if (!sound.contains(boundary)) return boundary;
  }
}

class WebRecognition : public stage::Recognition {
 public:
  WebRecognition(WebCall call, std::string model, std::string language, WebCalls& calls,
                 stage::RecognitionSink sink)
      : call_(std::move(call)),
        model_(std::move(model)),
        language_(std::move(language)),
        calls_(calls),
        sink_(std::move(sink)) {}

  void push(std::span<const std::int16_t> samples) override {
    const auto room = samples_max - samples_.size();
    const auto heard = samples.first(std::min(samples.size(), room));
    samples_.insert(samples_.end(), heard.begin(), heard.end());
  }
  void finish() override {
    if (job_) return;
    const auto wav = wav_of(samples_, stage::listening_rate_hz);
    samples_ = {};
    const auto boundary = boundary_for(wav);
    call_.headers = {{"Content-Type", "multipart/form-data; boundary=" + boundary}};
    append_field(call_.body, boundary, "model", model_);
    append_field(call_.body, boundary, "response_format", "json");
    if (!language_.empty()) append_field(call_.body, boundary, "language", language_);
    call_.body += "--" + boundary +
                  "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"speech.wav\"\r\n"
                  "Content-Type: audio/wav\r\n\r\n" +
                  wav + "\r\n--" + boundary + "--\r\n";
    job_ = calls_.start(std::move(call_), std::make_unique<TextAnswer>(std::move(sink_)));
  }

 private:
  WebCall call_;
  std::string model_, language_;
  WebCalls& calls_;
  stage::RecognitionSink sink_;
  std::vector<std::int16_t> samples_;
  std::unique_ptr<stage::Job> job_;
};

}  // namespace

WebRecognizer::WebRecognizer(Options options, WebCalls& calls)
    : options_(std::move(options)), calls_(calls) {}
WebRecognizer::~WebRecognizer() = default;

// Its languages are its own business; it is asked.
bool WebRecognizer::understands(const std::string&) const {
  return true;
}

std::unique_ptr<stage::Recognition> WebRecognizer::listen(std::string language,
                                                          stage::RecognitionSink sink) {
  WebCall call;
  call.url = options_.url;
  call.bearer = options_.key.expose();
  call.silence_timeout = options_.timeout;
  call.may_be_passed_over = true;
  call.total_timeout = options_.timeout;
  call.answer_bytes_max = answer_bytes_max;
  call.private_addresses = options_.private_addresses;
  return std::make_unique<WebRecognition>(std::move(call), options_.model, std::move(language),
                                          calls_, std::move(sink));
}

}  // namespace stagedoor::engines
