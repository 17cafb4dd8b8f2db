#include "actions/keep_end_user_limit.h"

#include <gtest/gtest.h>

#include "actions/admit_world_for_test.h"
#include "actions/end_user_limits_for_test.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::RateLimit;
using From = rules::AppliedEndUserLimit::From;
using namespace std::chrono_literals;

const RateLimit few{1, 1h, 1}, some{5, 1h, 5}, many{50, 1h, 50};

// KeepApp only finds here.
class Apps : public rules::Catalog, public rules::AppRecords {
 public:
  const rules::App* app(std::string_view id) const override {
    const auto found = apps.find(id);
    return found == apps.end() ? nullptr : &found->second;
  }
  std::optional<rules::Avatar> avatar(std::string_view) const override { return std::nullopt; }
  std::vector<rules::App> list(std::string_view, std::string_view, std::size_t) const override {
    return {};
  }
  base::Result<base::Done> create(const rules::App&, const rules::AuditEntry&) override {
    return base::fail(ErrorCode::unsupported, "");
  }
  base::Result<rules::App> change(std::string_view, const Change&,
                                  const rules::AuditEntry&) override {
    return base::fail(ErrorCode::unsupported, "");
  }
  std::map<std::string, rules::App, std::less<>> apps;
};

struct World : for_test::World {
  World() {
    for (const auto& [id, workspace] : {std::pair{"app_1", "ws_1"}, {"app_2", "ws_2"}}) {
      rules::App app;
      app.id = id;
      app.workspace_id = workspace;
      apps.apps[id] = app;
    }
    limit_of_app(some);
  }
  void limit_of_app(std::optional<RateLimit> limit) {
    apps.apps["app_1"].limits.end_user_limit = limit;
    limits.app = apps.apps["app_1"];
  }
  // A person of ws_1.
  rules::Caller ada() { return *call("a.b.ada").caller; }
  rules::Caller key(rules::Environment environment) {
    const auto text = rules::ApiKeyText::make(environment, random);
    rules::ApiKey made;
    made.id = ++keys_made;
    made.environment = environment;
    made.app_id = "app_1";
    keys.by_hash[hasher.current(text)] = made;
    return *authenticate(text.secret().expose(), *base::parse_address("192.0.2.7"));
  }
  // nullopt: it was done.
  std::optional<ErrorCode> change(const rules::Caller& caller, std::string_view who,
                                  std::optional<RateLimit> limit,
                                  std::string_view app_id = "app_1") {
    const auto done = keep.change({caller, "192.0.2.7", "req-1"}, app_id, who, limit);
    return done ? std::nullopt : std::optional(done.error().code);
  }

  Apps apps;
  for_test::EndUserLimits limits;
  KeepApp keep_app{{apps, apps, clock, random}, {}};
  KeepEndUserLimit keep{{keep_app, apps, limits, clock}, {.end_user_limit = many}};
};

// Rule rate-limit-of-one-end-user.
TEST(KeepEndUserLimit, APersonGivesAndTakesLimitsAndIsRecorded) {
  World w;
  EXPECT_EQ(w.change(w.ada(), "bob", many), std::nullopt) << "also a higher one";
  const auto held = w.keep.find(w.ada(), "app_1", "bob");
  ASSERT_TRUE(held);
  EXPECT_EQ(held->own, many);
  EXPECT_EQ(held->applied, (rules::AppliedEndUserLimit{many, From::end_user}));
  EXPECT_EQ(w.change(w.ada(), "bob", std::nullopt), std::nullopt);
  EXPECT_EQ(w.change(w.ada(), "bob", std::nullopt), ErrorCode::not_found) << "there is none now";
  ASSERT_EQ(w.limits.entries.size(), 2u);
  const auto& set = w.limits.entries[0];
  EXPECT_EQ(set.action, "end_user_limit.set");
  EXPECT_EQ(set.workspace_id, "ws_1");
  EXPECT_EQ(set.actor, "acc_ada");
  EXPECT_EQ(set.subject, "app_1");
  EXPECT_EQ(set.peer, "192.0.2.7");
  EXPECT_EQ(set.request_id, "req-1");
  EXPECT_EQ(set.detail, "end_user_id=bob, rate_limit=50/hour");
  EXPECT_EQ(w.limits.entries[1].action, "end_user_limit.remove");
  EXPECT_EQ(w.limits.entries[1].detail, "end_user_id=bob, rate_limit=none");
}

