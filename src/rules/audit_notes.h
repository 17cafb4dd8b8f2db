// Refusals on their way into the audit log: bounded, and none of them lost without a trace (rule
// audit-of-refusals in rules/audit.h).
//
// Strangers can be refused as often as they like; were each kept they would fill the disk. So of
// every window of time only so many refusals are kept one by one, of strangers and of known callers
// apart, so that a flood of the first hides nothing of the second. What is over is counted, and one
// entry "audit.fold" tells how many and when.
//
// Used by: store/sqlite_audit_log.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "rules/audit.h"

namespace stagedoor::rules {

// Not safe for concurrent use.
class AuditNotes {
 public:
  struct Options {
    std::chrono::seconds window{10};
    std::size_t strangers_max = 50;  // in one window
    std::size_t known_max = 200;
    std::size_t waiting_max = 4096;
  };
  explicit AuditNotes(Options options) : options_(options) {}

  void add(AuditEntry entry);
  // What is to be kept by `now`, oldest first, and forgets it. `everything`: also what the window
  // still gathers.
  enum class Until { window_is_over, everything };
  std::vector<AuditEntry> take(base::Instant now, Until until);
  // So many of what was taken are kept.
  void were_kept(std::size_t count) { taken_ -= count; }
  // What was taken and could not be kept; it will be taken first.
  void give_back(std::vector<AuditEntry> entries);
  bool is_empty() const { return waiting_.empty(); }

 private:
  enum Kind : std::size_t { of_strangers, of_known, told_after };
  struct Window {
    base::Instant began;
    std::size_t kept = 0;
    std::int64_t folded = 0;
    base::Instant first_folded, last_folded;
  };
  std::size_t kept_max(Kind kind) const;
  std::size_t held() const { return waiting_.size() + taken_; }
  void tell_folded(Kind kind, base::Instant now);

  const Options options_;
  std::array<Window, 3> windows_{};
  std::vector<AuditEntry> waiting_;
  std::size_t taken_ = 0;
};

}  // namespace stagedoor::rules
