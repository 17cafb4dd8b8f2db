// Calls to web services, many at once on one thread of libcurl, answers as they arrive.
//
// No redirects, no proxy, a time-out for connecting, for silence and in
// all, a limit on bytes; and never to a private address unless the call says so, which is looked at
// when the name has been resolved and the socket is made. http without TLS only to such addresses
// as the call allows by saying so.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "stage/job.h"

namespace stagedoor::engines {

enum class PrivateAddresses : unsigned char { refused, allowed };

struct WebCall {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view bearer;  // empty: none. Copied; not kept longer than the call.
  std::string body;
  std::chrono::milliseconds connect_timeout{3000}, silence_timeout{10'000}, total_timeout{60'000};
  std::size_t answer_bytes_max = 32u << 20;
  PrivateAddresses private_addresses = PrivateAddresses::refused;
};

// Called on the thread of the calls; must not block. `status` comes first, then bytes, then one
// of end and failure.
struct WebAnswer {
  std::function<void(int status, std::string_view content_type)> on_status;
  std::function<void(std::string_view bytes)> on_bytes;
  std::function<void()> on_end;
  std::function<void(base::Error)> on_failure;  // `unavailable`, or `malformed` for the call
};

// Safe for concurrent use. Must live longer than its jobs.
class WebCalls {
 public:
  struct Options {
    std::size_t at_once_max = 512;
  };
  explicit WebCalls(Options options);
  ~WebCalls();

  // A failure is told to the answer, perhaps before this returns.
  [[nodiscard]] std::unique_ptr<stage::Job> start(WebCall call, WebAnswer answer);

 private:
  class Thread;
  std::shared_ptr<Thread> thread_;
};

}  // namespace stagedoor::engines
