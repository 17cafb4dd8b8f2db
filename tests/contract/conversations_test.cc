// What every store of conversations and of people's avatars promises, run against the SQLite ones.
#include <gtest/gtest.h>

#include <filesystem>

#include "crypto/random.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_consumer_avatars.h"
#include "store/sqlite_conversations.h"
#include "store/sqlite_readers.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::Environment;

class ConversationStore : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "stagedoor-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    auto database = SqliteDatabase::open(path_ + "/store.db", SqliteDatabase::Mode::create);
    ASSERT_TRUE(migrate(*database));
    auto sealer = open_audit_key(*database, path_ + "/audit-key", random_);
    ASSERT_TRUE(sealer);
    writer_.emplace(*std::move(database));
    audit_.emplace(*writer_, *std::move(sealer), clock_);
    readers_.emplace(path_ + "/store.db");
    ASSERT_TRUE(writer_->start());
    conversations_.emplace(*writer_, *readers_, *audit_);
    avatars_.emplace(*writer_, *readers_, *audit_);
  }
  void TearDown() override {
    writer_->stop();
    std::filesystem::remove_all(path_);
  }

  rules::AuditEntry entry(const std::string& action) const {
    rules::AuditEntry entry;
    entry.at = clock_.now();
    entry.action = action;
    return entry;
  }
  void begin(const std::string& id) {
    rules::Conversation conversation;
    conversation.id = id;
    conversation.app_id = "app_1";
    conversation.avatar_id = "a";
    conversation.settings = "{}";
    conversation.created_at = clock_.now();
    ASSERT_TRUE(conversations_->create(conversation, entry("conversation.begin")));
  }
  void say(const std::string& conversation, int number) {
    ASSERT_TRUE(writer_->run([&](SqliteDatabase& database) {
      return database.execute("INSERT INTO messages VALUES ('msg_" + std::to_string(number) +
                              "', '" + conversation + "', " + std::to_string(number) +
                              ", 'user', 'hello', 0)");
    }));
  }
  std::int64_t rows_in(const std::string& table) {
    std::int64_t count = -1;
    EXPECT_TRUE(readers_->read([&](SqliteDatabase& database) -> base::Result<base::Done> {
      auto read = database.prepare("SELECT count(*) FROM " + table);
      if (!read || read->step() != SqliteStatement::Step::row) return database.trouble("count");
      count = read->integer(0);
      return base::Done{};
    }));
    return count;
  }
  rules::ConsumerAvatar avatar(const std::string& id, const std::string& owner,
                               const std::string& slug) const {
    rules::ConsumerAvatar avatar;
    avatar.id = id;
    avatar.short_id = "short-" + id;
    avatar.owner = owner;
    avatar.slug = slug;
    avatar.content = "{}";
    avatar.created_at = clock_.now();
    return avatar;
  }

  const rules::ConversationScope ours_{"app_1", Environment::test};
  crypto::SystemRandom random_;
  base::ManualClock clock_{base::from_unix_seconds(1'795'000'000)};
  std::string path_;
  std::optional<SqliteWriter> writer_;
  std::optional<SqliteAuditLog> audit_;
  std::optional<SqliteReaders> readers_;
  std::optional<SqliteConversations> conversations_;
  std::optional<SqliteConsumerAvatars> avatars_;
};

// Rule conversation-of-one-app.
TEST_F(ConversationStore, FindsNothingOutsideTheScope) {
  begin("c");
  for (const auto& scope : {rules::ConversationScope{"app_2", Environment::test},
                            rules::ConversationScope{"app_1", Environment::live}}) {
    EXPECT_EQ(conversations_->find(scope, "c").error().code, ErrorCode::not_found);
    EXPECT_TRUE(conversations_->list(scope, "", 10)->empty());
    EXPECT_EQ(conversations_->list(scope, "c", 10).error().code, ErrorCode::not_found);
    EXPECT_EQ(conversations_->end(scope, "c", entry("x")).error().code, ErrorCode::not_found);
    EXPECT_EQ(conversations_->remove(scope, "c", entry("x")).error().code, ErrorCode::not_found);
  }
  EXPECT_FALSE(conversations_->find(ours_, "c")->conversation.ended_at);
}

TEST_F(ConversationStore, EndsOnce) {
  begin("c");
  const auto first = conversations_->end(ours_, "c", entry("conversation.end"));
  ASSERT_TRUE(first && first->ended_at);
  const auto entries = rows_in("audit_log");
  clock_.advance(std::chrono::seconds(9));
  EXPECT_EQ(conversations_->end(ours_, "c", entry("conversation.end"))->ended_at, first->ended_at);
  EXPECT_EQ(rows_in("audit_log"), entries);
}

TEST_F(ConversationStore, RemovesWithAllMessages) {
  begin("c");
  say("c", 2);
  say("c", 1);
  const auto whole = conversations_->find(ours_, "c");
  ASSERT_EQ(whole->messages.size(), 2u);
  EXPECT_EQ(whole->messages[0].id, "msg_1");
  EXPECT_TRUE(conversations_->remove(ours_, "c", entry("conversation.remove")));
  EXPECT_EQ(rows_in("messages"), 0);
  EXPECT_EQ(conversations_->find(ours_, "c").error().code, ErrorCode::not_found);
}

TEST_F(ConversationStore, ListsAllOfOneMomentPageByPage) {
  for (const auto* id : {"a", "b", "c", "d", "e"}) begin(id);
  std::string seen, after;
  for (;;) {
    const auto page = conversations_->list(ours_, after, 2);
    ASSERT_TRUE(page);
    for (const auto& one : *page) seen += one.id;
    if (page->size() < 2) break;
    after = page->back().id;
  }
  EXPECT_EQ(seen, "edcba");
}

TEST_F(ConversationStore, KeepsOneAvatarOfASlugForEachPerson) {
  EXPECT_TRUE(avatars_->create(avatar("1", "ann", "me"), entry("x")));
  EXPECT_TRUE(avatars_->create(avatar("2", "ben", "me"), entry("x")));
  EXPECT_EQ(avatars_->create(avatar("3", "ann", "me"), entry("x")).error().code,
            ErrorCode::conflict);
  EXPECT_EQ(avatars_->of("ann")->size(), 1u);
  EXPECT_EQ(rows_in("audit_log"), 2);
}

TEST_F(ConversationStore, KeepsSoManyAvatarsForOnePersonAndNoMore) {
  for (int i = 0; i < rules::consumer_avatars_of_person_max; ++i) {
    const auto name = std::to_string(i);
    ASSERT_TRUE(avatars_->create(avatar(name, "ann", name), entry("x")));
  }
  EXPECT_EQ(avatars_->create(avatar("last", "ann", "last"), entry("x")).error().code,
            ErrorCode::conflict);
}

}  // namespace
}  // namespace stagedoor::store
