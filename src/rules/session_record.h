// A session as the ledger has it: every one that was let in, whether it lives or is over.
//
// Rule session-kept-after-its-end: a session that is over can still be read: when it began and
// ended, why, for whom, and on whose key it rested. Whoever asks weeks later what happened in one
// finds it, and whoever may see it is decided as for live ones (rule live-session-of-its-app).
//
// Used by: api/sessions.h, anam/sessions.h
// Kept by: store/sqlite_session_records.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/app.h"
#include "rules/caller.h"
#include "rules/session_report.h"

namespace stagedoor::rules {

struct SessionRecord {
  std::string id;
  std::string workspace_id;
  std::string app_id;
  Environment environment = Environment::test;
  std::uint64_t api_key_id = 0;  // whose token it was; 0: a person's
  std::string token_id;
  std::string end_user_id;  // empty: none was named
  std::string avatar_id;
  std::string dialect;
  std::string peer;
  int connections = 1;  // how often its client has come
  base::Instant began_at;
  base::Instant last_seen_at;
  std::optional<base::Instant> ended_at;  // nullopt: it lives
  std::string end_reason;                 // empty while it lives
  std::optional<SessionFacts> facts;      // of a live face, until its report is forgotten
};

enum class SessionState : unsigned char { live, ended };

// Which of them somebody asks for; empty members narrow nothing.
struct SessionQuery {
  std::string workspace_id;  // always
  std::string app_id, end_user_id, avatar_id;
  std::optional<std::uint64_t> api_key_id;
  std::optional<Environment> environment;
  std::optional<SessionState> state;

  // Of live faces. A query that says one of these means no other sessions.
  std::string persona_id, client_label;
  std::optional<SessionKind> kind;
  enum class Of : unsigned char { all, live_faces };
  Of of = Of::all;
  std::string search;  // the whole id, or a part of the label, whatever the case of its letters
  std::optional<base::Instant> began_from, began_before;

  std::string beyond;  // only those before a page's `beyond`; empty: from the newest
  std::size_t count_max = 100;
};

// What a caller may see at all: a key its app and environment, a person their workspace.
SessionQuery visible_sessions(const Caller& caller);

// All that a query asks for but where it begins.
bool is_meant(const SessionQuery& query, const SessionRecord& record);

struct SessionPage {
  std::vector<SessionRecord> sessions;
  std::string beyond;  // where the next page begins; empty: there is no more
  // How many the query means, of those that were looked at; only of `numbered`.
  std::size_t total = 0;
};

// Lists tell what personas are until that is so many bytes; then `persona` is empty.
inline constexpr std::size_t listed_persona_bytes_max = 1u << 20;

// Reads. Safe for concurrent use; not from an event loop.
class SessionRecords {
 public:
  virtual ~SessionRecords() = default;
  // Newest first. A page may hold fewer sessions than asked for, or none, and yet not be the last:
  // the work for one page is bounded. `malformed` for a `beyond` that no page gave.
  virtual base::Result<SessionPage> list(const SessionQuery& query) const = 0;
  // The same without the first `skip`, and how many there are: among the newest so many, since the
  // work is bounded; what is older is behind `beyond`. The query's own `beyond` is not read.
  virtual base::Result<SessionPage> numbered(const SessionQuery& query, std::size_t skip) const = 0;
  // `not_found` also for one that the query does not mean.
  virtual base::Result<SessionRecord> find(const SessionQuery& query,
                                           const std::string& id) const = 0;
};

}  // namespace stagedoor::rules
