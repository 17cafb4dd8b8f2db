// Reading the audit log: which entries somebody asks for, and an entry as the world sees it.
//
// Rule audit-read-by-its-owners: a person with the permission reads what was done in their
// workspace; a key reads what was done by or to its own app, its keys and its sessions, in its own
// environment, and the alarms of its tokens. Entries of nobody's (strangers who were refused) are
// the operator's alone.
//
// Used by: api/audit.h, server/audit_commands.h
// Kept by: store/sqlite_audit_trail.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/app.h"
#include "rules/audit.h"

namespace stagedoor::rules {

struct KeptAuditEntry {
  std::int64_t number = 0;
  AuditEntry entry;
  AuditSeal seal{};
};

enum class AuditOrder : unsigned char { newest_first, oldest_first };

struct AuditQuery {
  std::optional<base::Instant> since, until;  // since <= at < until
  std::optional<std::string> workspace_id;
  std::optional<std::string> actor, subject;
  std::optional<std::string> action;  // one word, or "api_key.*" for all that begin so
  std::optional<AuditOutcome> outcome;
  // Only what was done by or to this app and its keys of one environment.
  struct OfApp {
    std::string app_id;
    Environment environment;
  };
  std::optional<OfApp> of_app;

  AuditOrder order = AuditOrder::newest_first;
  std::int64_t beyond = 0;  // what comes after this number in that order; 0: from the beginning
  // Oldest first: nothing after this number; 0: up to where the log ends at the first page. Reading
  // is itself recorded, so that without it a page would always find one entry more.
  std::int64_t last = 0;
  std::size_t count_max = 100;
};

// "APP_ID, live": how the detail of an entry begins that is of an app, where actor and subject do
// not say it: what the server tells of sessions and tokens.
std::string place_text(std::string_view app_id, Environment environment);

// All that a query asks for but the workspace and the app, which the store looks up.
bool is_meant(const AuditQuery& query, const AuditEntry& entry);

struct AuditPage {
  std::vector<KeptAuditEntry> entries;
  std::int64_t beyond = 0;  // where the next page begins; 0: there is no more
  std::int64_t last = 0;    // oldest first: where the last page ends
};

// Reads. Safe for concurrent use; not from an event loop.
class AuditTrail {
 public:
  virtual ~AuditTrail() = default;
  // A page may hold fewer entries than asked for, or none, and yet not be the last: the work for
  // one page is bounded.
  virtual base::Result<AuditPage> read(const AuditQuery& query) const = 0;
};

// One JSON object, without a line end. Appends.
void append_json(std::string& out, const KeptAuditEntry& kept);

}  // namespace stagedoor::rules
