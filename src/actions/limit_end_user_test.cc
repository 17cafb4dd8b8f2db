#include "actions/limit_end_user.h"

#include <gtest/gtest.h>

#include "actions/admit_world_for_test.h"
#include "actions/end_user_limits_for_test.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using for_test::RateKind;
using rules::Environment;
using Step = LimitEndUser::Step;
using namespace std::chrono_literals;

struct World {
  explicit World(rules::RateLimit limit = {2, 1min, 2})
      : limit_end_user({.own = own, .limiter = limiter, .audit = audit, .clock = clock},
                       {.limit = limit}) {
    app.id = "app_1";
    app.workspace_id = "ws_1";
  }
  base::Result<base::Done> call(std::string_view end_user_id, Step step = Step::minting,
                                Environment environment = Environment::live) {
    return limit_end_user({.app = app,
                           .environment = environment,
                           .end_user_id = end_user_id,
                           .step = step,
                           .actor = "key_0000000000000001",
                           .peer = "192.0.2.7",
                           .request_id = "req-1"});
  }
  int allowed(std::string_view end_user_id, Step step = Step::minting,
              Environment environment = Environment::live) {
    int count = 0;
    while (count < 100 && call(end_user_id, step, environment)) ++count;
    return count;
  }

  for_test::EndUserLimits own;
  for_test::Limiter limiter;
  for_test::Audit audit;
  base::ManualClock clock{base::Instant(1'800'000'000s)};
  rules::App app;
  LimitEndUser limit_end_user;
};

// Rule rate-limit-of-end-user.
TEST(LimitEndUser, CountsEachEndUserStepAndEnvironmentByItself) {
  World w;
  EXPECT_EQ(w.allowed("ada"), 2);
  EXPECT_EQ(w.allowed("bob"), 2);
  EXPECT_EQ(w.allowed("ada", Step::opening), 2);
  EXPECT_EQ(w.allowed("ada", Step::minting, Environment::test), 2);
  w.app.id = "app_2";
  EXPECT_EQ(w.allowed("ada"), 2);
}

// Rule rate-limit-of-end-user.
TEST(LimitEndUser, TheAppsOwnLimitHoldsInsteadOfTheSettings) {
  World w;
  w.app.limits.end_user_limit = rules::RateLimit{5, 1min, 5};
  EXPECT_EQ(w.allowed("ada"), 5);
  w.app.limits.end_user_limit = rules::RateLimit::unlimited();
  EXPECT_EQ(w.allowed("bob"), 100);
}

// Rule rate-limit-of-one-end-user.
TEST(LimitEndUser, AnEndUsersOwnLimitHoldsBeforeTheAppsAndForNobodyElse) {
  World w;
  w.app.limits.end_user_limit = rules::RateLimit{5, 1min, 5};
  w.own.limits[{"app_1", "ada"}] = {1, 1min, 1};
  w.own.limits[{"app_1", "bob"}] = {7, 1min, 7};
  w.own.limits[{"app_1", "eve"}] = rules::RateLimit::unlimited();
  w.own.limits[{"app_2", "dan"}] = {1, 1min, 1};
  EXPECT_EQ(w.allowed("ada"), 1);
  EXPECT_EQ(w.allowed("ada", Step::opening), 1);
  EXPECT_EQ(w.allowed("ada", Step::minting, Environment::test), 1);
  EXPECT_EQ(w.allowed("bob"), 7);
  EXPECT_EQ(w.allowed("eve"), 100);
  EXPECT_EQ(w.allowed("dan"), 5);
}

// Rule rate-limit-of-one-end-user.
TEST(LimitEndUser, AnEndUsersOwnLimitHoldsWhereNothingElseLimits) {
  World w(rules::RateLimit::unlimited());
  w.own.limits[{"app_1", "ada"}] = {1, 1min, 1};
  EXPECT_EQ(w.allowed("ada"), 1);
  EXPECT_EQ(w.allowed("bob"), 100);
}

TEST(LimitEndUser, WithoutALimitOrAnEndUserNothingIsCounted) {
  World unlimited(rules::RateLimit::unlimited());
  EXPECT_EQ(unlimited.allowed("ada"), 100);
  EXPECT_TRUE(unlimited.limiter.arrivals.empty());
  World nobody;
  EXPECT_EQ(nobody.allowed(""), 100);
  EXPECT_TRUE(nobody.limiter.arrivals.empty());
}

TEST(LimitEndUser, ARefusalSaysWhoseLimitItIsAndWhenToComeAgain) {
  World w;
  w.allowed("ada");
  const auto refused = w.call("ada");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_NE(refused.error().hint.find("end user"), std::string::npos);
  EXPECT_EQ(refused.error().retry_after, 30s);
  EXPECT_TRUE(w.audit.entries.empty()) << "whoever refuses the call notes it";
}

// Rule rate-limit-shadow.
TEST(LimitEndUser, ALimitThatOnlyWatchesIsNotedAndRefusesNobody) {
  World w;
  w.limiter.watches = true;
  EXPECT_EQ(w.allowed("ada"), 100);
  ASSERT_EQ(w.audit.entries.size(), 98u);
  const auto& entry = w.audit.entries.back();
  EXPECT_EQ(entry.outcome, rules::AuditOutcome::done);
  EXPECT_EQ(entry.workspace_id, "ws_1");
  EXPECT_EQ(entry.actor, "key_0000000000000001");
  EXPECT_EQ(entry.subject, "app_1");
  EXPECT_EQ(entry.peer, "192.0.2.7");
  EXPECT_EQ(entry.request_id, "req-1");
}

}  // namespace
}  // namespace stagedoor::actions
