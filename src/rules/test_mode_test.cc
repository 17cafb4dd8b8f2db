#include "rules/test_mode.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace stagedoor::rules {
namespace {

// Rule test-mode-forces-refusals.
TEST(TestMode, EachValueForcesItsOneThingAtItsOneStep) {
  std::set<std::string_view> seen;
  for (const auto& force : test_forces()) {
    EXPECT_TRUE(seen.insert(force.avatar_id).second) << force.avatar_id;
    EXPECT_TRUE(seen.insert(force.end_user_id).second) << force.end_user_id;
    EXPECT_TRUE(is_test_avatar(Environment::test, force.avatar_id));
    for (const auto at : {ForcedAt::minting, ForcedAt::connecting, ForcedAt::performing}) {
      for (const auto& [avatar, user] : {std::pair{force.avatar_id, std::string_view()},
                                         {std::string_view("any"), force.end_user_id}}) {
        const auto refusal = forced_refusal(at, Environment::test, avatar, user);
        if (at == force.at && at != ForcedAt::performing) {
          ASSERT_FALSE(refusal);
          EXPECT_EQ(refusal.error().code, force.error);
        } else {
          EXPECT_TRUE(refusal);
        }
        const auto end = forced_end(Environment::test, avatar, user);
        EXPECT_EQ(end.has_value(), force.at == ForcedAt::performing);
        if (end) {
          EXPECT_EQ(*end, force.end);
        }
      }
    }
  }
}

// Rule test-mode-forces-refusals.
TEST(TestMode, NothingIsForcedInLiveUse) {
  for (const auto& force : test_forces()) {
    EXPECT_FALSE(is_test_avatar(Environment::live, force.avatar_id));
    for (const auto at : {ForcedAt::minting, ForcedAt::connecting})
      EXPECT_TRUE(forced_refusal(at, Environment::live, force.avatar_id, force.end_user_id));
    EXPECT_FALSE(forced_end(Environment::live, force.avatar_id, force.end_user_id));
  }
}

TEST(TestMode, ValuesThatAreNotInTheTableForceNothing) {
  EXPECT_FALSE(is_test_avatar(Environment::test, "7e570000-0000-4000-8000-000000000999"));
  EXPECT_FALSE(is_test_avatar(Environment::test, ""));
  EXPECT_TRUE(forced_refusal(ForcedAt::minting, Environment::test, "", "test-force-mint-418"));
}

}  // namespace
}  // namespace stagedoor::rules
