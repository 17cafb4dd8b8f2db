#include "rules/end_user_limits.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using From = AppliedEndUserLimit::From;
using namespace std::chrono_literals;

const RateLimit few{1, 1h, 1}, some{5, 1h, 5}, many{50, 1h, 50};

// Rule rate-limit-of-one-end-user.
TEST(EndUserLimits, TheirOwnHoldsBeforeTheAppsAndTheAppsBeforeTheSettings) {
  AppLimits app;
  EXPECT_EQ(applied_limit(std::nullopt, app, few), (AppliedEndUserLimit{few, From::settings}));
  app.end_user_limit = some;
  EXPECT_EQ(applied_limit(std::nullopt, app, few), (AppliedEndUserLimit{some, From::app}));
  for (const auto& own : {few, some, many, RateLimit::unlimited()})
    EXPECT_EQ(applied_limit(own, app, few), (AppliedEndUserLimit{own, From::end_user}));
}

// Rule rate-limit-of-one-end-user.
TEST(EndUserLimits, WhatLetsMoreThroughThanWhatHoldsIsLooserWhoeverSetIt) {
  const AppliedEndUserLimit of_app{some, From::app};
  EXPECT_TRUE(check_not_looser({few, From::end_user}, of_app));
  EXPECT_TRUE(check_not_looser({some, From::end_user}, of_app));
  for (const auto& higher :
       {many, RateLimit::unlimited(), RateLimit{5, 1h, 6}, RateLimit{6, 1h, 5}}) {
    const auto refused = check_not_looser({higher, From::end_user}, of_app);
    ASSERT_FALSE(refused) << text_of(higher);
    EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
    EXPECT_NE(refused.error().hint.find(text_of(higher)), std::string::npos);
  }
  const AppliedEndUserLimit strict{few, From::end_user}, wide{many, From::end_user};
  EXPECT_FALSE(check_not_looser(of_app, strict)) << "taken away, the app's is higher";
  EXPECT_TRUE(check_not_looser(of_app, wide));
}

TEST(EndUserLimits, AnIdIsWhatTokensMayBeMintedFor) {
  for (const std::string id : {"a", "anna@example.org", "a/b c%", "Zoë", "\x01"})
    EXPECT_TRUE(check_end_user_id(id)) << id;
  EXPECT_TRUE(check_end_user_id(std::string(256, 'x')));
  for (const auto& id : {std::string(), std::string(257, 'x'), std::string("\xff"),
                         std::string("Zo\xc3"), std::string("\xed\xa0\x80")}) {
    const auto refused = check_end_user_id(id);
    ASSERT_FALSE(refused) << id;
    EXPECT_EQ(refused.error().code, ErrorCode::malformed);
    EXPECT_NE(refused.error().hint.find("end_user_id"), std::string::npos);
  }
}

TEST(EndUserLimits, AChangeTellsWhomItIsAbout) {
  EXPECT_EQ(text_of(EndUserLimitChange{"app_1", "ada", some}),
            "end_user_id=ada, rate_limit=5/hour");
  EXPECT_EQ(text_of(EndUserLimitChange{"app_1", "ada", std::nullopt}),
            "end_user_id=ada, rate_limit=none");
}

}  // namespace
}  // namespace stagedoor::rules
