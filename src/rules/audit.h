// The audit log: who did what, from where, in an order that cannot be changed unseen.
//
// Rule audit-chained: each entry is sealed with an HMAC, under a key that is not in the database,
// over the seal before it and all of its own content; so an entry that was changed, cut out, put
// in or moved breaks the chain where that was done.
//
// Rule audit-fail-closed: a privileged call and its entry are kept in one transaction; a call that
// can't be recorded does not happen.
//
// Rule audit-of-refusals: every refusal is noted, without keeping the caller waiting; when
// refusals come faster than they can be kept, one entry tells how many were folded into it.
//
// Used by: actions/, which hand an entry to the store with each change
// Kept by: store/sqlite_audit_log.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace stagedoor::rules {

enum class AuditOutcome : unsigned char { done, refused };

// Never holds a credential. Texts over 512 bytes are cut when kept.
struct AuditEntry {
  base::Instant at;
  std::string workspace_id;  // empty: not known whose it is
  std::string actor;         // "key_...", "acc_...", "operator", "system", or "" for a stranger
  std::string action;        // one dotted word, as in docs/reference/audit-events.md
  std::string subject;       // what it was done to: an id
  AuditOutcome outcome = AuditOutcome::done;
  std::string peer;  // network address, or "" where there is none
  std::string request_id;
  std::string detail;  // words or JSON for whoever reads it
};

// Where it is kept. Safe for concurrent use.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  // Durable when it returns: for privileged calls that change nothing else in the store. Not from
  // an event loop.
  virtual base::Result<base::Done> record(AuditEntry entry) = 0;
  // Kept soon, and bounded: for refusals, and for what is told after the fact. Does not wait.
  virtual void note(AuditEntry entry) = 0;
};

}  // namespace stagedoor::rules
