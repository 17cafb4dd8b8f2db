#include "store/sqlite_token_revocations.h"

#include <algorithm>
#include <mutex>

#include "rules/account.h"
#include "rules/api_key.h"
#include "rules/built_in.h"
#include "rules/test_mode.h"
#include "store/token_revocation_rows.h"

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;
using base::ErrorCode;
using rules::RevokedSubject;

constexpr std::chrono::minutes between_forgettings{10};
// Few enough that what waits behind them does not wait long.
constexpr std::int64_t forgotten_at_once_max = 1000;

base::Instant instant(std::int64_t millis) {
  return base::Instant(std::chrono::milliseconds(millis));
}

// Ids hold no NUL; the value is last, so that what a stranger chose can't reach into the rest.
std::string key_of(RevokedSubject subject, std::string_view workspace_id, std::string_view app_id,
                   rules::Environment environment, std::string_view value) {
  std::string key;
  key.reserve(workspace_id.size() + app_id.size() + value.size() + 4);
  key += static_cast<char>(subject);
  key += static_cast<char>(environment);
  key.append(workspace_id).push_back('\0');
  key.append(app_id).push_back('\0');
  return key.append(value);
}

// Of a key.
std::string workspace_of(std::string_view key) {
  return std::string(key.substr(2, key.find('\0', 2) - 2));
}

// Whether the subject, where it is a thing of the store, is one of the workspace and app.
constexpr std::string_view key_is_there =
    "SELECT 1 FROM api_keys JOIN apps ON apps.id = api_keys.app_id WHERE api_keys.id = ?1 AND "
    "apps.workspace_id = ?2 AND (?3 = '' OR apps.id = ?3) AND api_keys.environment = ?4";
// Also one that was taken away, softly or for good: what was minted for it may be left. Whose app's
// that was says the beginning of the entry's detail (rules/avatar_records.h).
constexpr std::string_view avatar_is_there =
    "SELECT 1 FROM avatars WHERE id = ?1 AND workspace_id = ?2 AND (?3 = '' OR app_id IS NULL OR "
    "app_id = ?3) UNION ALL "
    "SELECT 1 FROM audit_log WHERE action = 'avatar.remove' AND outcome = 0 AND subject = ?1 AND "
    "workspace_id = ?2 AND (?3 = '' OR substr(detail, 1, 4) <> 'app_' OR "
    "instr(detail || ',', ?3 || ',') = 1)";
// Also who was removed: what they minted may be left.
constexpr std::string_view member_is_there =
    "SELECT 1 FROM members WHERE account_id = ?1 AND workspace_id = ?2";

base::Result<bool> is_there(SqliteDatabase& database, const rules::TokenRevocation& revocation) {
  const bool is_avatar = revocation.subject == RevokedSubject::avatar;
  // In every workspace, without a row.
  if (is_avatar && (rules::built_in_avatar(revocation.value) != nullptr ||
                    rules::is_test_avatar(revocation.environment, revocation.value)))
    return true;
  const auto key = rules::parse_api_key_id(revocation.value);
  if (!is_avatar && !key && !rules::is_account_id(revocation.value)) return false;
  auto there =
      database.prepare(is_avatar ? avatar_is_there : (key ? key_is_there : member_is_there));
  if (!there) return base::fail(there.error());
  there->bind(2, revocation.workspace_id);
  if (is_avatar || !key) {
    there->bind(1, revocation.value);
  } else {
    there->bind(1, static_cast<std::int64_t>(*key))
        .bind(4, static_cast<std::int64_t>(revocation.environment));
  }
  if (is_avatar || key) there->bind(3, revocation.app_id);
  return there->step() == Step::row;
}

// Old ones go at the next forgetting, and no sooner.
base::Error too_many() {
  base::Error error{ErrorCode::rate_limited, "too many revocations are kept",
                    "Too many revocations by token or end user are kept; revoke by app or key."};
  error.retry_after = between_forgettings;
  return error;
}

}  // namespace

SqliteTokenRevocations::SqliteTokenRevocations(SqliteWriter& writer, AppendAudit append,
                                               const base::Clock& clock)
    : writer_(writer), append_(std::move(append)), clock_(clock) {
  writer.on_change([this](SqliteDatabase& database) { return read(database); });
}

bool SqliteTokenRevocations::is_revoked(const rules::RevocableToken& token) const {
  if (count() == 0) return false;
  const std::shared_lock lock(mutex_);
  for (std::size_t i = 0; i < rules::revoked_subject_count; ++i) {
    const auto subject = static_cast<RevokedSubject>(i);
    const auto value = token.value_of(subject);
    if (value.empty()) continue;
    for (const auto app_id : {token.app_id, std::string_view()}) {
      const auto found =
          known_.find(key_of(subject, token.workspace_id, app_id, token.environment, value));
      if (found != known_.end() && token.minted_at <= found->second.minted_until) return true;
    }
  }
  return false;
}

