// Which endpoints of engines are passed over, since they do not answer.
//
//   closed ──failures_max in a row──▶ open ──open_for──▶ tried by one call ──answer──▶ closed
//                                       ▲──────────────failure────┘
//
// Rule engine-circuit-breaker: an engine's endpoint that has failed three times in a row is passed
// over for 30 s, so that whoever stands in for it does so at once and nobody waits for its
// time-out; then one call tries it, while the others go on passing it over. A failure is that it
// can't be reached, falls silent, or answers with 5xx: whoever refuses is alive. Failures are
// counted by address and key, since one workspace's trouble with a key says nothing of another's,
// and for all sessions together. At most 1024 endpoints are watched; the one that failed longest
// ago is forgotten first.
//
// Used by: engines/web_calls.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace stagedoor::engines {

// Safe for concurrent use. Must live longer than its passes.
class CircuitBreakers {
 public:
  enum class Change : unsigned char { opened, closed };
  // Told of each endpoint that begins to be passed over, and that is asked again, by its host. On
  // any thread; must not block.
  using Told = std::function<void(Change change, std::string_view host)>;
  struct Options {
    int failures_max = 3;
    std::chrono::milliseconds open_for{30'000};
    std::size_t endpoints_max = 1024;
  };
  CircuitBreakers(Options options, const base::Clock& clock, Told told = {})
      : options_(options), clock_(clock), told_(std::move(told)) {}

  // Leave to ask an endpoint once. Destroyed without a verdict, it says nothing of the endpoint.
  class Pass {
   public:
    Pass(Pass&& other) noexcept
        : breakers_(std::exchange(other.breakers_, nullptr)),
          endpoint_(std::move(other.endpoint_)),
          is_trial_(other.is_trial_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass();
    // The first verdict counts.
    void succeeded();
    void failed();

   private:
    friend class CircuitBreakers;
    Pass(CircuitBreakers* breakers, std::string endpoint, bool is_trial)
        : breakers_(breakers), endpoint_(std::move(endpoint)), is_trial_(is_trial) {}
    CircuitBreakers* breakers_;  // null: the verdict has been given
    std::string endpoint_;
    bool is_trial_;
  };
  // nullopt: it is passed over. The key is not kept.
  std::optional<Pass> enter(std::string_view url, std::string_view key);

  struct Counts {
    std::uint64_t opened = 0, passed_over = 0;
    std::size_t watched = 0;
  };
  Counts counts() const;

 private:
  struct Circuit {
    int failures = 0;
    base::Instant failed_at;
    bool is_open = false, is_being_tried = false;
  };
  bool is_closed_to(Circuit& circuit, base::Instant now) const;
  void succeed(const std::string& endpoint);
  void fail(const std::string& endpoint, bool is_trial);
  void give_back(const std::string& endpoint);
  void make_room();
  void tell(Change change, const std::string& endpoint) const;

  const Options options_;
  const base::Clock& clock_;
  const Told told_;
  mutable std::mutex mutex_;
  std::map<std::string, Circuit, std::less<>> circuits_;  // of endpoints that have failed
  Counts counts_;
};

}  // namespace stagedoor::engines
