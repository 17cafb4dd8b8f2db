// Answers by any endpoint that speaks OpenAI's POST /v1/chat/completions, streamed (server-sent
// events).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/secret.h"
#include "engines/web_calls.h"
#include "stage/chat.h"

namespace stagedoor::engines {

// Safe for concurrent use.
class WebChat : public stage::Chat {
 public:
  struct Options {
    std::string url;            // of the endpoint, whole: https://host/v1/chat/completions
    base::Secret key;           // empty: none is sent
    std::string default_model;  // where the request names none
    std::optional<double> temperature;
    std::string reasoning_effort;  // empty: not said
    int answer_tokens_max = 1024;
    std::chrono::milliseconds silence_timeout{15'000}, total_timeout{120'000};
    PrivateAddresses private_addresses = PrivateAddresses::refused;
  };
  // `calls` must live longer.
  WebChat(Options options, WebCalls& calls);
  ~WebChat() override;

  std::unique_ptr<stage::Job> answer(stage::ChatRequest request, stage::ChatSink sink) override;

 private:
  const Options options_;
  WebCalls& calls_;
};

}  // namespace stagedoor::engines
