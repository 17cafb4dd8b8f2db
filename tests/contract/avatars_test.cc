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
  rules::Avatar made(const std::string& id, const std::string& workspace_id = "ws_1") {
    store_.clock.advance(1ms);
    rules::Avatar avatar{.id = id,
                         .workspace_id = workspace_id,
                         .name = "Name of " + id,
                         .version = "1",
                         .character = "bruno",
                         .created_at = store_.clock.now(),
                         .updated_at = store_.clock.now()};
    EXPECT_TRUE(avatars_.create(avatar, store_.entry("avatar.create")));
    return avatar;
  }
  std::vector<std::string> listed() {
    std::vector<std::string> ids;
    const auto avatars = avatars_.of("ws_1");
    EXPECT_TRUE(avatars);
    for (const auto& avatar : *avatars) ids.push_back(avatar.id);
    return ids;
  }

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
  const auto renamed = avatars_.rename("ws_1", "a", "Porter", store_.entry("avatar.change"));
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->name, "Porter");
  EXPECT_EQ(renamed->updated_at, store_.clock.now());
  EXPECT_EQ(store_.catalog.avatar("a")->name, "Porter");
}

// Rule avatar-removed-softly.
TEST_F(AvatarStore, RemovesSoftlyOnceAndForGoodAfterwards) {
  made("a");
  EXPECT_TRUE(avatars_.remove("ws_1", "a", Removal::soft, store_.entry("avatar.remove")));
  EXPECT_FALSE(store_.catalog.avatar("a"));
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(avatars_.rename("ws_1", "a", "Porter", store_.entry("avatar.change")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(avatars_.remove("ws_1", "a", Removal::soft, store_.entry("avatar.remove")).error().code,
            ErrorCode::not_found);
  EXPECT_TRUE(avatars_.remove("ws_1", "a", Removal::for_good, store_.entry("avatar.remove")));
  EXPECT_EQ(
      avatars_.remove("ws_1", "a", Removal::for_good, store_.entry("avatar.remove")).error().code,
      ErrorCode::not_found);
}

// Rule avatar-changed-by-its-owners.
TEST_F(AvatarStore, ChangesNothingOfAnotherWorkspace) {
  made("a");
  const auto entries = store_.audited().size();
  EXPECT_EQ(avatars_.rename("ws_2", "a", "Porter", store_.entry("avatar.change")).error().code,
            ErrorCode::not_found);
  for (const auto removal : {Removal::soft, Removal::for_good})
    EXPECT_EQ(avatars_.remove("ws_2", "a", removal, store_.entry("avatar.remove")).error().code,
              ErrorCode::not_found);
  EXPECT_EQ(listed(), std::vector<std::string>{"a"});
  EXPECT_EQ(store_.audited().size(), entries);
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
  EXPECT_FALSE(avatars_.rename("ws_1", "a", "Porter", store_.entry("avatar.change")));
  EXPECT_FALSE(avatars_.remove("ws_1", "a", Removal::soft, store_.entry("avatar.remove")));
  EXPECT_EQ(listed(), std::vector<std::string>{"a"});
  EXPECT_EQ(store_.catalog.avatar("a")->name, "Name of a");
}

TEST_F(AvatarStore, KeepsAsManyAsAWorkspaceMayHave) {
  made("a");
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 999) "
        "INSERT INTO avatars SELECT 'a' || n, workspace_id, name, version, created_at, character, "
        "updated_at, removed_at FROM avatars, count");
  }));
  auto one_more = *store_.catalog.avatar("a");
  one_more.id = "b";
  EXPECT_EQ(avatars_.create(one_more, store_.entry("avatar.create")).error().code,
            ErrorCode::conflict);
}

}  // namespace
}  // namespace stagedoor::store
