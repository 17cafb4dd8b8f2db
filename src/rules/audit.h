// The audit log: who did what, from where, in an order that cannot be changed unseen.
//
// Rule audit-chained: each entry is sealed with an HMAC, under a key that is not in the database,
// over the seal before it and all of its own content; so an entry that was changed, cut out, put
// in or moved breaks the chain where that was done.
//
// Rule audit-fail-closed: a privileged call and its entry are kept in one transaction; a call that
// can't be recorded does not happen.
//
// Rule audit-of-refusals: every refusal of a credential, a limit or a permission is noted, without
// keeping the caller waiting, for the workspace of whoever is known, be it before admission or by
// the work itself; when one party's refusals come faster than they can be kept, one entry tells how
// many were folded into it (rules/audit_notes.h). A frozen, revoked or expired key is refused as an
// unknown one is, and yet its owner must learn that somebody uses it: whose it was is looked up for
// the entry alone, on another thread, so that neither the answer nor its time tells of it.
//
// Rule audit-checkpoint: number and seal of the newest entry are a checkpoint. Kept elsewhere, it
// finds what no seal inside can: that the whole database was put back to an earlier state.
//
// The key of the seals is 32 random bytes in a file of its own. It is not derived from the server
// secret, since that is replaced and its older generations are given up, while an entry must be
// proved for as long as it is kept. It is never replaced: whoever has stolen it could reseal the
// log under any later key as well, and only a checkpoint that is kept elsewhere helps.
//
// Used by: actions/, which hand an entry to the store with each change
// Kept by: store/sqlite_audit_log.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "rules/audit_action.h"

namespace stagedoor::rules {

enum class AuditOutcome : unsigned char { done, refused };

inline constexpr std::size_t audit_text_bytes_max = 512;

// Never holds a credential: `make_fit` is called on each before it is kept.
struct AuditEntry {
  base::Instant at;
  std::string workspace_id;  // empty: not known whose it is
  std::string actor;         // "key_...", "acc_...", "operator", "system", or "" for a stranger
  std::string action;        // one word of rules/audit_action.h, or a call
  std::string subject;       // what it was done to: an id
  AuditOutcome outcome = AuditOutcome::done;
  std::string peer;  // network address, or "" where there is none
  std::string request_id;
  std::string detail;  // words or JSON for whoever reads it
};

// Cuts every text to audit_text_bytes_max, never inside a UTF-8 character, and replaces every
// credential that a stranger has put into one.
void make_fit(AuditEntry& entry);

// Number, time, outcome and every text with its length before it, so that no two entries share
// bytes: a character moved from one field to the next is seen.
std::string canonical_bytes(std::int64_t number, const AuditEntry& entry);

using AuditSeal = crypto::Digest;
inline constexpr AuditSeal audit_seal_before_first{};

// Where the log stood: entries are numbered from 1 without a gap; 0 is before the first.
struct AuditCheckpoint {
  std::int64_t number = 0;
  AuditSeal seal = audit_seal_before_first;
  bool operator==(const AuditCheckpoint&) const = default;
};
// "1234:" and 64 hex digits.
std::string text_of(const AuditCheckpoint& checkpoint);
// `malformed` with a hint.
base::Result<AuditCheckpoint> parse_audit_checkpoint(std::string_view text);

// Safe for concurrent use.
class AuditSealer {
 public:
  // `key` is 32 random bytes.
  explicit AuditSealer(const base::Secret& key) : key_(key) {}
  AuditSeal seal(const AuditSeal& before, std::int64_t number, const AuditEntry& entry) const;
  // Kept beside the newest entry's number and seal: without the key nobody can make an earlier
  // entry look like the newest.
  AuditSeal head_proof(const AuditCheckpoint& head) const;

 private:
  crypto::HmacKey key_;
};

// Walks along a log from its beginning, or from a checkpoint, and stops at the first entry that is
// not as it was written. Constant memory.
class AuditWalk {
 public:
  // `expected`, where it is given, must be met on the way.
  AuditWalk(const AuditSealer& sealer, AuditCheckpoint begin,
            std::optional<AuditCheckpoint> expected);

  // The next entry as it is kept. `conflict`, with a hint that names the entry and says what is
  // wrong with it; then the walk is over.
  base::Result<base::Done> step(std::int64_t number, const AuditEntry& entry,
                                std::string_view seal);
  // After the last entry: the head as it is kept must be the last entry's, and `expected` must
  // have been met.
  base::Result<base::Done> end(const AuditCheckpoint& head, std::string_view head_proof) const;
  // The last entry that was good.
  const AuditCheckpoint& at() const { return at_; }

 private:
  base::Result<base::Done> compare_with_expected() const;

  const AuditSealer& sealer_;
  AuditCheckpoint at_;
  std::optional<AuditCheckpoint> expected_;
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
  // The same for an entry that `complete` completes soon, on another thread: what that finds can't
  // be told from how long the caller waits. Where too many wait for it, it is noted as it is.
  using Complete = std::move_only_function<void(AuditEntry&)>;
  virtual void note_later(AuditEntry entry, Complete complete) = 0;
};

}  // namespace stagedoor::rules
