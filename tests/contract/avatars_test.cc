// What every store of avatars promises, run against SQLite.
#include "opened_for_test.h"
#include "store/sqlite_avatars.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using Removal = rules::AvatarRecords::Removal;

class AvatarStore : public ::testing::Test {
 protected:
  AvatarStore() {
    for (const auto* id : {"ws_1", "ws_2"})
      EXPECT_TRUE(store_.catalog.create_workspace(id, "w", store_.clock.now()));
  }
  rules::Avatar made(const std::string& id, const std::string& workspace_id = "ws_1",
                     const std::string& app_id = {}) {
    store_.clock.advance(1ms);
    rules::Avatar avatar{.id = id,
                         .workspace_id = workspace_id,
                         .name = "Name of " + id,
                         .version = "1",
                         .character = "bruno",
                         .created_at = store_.clock.now(),
                         .updated_at = store_.clock.now(),
                         .app_id = app_id};
    EXPECT_TRUE(avatars_.create(avatar, store_.entry("avatar.create")));
    return avatar;
  }
  std::vector<std::string> listed(const std::string& app_id = {}) {
    std::vector<std::string> ids;
    const auto avatars = avatars_.of(of_app(app_id));
    EXPECT_TRUE(avatars);
    for (const auto& avatar : *avatars) ids.push_back(avatar.id);
    return ids;
  }

  static rules::ItemScope of_app(const std::string& app_id) {
    return {.workspace_id = "ws_1", .app_id = app_id};
  }
  std::string detail_of_the_last_entry() {
    std::string detail;
    EXPECT_TRUE(store_.readers.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
      auto read = database.prepare("SELECT detail FROM audit_log ORDER BY number DESC LIMIT 1");
      EXPECT_EQ(read->step(), SqliteStatement::Step::row);
      detail = read->text(0);
      return base::Done{};
    }));
    return detail;
  }

  const rules::ItemScope ours_{.workspace_id = "ws_1"}, theirs_{.workspace_id = "ws_2"};
  const Folder folder_;
  Opened store_{folder_};
  SqliteAvatars avatars_{store_.writer, store_.readers,
                         [this](SqliteDatabase& database, const rules::AuditEntry& entry) {
                           return store_.audit.append(database, entry);
                         }};
};

TEST_F(AvatarStore, GivesBackWhatItWasGivenTheNewestFirst) {
  const auto first = made("a"), second = made("b");
  made("other", "ws_2");
  EXPECT_EQ(listed(), (std::vector<std::string>{"b", "a"}));
  const auto found = store_.catalog.avatar("a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, first.name);
  EXPECT_EQ(found->character, "bruno");
  EXPECT_EQ(found->created_at, first.created_at);
}

TEST_F(AvatarStore, RenamesAndTheCatalogKnowsItAtOnce) {
  made("a");
  store_.clock.advance(1ms);
  const auto renamed = avatars_.rename(ours_, "a", "Porter", store_.entry("avatar.change"));
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->name, "Porter");
  EXPECT_EQ(renamed->updated_at, store_.clock.now());
  EXPECT_EQ(store_.catalog.avatar("a")->name, "Porter");
}

