// The doors' event loops: a thread, an io_context and an acceptor (SO_REUSEPORT) per core.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"
#include "base/result.h"
#include "http/router.h"

namespace stagedoor::http {

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8700;                     // 0: any free one
  int threads = 0;                               // 0: one per core
  std::size_t connections_max = 16384;           // over all loops; more are closed at once
  std::size_t connections_per_peer_max = 16384;  // per address, IPv6 by /64
  std::size_t head_bytes_max = 16u << 10;        // more: 431
  std::size_t body_bytes_max = 1u << 20;         // more: 413
  std::chrono::seconds head_timeout{10};  // from the first byte of a request to the end of its head
  std::chrono::seconds body_timeout{30};  // ... to the end of its body
  std::chrono::seconds idle_timeout{75};  // between requests
  // Whose X-Forwarded-For is believed (base/network.h); of nobody by default.
  std::vector<base::Network> trusted_proxies = {};
  // What of a target never reaches a log.
  SecretsInTarget secrets_in_target = {};
};

// Told of each finished request, on the loop. Must be quick; `target` is already redacted and only
// filled for refusals (status >= 400), to keep the fast path free of it.
struct RequestRecord {
  std::string_view method, route, target, request_id, peer;
  int status;
  std::chrono::nanoseconds took;
  std::size_t body_bytes_in, body_bytes_out;
};
using RequestObserver = std::function<void(const RequestRecord&)>;

class Listener {
 public:
  // Binds and listens; nothing is served before `run`. Errors: `unavailable` with the system's
  // words.
  static base::Result<std::unique_ptr<Listener>> open(Options options, const Router& router,
                                                      RequestObserver observer);
  ~Listener();

  std::uint16_t port() const;

  // Serves until `stop`. Blocks the calling thread.
  void run();

  // From any thread or signal thread: no new connections and no further request on idle ones;
  // returns at once. `run` returns when the last connection has ended, or after `grace` (then the
  // rest are dropped).
  void stop(std::chrono::milliseconds grace);

  struct Counts {
    std::size_t connections, websockets;
  };
  Counts counts() const;

 private:
  struct Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace stagedoor::http
