#include "actions/end_live_session.h"

#include <gtest/gtest.h>

#include "actions/credentials_world_for_test.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using namespace credentials;

// Rule live-session-of-its-app.
TEST(EndLiveSession, OnlySessionsOfTheKeysAppAndEnvironmentAreEnded) {
  World w;
  const auto session = [](std::string id, std::string workspace, std::string app,
                          rules::Environment environment) {
    rules::LiveSession one;
    one.id = std::move(id);
    one.workspace_id = std::move(workspace);
    one.app_id = std::move(app);
    one.environment = environment;
    return one;
  };
  w.live.known = {session("own", "ws_1", "app_1", rules::Environment::test),
                  session("live", "ws_1", "app_1", rules::Environment::live),
                  session("sister", "ws_1", "app_1b", rules::Environment::test),
                  session("foreign", "ws_2", "app_2", rules::Environment::test)};
  for (const auto* other : {"live", "sister", "foreign", "nobody"}) {
    const auto done = w.end(w.caller(), {other, "why", "", ""});
    ASSERT_FALSE(done) << other;
    EXPECT_EQ(done.error().code, ErrorCode::not_found);
    EXPECT_EQ(done.error().hint, "There is no live session with this id.");
  }
  EXPECT_TRUE(w.live.ended.empty());
  EXPECT_TRUE(w.spent.entries.empty());
  EXPECT_TRUE(w.end(w.caller(), {"own", "rude", "192.0.2.7", "req-1"}));
  EXPECT_EQ(w.live.ended.at("own"), rules::SessionEnd::ended);
  ASSERT_EQ(w.spent.entries.size(), 1u);
  EXPECT_EQ(w.spent.entries[0].detail, "rude");
  EXPECT_EQ(w.spent.ended.back(), "own ended") << "so it stands in the ledger";
}

TEST(EndLiveSession, ASessionThatEndsByItselfAfterTheEndIsRecordedIsEndedAsTheRecordSays) {
  World w;
  rules::LiveSession own;
  own.id = "own";
  own.workspace_id = "ws_1";
  own.app_id = "app_1";
  w.live.known = {own};
  w.live.are_gone = true;
  EXPECT_TRUE(w.end(w.caller(), {"own", "rude", "", ""}));
  EXPECT_EQ(w.spent.entries.size(), 1u);
}

TEST(EndLiveSession, WhatCannotBeRecordedIsNotDone) {
  World w;
  w.spent.is_broken = true;
  rules::LiveSession own;
  own.id = "own";
  own.workspace_id = "ws_1";
  own.app_id = "app_1";
  w.live.known = {own};
  EXPECT_EQ(w.end(w.caller(), {"own", "", "", ""}).error().code, ErrorCode::unavailable);
  EXPECT_TRUE(w.live.ended.empty());
}

}  // namespace
}  // namespace stagedoor::actions
