// A tool that a server of the persona's owner runs: the model's arguments go there, its answer
// comes back.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "stage/job.h"

namespace stagedoor::stage {

struct WebhookCall {
  std::string method = "POST";  // GET, POST, PUT, PATCH or DELETE
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers, query;
  std::string arguments;  // a JSON object: the body
  std::chrono::milliseconds timeout{10'000};
  // What becomes of it when its job is destroyed.
  enum class IfAbandoned : unsigned char { dropped, finished };
  IfAbandoned if_abandoned = IfAbandoned::dropped;
};

// The text that came back, whatever it is, or why none did. Called on any thread, once; must not
// block.
using ToolSink = std::function<void(base::Result<std::string>)>;

// Safe for concurrent use. Never blocks its caller. Must live longer than its jobs; what is to be
// finished all the same ends with it at the latest.
class ToolRunner {
 public:
  virtual ~ToolRunner() = default;
  [[nodiscard]] virtual std::unique_ptr<Job> call(WebhookCall call, ToolSink sink) = 0;
};

}  // namespace stagedoor::stage
