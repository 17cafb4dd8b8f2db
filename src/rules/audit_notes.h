// Refusals on their way into the audit log: bounded, and none of them lost without a trace (rule
// audit-of-refusals in rules/audit.h).
//
// Strangers can be refused as often as they like; were each kept they would fill the disk. So of
// every window of time only so many refusals of each party are kept one by one: of all strangers
// together, of each known caller, and of each thing that an alarm is about (is_alarm in
// rules/audit_action.h). So no flood hides what another party did: no stranger folds a caller's
// refusals away, no caller another's, and nobody an alarm about another token than their own. Nor
// does a workspace with a thousand keys: each has its own share of the parties that are told apart
// and of what is kept, of refusals and of alarms. What is over is counted, and one entry
// "audit.fold", in the workspace of that party, tells how many and when.
//
// Used by: store/sqlite_audit_log.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "rules/audit.h"

namespace stagedoor::rules {

// Not safe for concurrent use.
class AuditNotes {
 public:
  struct Options {
    std::chrono::seconds window{10};
    std::size_t strangers_max = 50;  // in one window, of all of them together
    std::size_t caller_max = 50;     // of each known caller
    std::size_t alarm_max = 5;       // about each subject
    // Of one workspace and of one kind, in one window: told apart, and kept of all of them. Those
    // who come later share one party of their workspace.
    std::size_t parties_of_workspace_max = 256;
    std::size_t workspace_max = 400;
    // Of all workspaces; whoever finds no party of their own here shares one of their kind.
    std::size_t parties_max = 16384;
    std::size_t waiting_max = 16384;
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
  enum class Kind : unsigned char { strangers, caller, alarm, others };
  struct Party {
    Kind kind;
    std::string workspace_id = {}, name;
    std::size_t kept = 0;
    std::int64_t folded = 0;
    base::Instant first_folded = {}, last_folded = {};
  };
  // What one workspace has had of this window, of one kind.
  struct Share {
    std::size_t parties = 0, kept = 0;
  };
  static Kind kind_of(const AuditEntry& entry);
  Party& party_of(const AuditEntry& entry, Kind kind, Share& share);
  std::size_t kept_max(Kind kind) const;
  std::size_t held() const { return waiting_.size() + taken_; }
  // Tells of each party what was folded, and forgets the parties of which nothing is left to tell.
  void end_window(base::Instant now);
  bool tell_folded(Party& party, base::Instant now);

  const Options options_;
  base::Instant began_;
  std::map<std::string, Party, std::less<>> parties_;
  std::map<std::string, Share, std::less<>> shares_;
  std::vector<AuditEntry> waiting_;
  std::size_t taken_ = 0;
};

}  // namespace stagedoor::rules
