#include "rules/avatar_records.h"

#include <gtest/gtest.h>

#include "rules/built_in.h"

namespace stagedoor::rules {
namespace {

Avatar avatar(std::string id, std::string name, std::string character) {
  return {.id = std::move(id),
          .workspace_id = "ws_1",
          .name = std::move(name),
          .version = "1",
          .character = std::move(character)};
}

std::vector<std::string> names_of(const AvatarQuery& query) {
  std::vector<std::string> names;
  for (const auto& one :
       avatars_meant({avatar("a", "Guide", "ada"), avatar("b", "Porter", "bruno")}, query))
    names.push_back(one.name);
  return names;
}

AvatarQuery searching(std::string search) {
  AvatarQuery query;
  query.search = std::move(search);
  return query;
}
AvatarQuery tagged(std::vector<std::string> tags) {
  AvatarQuery query;
  query.tags = std::move(tags);
  return query;
}

TEST(AvatarRecords, ListsAWorkspacesOwnBeforeWhatIsBuiltIn) {
  const auto names = names_of(AvatarQuery());
  ASSERT_EQ(names.size(), 2 + built_in_avatars().size());
  EXPECT_EQ(names[0], "Guide");
  EXPECT_EQ(names[1], "Porter");
  EXPECT_EQ(names[2], "Cara");
}

TEST(AvatarRecords, FindsByPartOfTheNameWithoutCaseOrByTheWholeId) {
  EXPECT_EQ(names_of(searching("PORT")), std::vector<std::string>{"Porter"});
  EXPECT_EQ(names_of(searching("b")), (std::vector<std::string>{"Porter"}));
  EXPECT_EQ(names_of(searching("nobody")), std::vector<std::string>{});
}

TEST(AvatarRecords, FindsByAnyOfTheTags) {
  EXPECT_EQ(names_of(tagged({"bruno", "none"})), std::vector<std::string>{"Porter"});
  EXPECT_EQ(names_of(tagged({"drawn"})).size(), names_of(AvatarQuery()).size());
  EXPECT_TRUE(names_of(tagged({"none"})).empty());
}

TEST(AvatarRecords, HoldsNothingOfAStyleThatThereIsNoneOf) {
  EXPECT_TRUE(names_of({{}, {}, false}).empty());
}

TEST(AvatarRecords, TakesNamesOf3To50Characters) {
  EXPECT_FALSE(check_avatar_name("ab"));
  EXPECT_TRUE(check_avatar_name("abc"));
  EXPECT_TRUE(check_avatar_name("\u00e4\u00f6\u00fc"));
  EXPECT_FALSE(check_avatar_name("\u00e4"));
  EXPECT_TRUE(check_avatar_name(std::string(50, 'a')));
  EXPECT_FALSE(check_avatar_name(std::string(51, 'a')));
}

}  // namespace
}  // namespace stagedoor::rules
