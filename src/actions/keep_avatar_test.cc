#include "actions/keep_avatar.h"

#include <gtest/gtest.h>

#include <map>

#include "actions/admit_world_for_test.h"
#include "rules/built_in.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::Avatar;
using rules::Environment;

class Avatars : public rules::AvatarRecords {
 public:
  base::Result<std::vector<Avatar>> of(const rules::ItemScope&) override {
    return std::vector<Avatar>();
  }
  base::Result<base::Done> create(const Avatar& avatar, const rules::AuditEntry& entry) override {
    made[avatar.id] = avatar;
    entries.push_back(entry);
    return base::Done{};
  }
  base::Result<Avatar> rename(const rules::ItemScope& scope, std::string_view id,
                              std::string_view name, const rules::AuditEntry& entry) override {
    const auto found = made.find(id);
    if (found == made.end() ||
        !rules::is_found_in(scope, found->second.workspace_id, found->second.app_id))
      return base::fail(ErrorCode::not_found, "none");
    found->second.name = name;
    entries.push_back(entry);
    return found->second;
  }
  base::Result<base::Done> remove(const rules::ItemScope& scope, std::string_view id, Removal,
                                  const rules::AuditEntry& entry) override {
    const auto found = made.find(id);
    if (found == made.end() ||
        !rules::is_found_in(scope, found->second.workspace_id, found->second.app_id))
      return base::fail(ErrorCode::not_found, "none");
    made.erase(found);
    entries.push_back(entry);
    return base::Done{};
  }
  std::map<std::string, Avatar, std::less<>> made;
  std::vector<rules::AuditEntry> entries;
};

struct World : for_test::World {
  rules::Caller key(Environment environment) {
    const auto text = rules::ApiKeyText::make(environment, random);
    rules::ApiKey made;
    made.id = ++keys_made;
    made.environment = environment;
    made.app_id = "app_1";
    keys.by_hash[hasher.current(text)] = made;
    return *authenticate(text.secret().expose(), *base::parse_address("192.0.2.7"));
  }
  Avatars avatars;
  KeepAvatar keep{{.avatars = avatars, .clock = clock, .random = random}};
};

constexpr auto soft = rules::AvatarRecords::Removal::soft;

// Rule avatar-changed-by-its-owners.
TEST(KeepAvatar, IsForLiveKeysAndPeopleAndTheOperator) {
  World w;
  const auto live = w.key(Environment::live), ada = *w.call("a.b.ada").caller;
  const KeepAvatar::By by_key(live, "192.0.2.7", "r"), by_ada(ada, "192.0.2.7", "r");
  for (const auto* by : {&by_key, &by_ada}) {
    const auto made = w.keep.create(*by, "Guide", "bruno");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->workspace_id, "ws_1");
    EXPECT_EQ(made->character, "bruno");
    EXPECT_EQ(w.keep.rename(*by, made->id, "Porter")->name, "Porter");
    EXPECT_TRUE(w.keep.remove(*by, made->id, soft));
  }
  EXPECT_TRUE(w.keep.create(KeepAvatar::By::of_operator("ws_1"), "Guide", "ada"));
  ASSERT_EQ(w.avatars.entries.size(), 7u);
  EXPECT_EQ(w.avatars.entries[0].action, "avatar.create");
  EXPECT_EQ(w.avatars.entries[1].action, "avatar.change");
  EXPECT_EQ(w.avatars.entries[2].action, "avatar.remove");
  EXPECT_EQ(w.avatars.entries[6].actor, "operator");
}

// Rule avatar-changed-by-its-owners.
TEST(KeepAvatar, IsNotForTestKeysNorForWhatIsBuiltIn) {
  World w;
  const auto test = w.key(Environment::test), live = w.key(Environment::live);
  const KeepAvatar::By by_test(test, "", ""), by_live(live, "", "");
  const auto made = *w.keep.create(by_live, "Guide", "ada");
  EXPECT_EQ(w.keep.create(by_test, "Guide", "ada").error().code, ErrorCode::forbidden);
  EXPECT_EQ(w.keep.rename(by_test, made.id, "Porter").error().code, ErrorCode::forbidden);
  EXPECT_EQ(w.keep.remove(by_test, made.id, soft).error().code, ErrorCode::forbidden);
  const auto cara = rules::built_in_avatars().front().id;
  EXPECT_EQ(w.keep.rename(by_live, cara, "Porter").error().code, ErrorCode::forbidden);
  EXPECT_EQ(w.keep.remove(by_live, cara, soft).error().code, ErrorCode::forbidden);
  EXPECT_EQ(w.avatars.entries.size(), 1u);
}

TEST(KeepAvatar, RefusesANameThatIsNone) {
  World w;
  const auto live = w.key(Environment::live);
  const KeepAvatar::By by(live, "", "");
  EXPECT_EQ(w.keep.create(by, "ab", "ada").error().code, ErrorCode::malformed);
  EXPECT_EQ(w.keep.rename(by, "x", "ab").error().code, ErrorCode::malformed);
  EXPECT_TRUE(w.avatars.entries.empty());
}

}  // namespace
}  // namespace stagedoor::actions
