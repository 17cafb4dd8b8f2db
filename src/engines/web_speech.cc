// SPDX-License-Identifier: Apache-2.0

#include "engines/web_speech.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "engines/wav_stream.h"

namespace stagedoor::engines {
namespace {

using base::ErrorCode;

constexpr std::size_t sound_bytes_max = 16u << 20;  // Three minutes at 44.1 kHz.
constexpr std::size_t name_bytes_max = 128;

// The rate that "audio/pcm;rate=24000" or "audio/L16; rate=16000" names.
int rate_named_in(std::string_view content_type, int otherwise) {
  const auto at = content_type.find("rate=");
  if (at == content_type.npos) return otherwise;
  int rate = 0;
  const auto* begin = content_type.data() + at + 5;
  std::from_chars(begin, content_type.data() + content_type.size(), rate);
  return rate >= 8000 && rate <= 48000 ? rate : otherwise;
}

class SoundAnswer : public WebAnswer {
 public:
  SoundAnswer(stage::SpeechSink sink, int pcm_rate_hz, bool is_wav)
      : sink_(std::move(sink)), rate_hz_(pcm_rate_hz), is_wav_(is_wav) {}

  void on_status(int status, std::string_view content_type) override {
    status_ = status;
    rate_hz_ = rate_named_in(content_type, rate_hz_);
    is_wav_ = content_type.contains("wav") || (is_wav_ && !content_type.contains("pcm"));
  }
  bool on_bytes(std::string_view bytes) override {
    if (status_ != 200) return true;
    stage::SpeechChunk chunk;
    if (is_wav_) {
      if (const auto read = wav_.push(bytes, chunk.samples); !read) {
        sink_(read.error());
        return false;
      }
      chunk.rate_hz = wav_.rate_hz();
    } else {
      read_pcm(bytes, chunk.samples);
      chunk.rate_hz = rate_hz_;
    }
    if (!chunk.samples.empty()) {
      has_sound_ = true;
      sink_(std::move(chunk));
    }
    return true;
  }
  void on_end() override {
    if (status_ != 200) return on_failure(error("status " + std::to_string(status_)));
    if (!has_sound_) return on_failure(error("no sound"));
    sink_(stage::SpeechEnd{});
  }
  void on_failure(base::Error error) override { sink_(std::move(error)); }

 private:
  static base::Error error(std::string detail) {
    return {ErrorCode::unavailable, "web speech: " + std::move(detail), {}};
  }
  void read_pcm(std::string_view bytes, std::vector<std::int16_t>& out) {
    held_ += bytes;
    for (std::size_t at = 0; at + 2 <= held_.size(); at += 2) {
      const auto low = static_cast<unsigned char>(held_[at]);
      const auto high = static_cast<unsigned char>(held_[at + 1]);
      out.push_back(static_cast<std::int16_t>(low | high << 8));
    }
    held_.erase(0, held_.size() / 2 * 2);
  }

  stage::SpeechSink sink_;
  int status_ = 0, rate_hz_;
  bool is_wav_, has_sound_ = false;
  WavStream wav_;
  std::string held_;
};

}  // namespace

WebSpeech::WebSpeech(Options options, WebCalls& calls)
    : options_(std::move(options)), calls_(calls) {}
WebSpeech::~WebSpeech() = default;

// Its voices are its own business; it is asked.
bool WebSpeech::can_speak(const std::string& voice, const std::string&) const {
  return voice.size() <= name_bytes_max;
}

std::vector<stage::SpeechVoice> WebSpeech::voices() const {
  return {{.name = options_.default_voice, .title = options_.default_voice, .language = {}}};
}

std::unique_ptr<stage::Job> WebSpeech::speak(stage::SpeechRequest request, stage::SpeechSink sink) {
  const bool is_wav = options_.format == Options::Format::wav;
  auto answer = std::make_unique<SoundAnswer>(std::move(sink), options_.pcm_rate_hz, is_wav);
  if (request.text.size() > stage::speech_text_bytes_max) {
    answer->on_failure({ErrorCode::malformed, "web speech: text", {}});
    return std::make_unique<stage::Job>();
  }
  WebCall call;
  call.url = options_.url;
  call.bearer = options_.key.expose();
  call.headers = {{"Content-Type", "application/json"}};
  call.silence_timeout = options_.first_byte_timeout;
  call.may_be_passed_over = true;
  call.total_timeout = options_.total_timeout;
  call.answer_bytes_max = sound_bytes_max;
  call.private_addresses = options_.private_addresses;
  base::JsonWriter body(call.body);
  body.text("model", options_.model)
      .text("input", request.text)
      .text("voice", request.voice.empty() ? options_.default_voice : request.voice)
      .text("response_format", is_wav ? "wav" : "pcm");
  if (request.speed != 1) {
    const auto hundredths = static_cast<int>(std::clamp(request.speed, 0.5, 2.0) * 100 + 0.5);
    body.json("speed", std::to_string(hundredths / 100) + '.' +
                           std::to_string(hundredths / 10 % 10) + std::to_string(hundredths % 10));
  }
  body.end();
  return calls_.start(std::move(call), std::move(answer));
}

}  // namespace stagedoor::engines