TEST(KeepEndUserLimit, WithoutOneOfTheirOwnTheAppsOrTheSettingsIsTold) {
  World w;
  EXPECT_EQ(w.keep.find(w.ada(), "app_1", "bob")->applied,
            (rules::AppliedEndUserLimit{some, From::app}));
  w.limit_of_app(std::nullopt);
  const auto held = w.keep.find(w.key(rules::Environment::test), "app_1", "bob");
  EXPECT_EQ(held->own, std::nullopt);
  EXPECT_EQ(held->applied, (rules::AppliedEndUserLimit{many, From::settings}));
}

TEST(KeepEndUserLimit, OfAnAppOfOthersNothingIsThereAsOfNone) {
  World w;
  const auto hint = w.keep_app.find(w.ada(), "app_none").error().hint;
  for (const auto* app : {"app_2", "app_none"}) {
    EXPECT_EQ(w.keep.find(w.ada(), app, "bob").error().hint, hint);
    EXPECT_EQ(w.keep.list(w.ada(), app, "", 10).error().hint, hint);
    EXPECT_EQ(w.change(w.ada(), "bob", few, app), ErrorCode::not_found);
    EXPECT_EQ(w.change(w.ada(), "", few, app), ErrorCode::not_found) << "before the id is read";
  }
  EXPECT_TRUE(w.limits.entries.empty());
}

TEST(KeepEndUserLimit, WhatIsNoEndUsersIdIsRefused) {
  World w;
  for (const auto& id : {std::string(), std::string(257, 'x'), std::string("\xff")}) {
    EXPECT_EQ(w.change(w.ada(), id, few), ErrorCode::malformed);
    EXPECT_EQ(w.keep.find(w.ada(), "app_1", id).error().code, ErrorCode::malformed);
  }
}

// Rule rate-limit-of-one-end-user.
TEST(KeepEndUserLimit, ALiveKeyOnlyNarrowsWhateverHeldBefore) {
  World w;
  const auto key = w.key(rules::Environment::live);
  EXPECT_EQ(w.change(key, "bob", many), ErrorCode::forbidden) << "the app's is lower";
  EXPECT_EQ(w.change(key, "bob", RateLimit::unlimited()), ErrorCode::forbidden);
  EXPECT_EQ(w.change(key, "bob", few), std::nullopt);
  EXPECT_EQ(w.change(key, "bob", some), ErrorCode::forbidden) << "their own is lower by now";
  EXPECT_EQ(w.change(key, "bob", std::nullopt), ErrorCode::forbidden) << "the app's is higher";
  EXPECT_EQ(w.limits.limit_of("app_1", "bob"), few);
  w.limits.limits[{"app_1", "eve"}] = many;
  EXPECT_EQ(w.change(key, "eve", std::nullopt), std::nullopt) << "the app's is stricter";
  w.limit_of_app(std::nullopt);
  EXPECT_EQ(w.change(key, "dan", RateLimit{51, 1h, 51}), ErrorCode::forbidden)
      << "the settings' is lower";
}

// Rule app-changed-by-its-owners.
TEST(KeepEndUserLimit, ATestKeyChangesNothingAndAKeyNothingOfAnotherApp) {
  World w;
  EXPECT_EQ(w.change(w.key(rules::Environment::test), "bob", few), ErrorCode::forbidden);
  EXPECT_EQ(w.change(w.key(rules::Environment::live), "bob", few, "app_2"), ErrorCode::not_found);
  EXPECT_TRUE(w.limits.entries.empty());
}

TEST(KeepEndUserLimit, TheOperatorMayAll) {
  World w;
  const auto by = Actor::of_operator();
  EXPECT_TRUE(w.keep.change(by, "app_1", "bob", many));
  EXPECT_EQ(w.limits.entries.back().actor, "operator");
  EXPECT_EQ(w.limits.entries.back().workspace_id, "ws_1");
  EXPECT_EQ(w.keep.change(by, "app_none", "bob", many).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace stagedoor::actions
