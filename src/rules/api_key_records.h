// The records of API keys: made, changed, read and listed. Each change and its audit entry are one
// transaction (rule audit-fail-closed).
//
// Rule api-key-maker-in-good-standing: that a maker is neither revoked nor frozen nor expired, and
// that a person's role is no lower than it was, is looked at in the very transaction that makes a
// key or gives one back, or records a room token: a thief's key must not be revoked into the gap
// between the two. Nor may it be rotated into it: what is made or given back ends no later than the
// maker's key does in that same transaction.
//
// Rule api-key-rotated-all: when all keys of an app are rotated, frozen ones retire with the rest
// and get no successor; what is left is counted after, whether it is frozen or not. So 0 is a proof
// that no unfreezing brings an older key back.
//
// Used by: actions/, through actions/key_manager.h
// Kept by: store/sqlite_api_key_records.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/api_key.h"
#include "rules/api_key_rotation.h"
#include "rules/audit.h"
#include "rules/identity.h"

namespace stagedoor::rules {

// Where a list goes on: after this key.
struct ApiKeyCursor {
  std::string app_id;
  Environment environment = Environment::test;
  std::int64_t number = 0;  // among those of its app and environment
};
std::string text_of(const ApiKeyCursor& cursor);
std::optional<ApiKeyCursor> read_api_key_cursor(std::string_view text);

inline constexpr std::size_t api_key_page_max = 1000;
struct ApiKeyQuery {
  std::string app_id;                      // empty: of all apps
  std::optional<Environment> environment;  // nullopt: of both
  std::optional<ApiKeyCursor> after;
  std::size_t count_max = 100;
};
struct ApiKeyPage {
  std::vector<ApiKey> keys;  // by app and environment, newest first
  std::optional<ApiKeyCursor> next;
};

// All that a key has touched, for whoever must know what its theft means.
struct BlastRadius {
  struct Network {
    std::string address;
    base::Instant first_at, last_at;
    std::int64_t calls = 0;
  };
  struct Session {
    std::string id, avatar_id, end_user_id, peer;
    base::Instant began_at;
    bool is_live = false;
  };
  static constexpr std::size_t listed_max = 100;  // of each kind; the newest
  std::int64_t calls = 0;
  std::optional<base::Instant> last_call_at;
  std::int64_t network_count = 0;
  std::vector<Network> networks;
  std::int64_t session_count = 0, live_session_count = 0;
  std::vector<Session> sessions;
  std::vector<std::string> app_ids;  // whose data it could reach
  std::int64_t keys_made_count = 0;  // a thief may have made more
  std::vector<std::uint64_t> keys_made;
  struct RoomToken {
    std::string room, peer;
    base::Instant minted_at;
  };
  std::int64_t room_token_count = 0;  // each good until its end: no room service takes one back
  std::vector<RoomToken> room_tokens;
};

// Who makes a key or gives one back, as the permission for it was found. Looked at once more in the
// step itself: what has been revoked, frozen or demoted since then makes nothing that would outlive
// it (rule api-key-maker-in-good-standing).
struct MadeByKey {
  std::uint64_t id = 0;
};
struct MadeByPerson {
  std::string account_id, workspace_id;
  Role role = Role::viewer;
};
struct MadeByOperator {};
using ApiKeyMaker = std::variant<MadeByOperator, MadeByKey, MadeByPerson>;

struct NewApiKey {
  ApiKey key;
  ApiKeyHash hash;
  AuditEntry entry;
};

// Safe for concurrent use; all of it waits for the disk. Whoever may see a key is the caller's
// business: an app and an environment never change, so asking first is safe.
class ApiKeyRecords {
 public:
  virtual ~ApiKeyRecords() = default;
  // All or none; `conflict` where one of the hashes is here already.
  // `unauthenticated` or `forbidden` where the maker is in good standing no more, here and below;
  // `forbidden` too for what would outlive the maker's key as it then is.
  virtual base::Result<base::Done> create(const ApiKeyMaker& maker,
                                          std::vector<NewApiKey> made) = 0;

  // Durably, that somebody in good standing does what is kept nowhere else, such as giving out a
  // credential that others check.
  virtual base::Result<base::Done> record(const ApiKeyMaker& maker, AuditEntry entry) = 0;

  virtual base::Result<ApiKey> read(std::uint64_t id) const = 0;  // `not_found`
  virtual base::Result<ApiKeyPage> list(const ApiKeyQuery& query) const = 0;
  virtual base::Result<BlastRadius> blast_radius(const ApiKey& key) const = 0;

  // Each gives the key as it then is, or `not_found`. What is done already stays as it was first
  // done, and is no error. `conflict` for freezing and unfreezing a revoked key.
  virtual base::Result<ApiKey> freeze(std::uint64_t id, base::Instant now, std::string reason,
                                      AuditEntry entry) = 0;
  // The same because of a report, which is known by the SHA-256 of what was signed. One that has
  // frozen the key before does nothing: who unfroze the key has judged it. The newest
  // leak_reports_per_key_max are remembered.
  static constexpr std::int64_t leak_reports_per_key_max = 1000;
  virtual base::Result<ApiKey> freeze_for_report(std::uint64_t id, const crypto::Digest& report,
                                                 base::Instant now, std::string reason,
                                                 AuditEntry entry) = 0;
  virtual base::Result<ApiKey> unfreeze(const ApiKeyMaker& maker, std::uint64_t id,
                                        AuditEntry entry) = 0;
  virtual base::Result<ApiKey> revoke(std::uint64_t id, base::Instant now, std::string reason,
                                      AuditEntry entry) = 0;

  // Makes the successor and retires the old key in one step; gives the old key as it then is.
  // `not_found`, `conflict` (check_may_rotate).
  virtual base::Result<ApiKey> rotate(const ApiKeyMaker& maker, std::uint64_t id,
                                      const Retirement& retirement, NewApiKey successor) = 0;

  // Every key of an app and environment that works is given a successor by `make`, or has one
  // already; all retire in one step, and frozen ones with them (rule api-key-rotated-all).
  using MakeSuccessor = std::function<base::Result<NewApiKey>(const ApiKey& old)>;
  struct Rotated {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> old_and_new;
    std::vector<std::uint64_t> frozen;  // retired without a successor
    // Keys that work past the grace, or would if they were unfrozen, and are no successors: read
    // again at the end.
    std::int64_t left = 0;
  };
  static constexpr std::int64_t rotated_at_once_max = 10'000;
  // `conflict` where there are more than that, the error of `make`; then nothing was changed.
  virtual base::Result<Rotated> rotate_all(const ApiKeyMaker& maker, const std::string& app_id,
                                           Environment environment, const Retirement& retirement,
                                           const MakeSuccessor& make, AuditEntry entry) = 0;
};

}  // namespace stagedoor::rules