void SqliteTokenRevocations::on_revoked(OnRevoked listener) {
  const std::unique_lock lock(mutex_);
  on_revoked_ = std::move(listener);
}

void SqliteTokenRevocations::note(const rules::TokenRevocation& revocation) {
  const std::unique_lock lock(mutex_);
  const auto [place, is_new] =
      known_.try_emplace(key_of(revocation.subject, revocation.workspace_id, revocation.app_id,
                                revocation.environment, revocation.value));
  if (is_new) ++of_workspace_[revocation.workspace_id];
  auto& known = place->second;
  known.minted_until = std::max(known.minted_until, revocation.minted_until);
  known.forget_at = std::max(known.forget_at, revocation.forget_at());
  count_ = known_.size();
}

void SqliteTokenRevocations::forget_expired() {
  const auto now = clock_.now();
  if (now < next_forgetting_) return;
  next_forgetting_ = now + between_forgettings;
  const std::unique_lock lock(mutex_);
  boost::unordered::erase_if(known_, [&](const auto& one) {
    if (one.second.forget_at > now) return false;
    const auto left = of_workspace_.find(workspace_of(one.first));
    if (--left->second == 0) of_workspace_.erase(left);
    return true;
  });
  count_ = known_.size();
}

// Keys, apps and avatars are looked up, so there are no more of those than the workspace has.
bool SqliteTokenRevocations::has_room_for(const rules::TokenRevocation& revocation) const {
  const bool names_anything =
      revocation.subject == RevokedSubject::token || revocation.subject == RevokedSubject::end_user;
  if (!names_anything) return true;
  const std::shared_lock lock(mutex_);
  const auto of_workspace = of_workspace_.find(revocation.workspace_id);
  return known_.size() < count_max &&
         (of_workspace == of_workspace_.end() || of_workspace->second < of_workspace_max);
}

bool SqliteTokenRevocations::read(SqliteDatabase& database) {
  auto changed = database.prepare(
      "SELECT subject, workspace_id, app_id, environment, value, minted_until, change FROM "
      "token_revocations WHERE change > ?1 ORDER BY change");
  if (!changed) return false;
  changed->bind(1, change_);
  auto outcome = changed->step();
  for (; outcome == Step::row; outcome = changed->step()) {
    const rules::TokenRevocation revocation{
        .subject = static_cast<RevokedSubject>(changed->integer(0)),
        .workspace_id = std::string(changed->text(1)),
        .app_id = std::string(changed->text(2)),
        .environment = static_cast<rules::Environment>(changed->integer(3)),
        .value = std::string(changed->text(4)),
        .minted_until = instant(changed->integer(5))};
    change_ = changed->integer(6);
    // First refused, then told: who enters in between is met by one or the other.
    note(revocation);
    std::size_t ended = 0;
    if (has_read_) {
      const std::shared_lock lock(mutex_);
      if (on_revoked_) ended = on_revoked_(revocation);
    }
    if (const auto made = made_here_.extract(change_)) *made.mapped() = ended;
  }
  has_read_ = outcome == Step::end || has_read_;
  forget_expired();
  return outcome == Step::end;
}

base::Result<base::Done> SqliteTokenRevocations::insert(SqliteDatabase& database,
                                                        const rules::TokenRevocation& revocation) {
  if (revocation.subject == RevokedSubject::api_key ||
      revocation.subject == RevokedSubject::avatar) {
    const auto there = is_there(database, revocation);
    if (!there) return base::fail(there.error());
    if (!*there)
      return base::fail(ErrorCode::not_found, "revocation of what is not the caller's",
                        "There is nothing of this name to revoke.");
  }
  const auto change = insert_revocation(database, revocation);
  if (!change) return base::fail(change.error());
  made_here_.insert_or_assign(*change, std::make_shared<std::size_t>(0));
  forget_rows(database);
  return base::Done{};
}

void SqliteTokenRevocations::forget_rows(SqliteDatabase& database) const {
  // Never the newest, whose change the next one counts on from.
  auto forget = database.prepare(
      "DELETE FROM token_revocations WHERE change IN (SELECT change FROM token_revocations WHERE "
      "forget_at < ?1 AND change < (SELECT max(change) FROM token_revocations) LIMIT ?2)");
  if (forget)
    (void)forget->bind(1, base::unix_millis(clock_.now())).bind(2, forgotten_at_once_max).run();
}

base::Result<std::size_t> SqliteTokenRevocations::revoke(const rules::TokenRevocation& revocation,
                                                         rules::AuditEntry entry) {
  if (!has_room_for(revocation)) return base::fail(too_many());
  std::shared_ptr<std::size_t> ended;
  const auto done = writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    if (auto added = insert(database, revocation); !added) return added;
    ended = made_here_.rbegin()->second;
    return append_(database, entry);
  });
  if (!done) return base::fail(done.error());
  return *ended;
}

}  // namespace stagedoor::store
