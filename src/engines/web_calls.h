// Calls to web services, many at once on one thread of libcurl, answers as they arrive.
//
// Rule web-calls-guarded: no redirects, no proxy, a time-out for connecting, for silence and in
// all, a limit on bytes; and never to a private address unless the call says so, which is looked at
// when the name has been resolved and the socket is made. Without TLS only to private addresses,
// unless the call says otherwise.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "engines/circuit_breakers.h"
#include "stage/job.h"

namespace stagedoor::engines {

enum class PrivateAddresses : unsigned char { refused, allowed };
// Where a call may go without TLS.
enum class PlainHttp : unsigned char { private_only, anywhere };

struct WebCall {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view bearer;  // empty: none. Read by `start`, and kept as long as the call.
  std::string body;
  std::chrono::milliseconds connect_timeout{3000}, silence_timeout{10'000}, total_timeout{60'000};
  std::size_t answer_bytes_max = 32u << 20;
  PrivateAddresses private_addresses = PrivateAddresses::refused;
  PlainHttp plain_http = PlainHttp::private_only;
  // Not asked while its endpoint does not answer (rule engine-circuit-breaker).
  bool may_be_passed_over = false;
  bool is_finished_if_abandoned = false;  // Destroying its job does not cancel it.
};

// What a call is answered with. Called on the thread of the calls, one call at a time; must not
// block. First the status, then bytes, then one of end and failure; a failure may come at any time.
class WebAnswer {
 public:
  virtual ~WebAnswer() = default;
  virtual void on_status(int status, std::string_view content_type) = 0;
  // False: no more is wanted; the call is dropped, and neither end nor failure comes.
  [[nodiscard]] virtual bool on_bytes(std::string_view bytes) = 0;
  virtual void on_end() = 0;
  // `unavailable`, `rate_limited` while too many calls run, or `malformed` for the call itself.
  virtual void on_failure(base::Error error) = 0;
};

// Safe for concurrent use. Must live longer than its jobs.
class WebCalls {
 public:
  struct Options {
    std::size_t at_once_max = 512;
    CircuitBreakers* breakers = nullptr;  // must live longer; null: nothing is passed over
  };
  explicit WebCalls(Options options);
  ~WebCalls();

  [[nodiscard]] std::unique_ptr<stage::Job> start(WebCall call, std::unique_ptr<WebAnswer> answer);

 private:
  class Thread;
  CircuitBreakers* const breakers_;
  std::shared_ptr<Thread> thread_;
};

}  // namespace stagedoor::engines
