// Speech by any endpoint that speaks OpenAI's POST /v1/audio/speech, sound as it arrives.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/secret.h"
#include "engines/web_calls.h"
#include "stage/speech.h"

namespace stagedoor::engines {

// Safe for concurrent use. The answer may be raw samples (16 bit, 24 kHz mono unless its
// Content-Type says another rate) or WAV of 16 bit; it gives no times.
class WebSpeech : public stage::Speech {
 public:
  struct Options {
    std::string url;    // of the endpoint, whole: https://host/v1/audio/speech
    base::Secret key;   // empty: none is sent
    std::string model;  // "model" of the request
    std::string default_voice = "alloy";
    enum class Format : unsigned char { pcm, wav };
    Format format = Format::pcm;  // "response_format" of the request
    int pcm_rate_hz = 24000;      // of raw samples whose answer does not say
    std::chrono::milliseconds first_byte_timeout{5000}, total_timeout{30'000};
    PrivateAddresses private_addresses = PrivateAddresses::refused;
  };
  // `calls` must live longer.
  WebSpeech(Options options, WebCalls& calls);
  ~WebSpeech() override;

  std::unique_ptr<stage::Job> speak(stage::SpeechRequest request, stage::SpeechSink sink) override;
  bool can_speak(const std::string& voice, const std::string& language) const override;
  // Its default; an endpoint does not tell which it has.
  std::vector<stage::SpeechVoice> voices() const override;

 private:
  const Options options_;
  WebCalls& calls_;
};

}  // namespace stagedoor::engines
