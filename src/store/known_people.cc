#include "store/known_people.h"

#include <algorithm>
#include <mutex>

#include "rules/account.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using Step = SqliteStatement::Step;

}  // namespace

base::Result<rules::Member> KnownPeople::member_of(const rules::Identity& identity,
                                                   std::string_view workspace_id) const {
  const bool is_ours = identity.issuer == issuer_;
  rules::Member member;
  member.account_id =
      is_ours ? identity.subject : rules::account_id_of(identity.issuer, identity.subject);
  const std::shared_lock lock(mutex_);
  const auto found = people_.find(member.account_id);
  const auto* person = found == people_.end() ? nullptr : &found->second;
  if (is_ours && (person == nullptr || person->generation != identity.generation)) {
    return base::fail(ErrorCode::unauthenticated, "a token of another generation of its account",
                      "This log-in is over; log in again.");
  }
  const auto is_meant = [&](const Place& place) {
    return workspace_id.empty() || place.workspace_id == workspace_id;
  };
  if (person != nullptr) {
    const auto place = std::ranges::find_if(person->places, is_meant);
    if (place != person->places.end()) {
      member.workspace_id = place->workspace_id;
      member.role = place->role;
      member.permissions = rules::permissions_of(place->role);
      return member;
    }
  }
  if (workspace_id.empty()) return member;
  return base::fail(ErrorCode::not_found, "a workspace that is not the person's",
                    "You belong to no workspace of this id.");
}

std::optional<rules::Role> KnownPeople::role_of(const std::string& account_id,
                                                std::string_view workspace_id) const {
  const std::shared_lock lock(mutex_);
  const auto found = people_.find(account_id);
  if (found == people_.end()) return std::nullopt;
  const auto place = std::ranges::find(found->second.places, workspace_id, &Place::workspace_id);
  if (place == found->second.places.end()) return std::nullopt;
  return place->role;
}

bool KnownPeople::read(SqliteDatabase& database) {
  return read_accounts(database) && read_members(database);
}

bool KnownPeople::read_accounts(SqliteDatabase& database) {
  auto changed = database.prepare(
      "SELECT id, generation, change FROM accounts WHERE change > ?1 ORDER BY change");
  if (!changed) return false;
  changed->bind(1, account_change_);
  const std::unique_lock lock(mutex_);
  auto outcome = changed->step();
  for (; outcome == Step::row; outcome = changed->step()) {
    people_[std::string(changed->text(0))].generation = changed->integer(1);
    account_change_ = changed->integer(2);
  }
  return outcome == Step::end;
}

bool KnownPeople::read_members(SqliteDatabase& database) {
  auto changed = database.prepare(
      "SELECT account_id, workspace_id, role, since, removed_at, change FROM members "
      "WHERE change > ?1 ORDER BY change");
  if (!changed) return false;
  changed->bind(1, member_change_);
  const std::unique_lock lock(mutex_);
  auto outcome = changed->step();
  for (; outcome == Step::row; outcome = changed->step()) {
    auto& places = people_[std::string(changed->text(0))].places;
    const std::string workspace_id(changed->text(1));
    std::erase_if(places, [&](const Place& place) { return place.workspace_id == workspace_id; });
    if (changed->is_null(4)) {
      places.push_back(
          {workspace_id, static_cast<rules::Role>(changed->integer(2)), changed->integer(3)});
      std::ranges::stable_sort(places, {}, &Place::since);
    }
    member_change_ = changed->integer(5);
  }
  return outcome == Step::end;
}

}  // namespace stagedoor::store
