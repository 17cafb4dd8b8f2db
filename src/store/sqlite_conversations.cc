#include "store/sqlite_conversations.h"

#include <utility>

#include "rules/absent.h"
#include "store/list_number.h"

namespace stagedoor::store {
namespace {

using base::Done;
using base::Result;
using rules::Conversation;
using rules::ConversationScope;
using Step = SqliteStatement::Step;

constexpr std::string_view columns =
    "id, app_id, environment, avatar_id, settings, created_at, ended_at";

base::Instant instant_of(std::int64_t millis) {
  return base::Instant(std::chrono::milliseconds(millis));
}

Conversation conversation_of(const SqliteStatement& row) {
  Conversation conversation;
  conversation.id = row.text(0);
  conversation.app_id = row.text(1);
  conversation.environment = static_cast<rules::Environment>(row.integer(2));
  conversation.avatar_id = row.text(3);
  conversation.settings = row.text(4);
  conversation.created_at = instant_of(row.integer(5));
  if (!row.is_null(6)) conversation.ended_at = instant_of(row.integer(6));
  return conversation;
}

std::unexpected<base::Error> no_conversation(const ConversationScope& scope) {
  return base::fail(base::ErrorCode::not_found, "no such conversation",
                    rules::absent("conversation", scope.environment));
}

Result<Conversation> find_in(SqliteDatabase& database, const ConversationScope& scope,
                             std::string_view id) {
  auto read = database.prepare("SELECT " + std::string(columns) +
                               " FROM conversations WHERE id = ?1 AND app_id = ?2 AND "
                               "environment = ?3");
  if (!read) return base::fail(read.error());
  read->bind(1, id).bind(2, scope.app_id).bind(3, static_cast<int>(scope.environment));
  const auto step = read->step();
  if (step == Step::failed) return database.trouble("find conversation");
  if (step == Step::end) return no_conversation(scope);
  return conversation_of(*read);
}

Result<Done> read_messages(SqliteDatabase& database, rules::Conversations::Whole& whole) {
  auto read = database.prepare(
      "SELECT id, role, content, created_at FROM messages WHERE conversation_id = ?1 "
      "ORDER BY number LIMIT ?2");
  if (!read) return base::fail(read.error());
  read->bind(1, whole.conversation.id);
  read->bind(2, static_cast<std::int64_t>(rules::conversation_messages_shown_max));
  auto step = read->step();
  for (; step == Step::row; step = read->step()) {
    whole.messages.push_back({.id = std::string(read->text(0)),
                              .role = std::string(read->text(1)),
                              .content = std::string(read->text(2)),
                              .created_at = instant_of(read->integer(3))});
  }
  if (step == Step::failed) return database.trouble("read messages");
  return Done{};
}

}  // namespace

Result<rules::Conversations::Whole> SqliteConversations::find(const ConversationScope& scope,
                                                              std::string_view id) {
  Whole whole;
  auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    auto found = find_in(database, scope, id);
    if (!found) return base::fail(found.error());
    whole.conversation = *std::move(found);
    return read_messages(database, whole);
  });
  if (!done) return base::fail(done.error());
  return whole;
}

Result<std::vector<Conversation>> SqliteConversations::list(const ConversationScope& scope,
                                                            std::string_view after,
                                                            std::int64_t count) {
  std::vector<Conversation> found;
  auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    if (!after.empty())
      if (const auto last = find_in(database, scope, after); !last) return base::fail(last.error());
    // Behind none: before the highest number that there can be.
    auto read = database.prepare(
        "SELECT " + std::string(columns) +
        " FROM conversations WHERE app_id = ?1 AND environment = ?2 AND number < ifnull((SELECT "
        "number FROM conversations WHERE id = ?3), 9223372036854775807) ORDER BY number DESC LIMIT "
        "?4");
    if (!read) return base::fail(read.error());
    read->bind(1, scope.app_id).bind(2, static_cast<int>(scope.environment));
    read->bind(3, after).bind(4, count);
    auto step = read->step();
    for (; step == Step::row; step = read->step()) found.push_back(conversation_of(*read));
    if (step == Step::failed) return database.trouble("list conversations");
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return found;
}

Result<Done> SqliteConversations::create(const Conversation& conversation,
                                         const rules::AuditEntry& entry) {
  return writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    auto insert = database.prepare(
        "INSERT INTO conversations (id, app_id, environment, avatar_id, settings, created_at, "
        "number) VALUES (?1, ?2, ?3, ?4, ?5, ?6, " +
        next_number("conversations", "app_id = ?2 AND environment = ?3") + ")");
    if (!insert) return base::fail(insert.error());
    insert->bind(1, conversation.id).bind(2, conversation.app_id);
    insert->bind(3, static_cast<int>(conversation.environment)).bind(4, conversation.avatar_id);
    insert->bind(5, conversation.settings).bind(6, base::unix_millis(conversation.created_at));
    if (!insert->run()) return database.trouble("create conversation");
    return audit_.append(database, entry);
  });
}

Result<Conversation> SqliteConversations::end(const ConversationScope& scope, std::string_view id,
                                              const rules::AuditEntry& entry) {
  Conversation ended;
  auto done = writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    auto found = find_in(database, scope, id);
    if (!found) return base::fail(found.error());
    ended = *std::move(found);
    if (ended.ended_at) return Done{};
    ended.ended_at = entry.at;
    auto update = database.prepare("UPDATE conversations SET ended_at = ?2 WHERE id = ?1");
    if (!update) return base::fail(update.error());
    if (!update->bind(1, ended.id).bind(2, base::unix_millis(entry.at)).run())
      return database.trouble("end conversation");
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return ended;
}

Result<Done> SqliteConversations::remove(const ConversationScope& scope, std::string_view id,
                                         const rules::AuditEntry& entry) {
  return writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    if (auto found = find_in(database, scope, id); !found) return base::fail(found.error());
    auto remove = database.prepare("DELETE FROM conversations WHERE id = ?1");
    if (!remove) return base::fail(remove.error());
    if (!remove->bind(1, id).run()) return database.trouble("remove conversation");
    return audit_.append(database, entry);
  });
}

}  // namespace stagedoor::store
