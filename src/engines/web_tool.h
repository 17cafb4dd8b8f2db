// Webhook tools over the web (stage/tool_runner.h).
//
// Rule webhooks-stay-outside: a tool's address comes from whoever may write a persona, so it never
// reaches a private address unless the settings allow that, and its answer is bounded.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <memory>

#include "engines/web_calls.h"
#include "stage/tool_runner.h"

namespace stagedoor::engines {

// Safe for concurrent use.
class WebTool : public stage::ToolRunner {
 public:
  struct Options {
    std::size_t answer_bytes_max = 64u << 10;
    PrivateAddresses private_addresses = PrivateAddresses::refused;
  };
  // `calls` must live longer.
  WebTool(Options options, WebCalls& calls);

  // A status of 400 or more is a failure: `unavailable`.
  std::unique_ptr<stage::Job> call(stage::WebhookCall call, stage::ToolSink sink) override;

 private:
  const Options options_;
  WebCalls& calls_;
};

}  // namespace stagedoor::engines