// Rule avatar-removed-softly.
TEST_F(AvatarStore, RemovesSoftlyOnceAndForGoodAfterwards) {
  made("a");
  EXPECT_TRUE(avatars_.remove(ours_, "a", Removal::soft, store_.entry("avatar.remove")));
  EXPECT_FALSE(store_.catalog.avatar("a"));
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(avatars_.rename(ours_, "a", "Porter", store_.entry("avatar.change")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(avatars_.remove(ours_, "a", Removal::soft, store_.entry("avatar.remove")).error().code,
            ErrorCode::not_found);
  EXPECT_TRUE(avatars_.remove(ours_, "a", Removal::for_good, store_.entry("avatar.remove")));
  EXPECT_EQ(
      avatars_.remove(ours_, "a", Removal::for_good, store_.entry("avatar.remove")).error().code,
      ErrorCode::not_found);
}

// Rule avatar-changed-by-its-owners.
TEST_F(AvatarStore, ChangesNothingOfAnotherWorkspace) {
  made("a");
  const auto entries = store_.audited().size();
  EXPECT_EQ(avatars_.rename(theirs_, "a", "Porter", store_.entry("avatar.change")).error().code,
            ErrorCode::not_found);
  for (const auto removal : {Removal::soft, Removal::for_good})
    EXPECT_EQ(avatars_.remove(theirs_, "a", removal, store_.entry("avatar.remove")).error().code,
              ErrorCode::not_found);
  EXPECT_EQ(listed(), std::vector<std::string>{"a"});
  EXPECT_EQ(store_.audited().size(), entries);
}

// Rule item-of-app.
TEST_F(AvatarStore, FindsOfAnotherAppNothingAndOfTheWorkspaceAll) {
  made("ours", "ws_1", "app_1");
  made("shared");
  EXPECT_EQ(listed("app_1"), (std::vector<std::string>{"shared", "ours"}));
  EXPECT_EQ(listed("app_2"), std::vector<std::string>{"shared"});
  EXPECT_EQ(listed(), (std::vector<std::string>{"shared", "ours"}));
  EXPECT_EQ(store_.catalog.avatar("ours")->app_id, "app_1");
  const auto others = of_app("app_2");
  EXPECT_EQ(avatars_.rename(others, "ours", "Porter", store_.entry("avatar.change")).error().code,
            ErrorCode::not_found);
  for (const auto removal : {Removal::soft, Removal::for_good})
    EXPECT_EQ(avatars_.remove(others, "ours", removal, store_.entry("avatar.remove")).error().code,
              ErrorCode::not_found);
  EXPECT_TRUE(avatars_.rename(others, "shared", "Porter", store_.entry("avatar.change")));
  EXPECT_EQ(listed("app_1").size(), 2u);
  EXPECT_TRUE(avatars_.remove(others, "shared", Removal::soft, store_.entry("avatar.remove")));
  EXPECT_EQ(detail_of_the_last_entry(), "");
  EXPECT_TRUE(avatars_.remove(ours_, "ours", Removal::soft, store_.entry("avatar.remove")));
  EXPECT_EQ(detail_of_the_last_entry(), "app_1");
  auto entry = store_.entry("avatar.remove");
  entry.detail = "for good";
  EXPECT_TRUE(avatars_.remove(of_app("app_1"), "ours", Removal::for_good, entry));
  EXPECT_EQ(detail_of_the_last_entry(), "app_1, for good");
}

// Rule audit-fail-closed.
TEST_F(AvatarStore, ChangesNothingThatCannotBeRecorded) {
  made("a");
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute("UPDATE audit_head SET number = number + 1");
  }));
  auto other = *store_.catalog.avatar("a");
  other.id = "b";
  EXPECT_FALSE(avatars_.create(other, store_.entry("avatar.create")));
  EXPECT_FALSE(avatars_.rename(ours_, "a", "Porter", store_.entry("avatar.change")));
  EXPECT_FALSE(avatars_.remove(ours_, "a", Removal::soft, store_.entry("avatar.remove")));
  EXPECT_EQ(listed(), std::vector<std::string>{"a"});
  EXPECT_EQ(store_.catalog.avatar("a")->name, "Name of a");
}

TEST_F(AvatarStore, KeepsAsManyAsAWorkspaceMayHave) {
  made("a");
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 999) "
        "INSERT INTO avatars SELECT 'a' || n, workspace_id, name, version, created_at, character, "
        "updated_at, removed_at, app_id, 1 + n FROM avatars, count");
  }));
  auto one_more = *store_.catalog.avatar("a");
  one_more.id = "b";
  EXPECT_EQ(avatars_.create(one_more, store_.entry("avatar.create")).error().code,
            ErrorCode::conflict);
}

// Rule item-room-of-app.
TEST_F(AvatarStore, AnAppTakesHalfOfTheRoom) {
  made("a");
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 500) "
        "INSERT INTO avatars SELECT 'a' || n, workspace_id, name, version, created_at, character, "
        "updated_at, removed_at, 'app_1', 1 + n FROM avatars, count");
  }));
  auto one_more = *store_.catalog.avatar("a");
  one_more.id = "b";
  one_more.app_id = "app_1";
  EXPECT_EQ(avatars_.create(one_more, store_.entry("avatar.create")).error().code,
            ErrorCode::conflict);
  one_more.app_id = "app_2";
  EXPECT_TRUE(avatars_.create(one_more, store_.entry("avatar.create")));
}

}  // namespace
}  // namespace stagedoor::store
