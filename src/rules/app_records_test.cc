#include "rules/app_records.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

const auto unlimited = RateLimit::unlimited();

TEST(AppChange, WhatIsNotNamedStays) {
  App app;
  app.name = "one";
  app.limits.sessions_max = 7;
  AppChange change;
  EXPECT_TRUE(change.is_empty());
  change.name = "two";
  change.rate_limit = RateLimit{10, 1min, 20};
  app = changed(app, change);
  EXPECT_EQ(app.name, "two");
  EXPECT_EQ(app.limits.sessions_max, 7);
  EXPECT_EQ(app.limits.rate_limit, (RateLimit{10, 1min, 20}));
  change.name.reset();
  change.rate_limit = std::optional<RateLimit>();
  EXPECT_FALSE(changed(app, change).limits.rate_limit);
  EXPECT_EQ(text_of(change), "rate_limit=none");
}

TEST(AppChange, WhatIsOutOfBoundsIsNamed) {
  const auto refusal = [](auto set) {
    AppChange change;
    set(change);
    const auto checked = check(change);
    EXPECT_EQ(checked ? ErrorCode::conflict : checked.error().code, ErrorCode::malformed);
    return checked ? std::string() : checked.error().hint;
  };
  EXPECT_TRUE(refusal([](auto& c) { c.name = ""; }).starts_with("name"));
  EXPECT_TRUE(refusal([](auto& c) { c.name = std::string(101, 'x'); }).starts_with("name"));
  EXPECT_TRUE(refusal([](auto& c) { c.name = "a\nb"; }).starts_with("name"));
  EXPECT_TRUE(refusal([](auto& c) { c.token_uses_max = 0; }).starts_with("token_uses_max"));
  EXPECT_TRUE(refusal([](auto& c) { c.sessions_max = 10'000'001; }).starts_with("sessions_max"));
  EXPECT_TRUE(refusal([](auto& c) { c.length_max = 604'801s; }).starts_with("length_max_seconds"));
  EXPECT_TRUE(refusal([](auto& c) { c.idle_max = 0s; }).starts_with("idle_max_seconds"));
}

// Rule app-changed-by-its-owners.
TEST(AppChange, ALooserLimitIsFoundWhicheverItIs) {
  AppLimits before;
  before.rate_limit = RateLimit{10, 1min, 20};
  before.end_user_limit = RateLimit{1, 1min, 2};
  const auto is_looser = [&](auto set) {
    auto after = before;
    set(after);
    const auto checked = check_not_looser(after, before, unlimited);
    return !checked && checked.error().code == ErrorCode::forbidden;
  };
  EXPECT_FALSE(is_looser([](auto&) {}));
  EXPECT_TRUE(is_looser([](auto& l) { ++l.token_uses_max; }));
  EXPECT_TRUE(is_looser([](auto& l) { ++l.sessions_max; }));
  EXPECT_TRUE(is_looser([](auto& l) { l.length_max += 1s; }));
  EXPECT_TRUE(is_looser([](auto& l) { l.idle_max += 1s; }));
  EXPECT_TRUE(is_looser([](auto& l) { l.rate_limit.reset(); }));
  EXPECT_TRUE(is_looser([](auto& l) { l.rate_limit->burst = 21; }));
  EXPECT_TRUE(is_looser([](auto& l) { l.rate_limit->count = 11; }));
  EXPECT_TRUE(is_looser([](auto& l) { l.end_user_limit.reset(); }));
  EXPECT_FALSE(is_looser([](auto& l) {
    l = {1, 60s, 5s, 2, RateLimit{1, 1min, 1}, RateLimit{1, 1min, 1}, std::nullopt};
  }));
}

// Rule app-changed-by-its-owners.
TEST(AppChange, AnEndUserLimitIsComparedWithTheOneThatHoldsWithoutIt) {
  AppLimits none, own;
  own.end_user_limit = RateLimit{5, 1min, 5};
  EXPECT_FALSE(check_not_looser(own, none, RateLimit{1, 1min, 1}));
  EXPECT_TRUE(check_not_looser(own, none, RateLimit{10, 1min, 10}));
  EXPECT_TRUE(check_not_looser(own, none, unlimited));
}

}  // namespace
}  // namespace stagedoor::rules
