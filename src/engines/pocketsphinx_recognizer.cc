// SPDX-License-Identifier: Apache-2.0

#include "engines/pocketsphinx_recognizer.h"

#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engines/worker_pool.h"

namespace stagedoor::engines {
namespace {

using base::ErrorCode;
using Clock = std::chrono::steady_clock;

constexpr std::size_t samples_max =
    static_cast<std::size_t>(stage::recognition_length_max.count()) * stage::listening_rate_hz;
constexpr std::size_t step_samples = 1600;  // between two looks at whether anybody still waits

struct FreeDecoder {
  void operator()(ps_decoder_t* decoder) const { ps_free(decoder); }
};
using Decoder = std::unique_ptr<ps_decoder_t, FreeDecoder>;

base::Error error(std::string detail) {
  return {ErrorCode::unavailable, "pocketsphinx: " + std::move(detail), {}};
}

Decoder make_decoder(const std::string& path) {
  const auto sounds = path + "/en-us", language = path + "/en-us.lm.bin",
             words = path + "/cmudict-en-us.dict";
  // The library ends the process where one of these is missing.
  for (const auto& file : {sounds + "/mdef", sounds + "/means", language, words})
    if (::access(file.c_str(), R_OK) != 0) return nullptr;
  auto* settings = cmd_ln_init(nullptr, ps_args(), 1, "-hmm", sounds.c_str(), "-lm",
                               language.c_str(), "-dict", words.c_str(), "-logfn", "/dev/null",
                               // The library has a detector too; ours has decided already.
                               "-remove_silence", "no",
                               // One pass: a tenth faster, and no worse.
                               "-fwdflat", "no", nullptr);
  if (!settings) return nullptr;
  Decoder decoder(ps_init(settings));
  cmd_ln_free_r(settings);
  return decoder;
}

// nullopt: nobody waits any more, or it took too long.
std::optional<std::string> decode(ps_decoder_t& decoder, std::span<const std::int16_t> samples,
                                  Clock::time_point deadline, const std::stop_token& token) {
  if (ps_start_utt(&decoder) < 0) return std::nullopt;
  bool is_wanted = true;
  while (!samples.empty() && is_wanted) {
    const auto step = samples.first(std::min(samples.size(), step_samples));
    ps_process_raw(&decoder, step.data(), step.size(), 0, 0);
    samples = samples.subspan(step.size());
    is_wanted = !token.stop_requested() && Clock::now() < deadline;
  }
  ps_end_utt(&decoder);
  if (!is_wanted) return std::nullopt;
  std::int32_t score = 0;
  const char* words = ps_get_hyp(&decoder, &score);
  return words ? std::string(words) : std::string();
}

}  // namespace

// The threads, and decoders that none of them uses at the moment.
class PocketSphinxRecognizer::Workers {
 public:
  explicit Workers(Options options)
      : options_(std::move(options)), pool_(options_.threads, options_.waiting_max) {}

  bool add_decoder() {
    auto decoder = make_decoder(options_.model_path);
    if (!decoder) return false;
    free_.push_back(std::move(decoder));
    return true;
  }

  void recognize(std::vector<std::int16_t> samples, std::stop_token token,
                 stage::RecognitionSink sink) {
    const auto deadline = Clock::now() + options_.timeout;
    if (!pool_.submit([this, samples = std::move(samples), token, deadline, sink] {
          if (token.stop_requested()) return;
          auto decoder = take();
          const auto text = decode(*decoder, samples, deadline, token);
          give_back(std::move(decoder));
          if (token.stop_requested()) return;
          if (!text) return sink(error("too late"));
          sink(stage::RecognizedText{*text});
        })) {
      sink(base::Error{ErrorCode::rate_limited, "pocketsphinx: too many wait", {}});
    }
  }

 private:
  // There are as many as threads.
  Decoder take() {
    const std::lock_guard lock(mutex_);
    auto decoder = std::move(free_.back());
    free_.pop_back();
    return decoder;
  }
  void give_back(Decoder decoder) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(decoder));
  }

  const Options options_;
  std::mutex mutex_;
  std::vector<Decoder> free_;
  WorkerPool pool_;
};

namespace {

// Keeps the sound, and hands it over when it is whole.
class SphinxRecognition : public stage::Recognition {
 public:
  using Recognize = std::function<void(std::vector<std::int16_t>, std::stop_token)>;
  explicit SphinxRecognition(Recognize recognize) : recognize_(std::move(recognize)) {}

  void push(std::span<const std::int16_t> samples) override {
    const auto room = samples_max - samples_.size();
    const auto heard = samples.first(std::min(samples.size(), room));
    samples_.insert(samples_.end(), heard.begin(), heard.end());
  }
  void finish() override {
    if (const auto recognize = std::exchange(recognize_, nullptr))
      recognize(std::move(samples_), job_.token());
  }

 private:
  Recognize recognize_;
  std::vector<std::int16_t> samples_;
  StoppableJob job_;
};

}  // namespace

PocketSphinxRecognizer::PocketSphinxRecognizer(std::unique_ptr<Workers> workers)
    : workers_(std::move(workers)) {}
PocketSphinxRecognizer::~PocketSphinxRecognizer() = default;

base::Result<std::unique_ptr<PocketSphinxRecognizer>> PocketSphinxRecognizer::open(
    Options options) {
  err_set_logfp(nullptr);
  const auto threads = options.threads;
  auto workers = std::make_unique<Workers>(std::move(options));
  for (std::size_t i = 0; i < threads; ++i)
    if (!workers->add_decoder()) return base::fail(error("its model can't be read"));
  return std::unique_ptr<PocketSphinxRecognizer>(new PocketSphinxRecognizer(std::move(workers)));
}

bool PocketSphinxRecognizer::understands(const std::string& language) const {
  return language.empty() || language == "en";
}

std::unique_ptr<stage::Recognition> PocketSphinxRecognizer::listen(std::string language,
                                                                   stage::RecognitionSink sink) {
  if (!understands(language)) {
    sink(base::Error{ErrorCode::unsupported, "pocketsphinx: language", {}});
    return std::make_unique<SphinxRecognition>(nullptr);
  }
  return std::make_unique<SphinxRecognition>(
      [workers = workers_.get(), sink](std::vector<std::int16_t> samples, std::stop_token token) {
        workers->recognize(std::move(samples), std::move(token), sink);
      });
}

}  // namespace stagedoor::engines
