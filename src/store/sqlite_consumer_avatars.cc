#include "store/sqlite_consumer_avatars.h"

#include "store/list_number.h"

namespace stagedoor::store {
namespace {

using base::Done;
using base::ErrorCode;
using base::Result;
using Step = SqliteStatement::Step;

Result<Done> check_room(SqliteDatabase& database, const rules::ConsumerAvatar& avatar) {
  auto read = database.prepare(
      "SELECT count(*), coalesce(sum(slug = ?2), 0) FROM consumer_avatars WHERE owner = ?1");
  if (!read) return base::fail(read.error());
  if (read->bind(1, avatar.owner).bind(2, avatar.slug).step() != Step::row)
    return database.trouble("count avatars");
  if (read->integer(1) > 0)
    return base::fail(ErrorCode::conflict, "slug taken", "You have an avatar with this slug.");
  if (read->integer(0) >= rules::consumer_avatars_of_person_max)
    return base::fail(ErrorCode::conflict, "all avatars of a person are taken",
                      "You have as many avatars as one person may have.");
  return Done{};
}

}  // namespace

Result<std::vector<rules::ConsumerAvatar>> SqliteConsumerAvatars::of(std::string_view owner) {
  std::vector<rules::ConsumerAvatar> found;
  auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    auto read = database.prepare(
        "SELECT id, short_id, owner, slug, content, is_public, created_at FROM consumer_avatars "
        "WHERE owner = ?1 ORDER BY number DESC LIMIT ?2");
    if (!read) return base::fail(read.error());
    read->bind(1, owner).bind(2, rules::consumer_avatars_of_person_max);
    auto step = read->step();
    for (; step == Step::row; step = read->step()) {
      found.push_back({.id = std::string(read->text(0)),
                       .short_id = std::string(read->text(1)),
                       .owner = std::string(read->text(2)),
                       .slug = std::string(read->text(3)),
                       .content = std::string(read->text(4)),
                       .is_public = read->integer(5) != 0,
                       .created_at = base::Instant(std::chrono::milliseconds(read->integer(6)))});
    }
    if (step == Step::failed) return database.trouble("list avatars");
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return found;
}

Result<Done> SqliteConsumerAvatars::create(const rules::ConsumerAvatar& avatar,
                                           const rules::AuditEntry& entry) {
  return writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    if (auto room = check_room(database, avatar); !room) return room;
    auto insert = database.prepare(
        "INSERT INTO consumer_avatars (id, short_id, owner, slug, content, is_public, created_at, "
        "number) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, " +
        next_number("consumer_avatars", "owner = ?3") + ")");
    if (!insert) return base::fail(insert.error());
    insert->bind(1, avatar.id).bind(2, avatar.short_id).bind(3, avatar.owner);
    insert->bind(4, avatar.slug).bind(5, avatar.content);
    insert->bind(6, avatar.is_public ? 1 : 0).bind(7, base::unix_millis(avatar.created_at));
    if (!insert->run()) return database.trouble("create avatar");
    return audit_.append(database, entry);
  });
}

}  // namespace stagedoor::store
