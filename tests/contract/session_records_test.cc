// What every store of sessions gives back of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "folder_for_test.h"
#include "store/sqlite_session_records.h"

namespace stagedoor::store {
namespace {

using rules::Environment;
using rules::SessionQuery;
using rules::SessionState;

class SessionRecords : public ::testing::Test {
 protected:
  void SetUp() override {
    auto database = folder_.database();
    ASSERT_TRUE(database.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40) "
        "INSERT INTO sessions SELECT printf('20260101000000_%04d', i), "
        "x'00112233445566778899aabbccddeeff', "
        // Of four, one is another workspace's, and one another app's.
        "iif(i % 4 = 0, 'ws_2', 'ws_1'), iif(i % 4 = 1, 'app_b', 'app_a'), i % 2, i % 3, "
        "iif(i % 5 = 0, 'eve', ''), 'avatar', 'spatius', '192.0.2.1', 1000 * i, 1000 * i + 700, "
        "iif(i <= 30, 1000 * i + 500, NULL), iif(i <= 30, 'client', ''), 2, 0 FROM n"));
  }
  static SessionQuery ours() {
    SessionQuery query;
    query.workspace_id = "ws_1";
    return query;
  }
  // All pages of a query, and that each is newest first.
  std::vector<rules::SessionRecord> all(SessionQuery query) {
    std::vector<rules::SessionRecord> found;
    for (int pages = 0; pages < 100; ++pages) {
      const auto page = records_.list(query);
      EXPECT_TRUE(page);
      EXPECT_LE(page->sessions.size(), query.count_max);
      found.insert(found.end(), page->sessions.begin(), page->sessions.end());
      if (page->beyond.empty()) break;
      query.beyond = page->beyond;
    }
    EXPECT_TRUE(std::ranges::is_sorted(found, std::greater(), &rules::SessionRecord::began_at));
    return found;
  }

  Folder folder_;
  SqliteReaders readers_{folder_.database_path()};
  SqliteSessionRecords records_{readers_};
};

// Rule session-kept-after-its-end.
TEST_F(SessionRecords, OneThatIsOverTellsAllThatIsKeptOfIt) {
  const auto session = records_.find(ours(), "20260101000000_0005");
  ASSERT_TRUE(session);
  EXPECT_EQ(session->app_id, "app_b");
  EXPECT_EQ(session->environment, static_cast<Environment>(1));
  EXPECT_EQ(session->api_key_id, 2u);
  EXPECT_EQ(session->end_user_id, "eve");
  EXPECT_EQ(session->peer, "192.0.2.1");
  EXPECT_EQ(session->connections, 2);
  EXPECT_EQ(base::unix_millis(session->began_at), 5000);
  EXPECT_EQ(base::unix_millis(*session->ended_at), 5500);
  EXPECT_EQ(base::unix_millis(session->last_seen_at), 5700);
  EXPECT_EQ(session->end_reason, "client");
  EXPECT_FALSE(records_.find(ours(), "20260101000000_0035")->ended_at);
}

TEST_F(SessionRecords, PagesHoldEachSessionOnceWhateverTheirSize) {
  for (const std::size_t count : {1u, 7u, 29u, 30u, 31u, 1000u}) {
    auto query = ours();
    query.count_max = count;
    const auto found = all(query);
    EXPECT_EQ(found.size(), 30u) << count;
    std::set<std::string> ids;
    for (const auto& session : found) ids.insert(session.id);
    EXPECT_EQ(ids.size(), 30u) << count;
  }
}

// Rule session-kept-after-its-end.
TEST_F(SessionRecords, EachFilterNarrowsAndTheyNarrowTogether) {
  const auto count = [&](auto change) {
    auto query = ours();
    change(query);
    const auto found = all(query);
    for (const auto& session : found) EXPECT_TRUE(rules::is_meant(query, session));
    return found.size();
  };
  EXPECT_EQ(count([](auto& query) { query.state = SessionState::ended; }), 23u);
  EXPECT_EQ(count([](auto& query) { query.state = SessionState::live; }), 7u);
  EXPECT_EQ(count([](auto& query) { query.app_id = "app_b"; }), 10u);
  EXPECT_EQ(count([](auto& query) { query.end_user_id = "eve"; }), 6u);
  EXPECT_EQ(count([](auto& query) { query.avatar_id = "none"; }), 0u);
  EXPECT_EQ(count([](auto& query) { query.api_key_id = 0; }), 10u);
  EXPECT_EQ(count([](auto& query) { query.environment = static_cast<Environment>(0); }), 10u);
  EXPECT_EQ(count([](auto& query) {
              query.app_id = "app_b";
              query.state = SessionState::live;
            }),
            2u);
}

// Rule live-session-of-its-app.
TEST_F(SessionRecords, OneOfAnotherWorkspaceIsAsNone) {
  const auto theirs = records_.find(ours(), "20260101000000_0004");
  const auto none = records_.find(ours(), "20260101000000_none");
  ASSERT_FALSE(theirs);
  ASSERT_FALSE(none);
  EXPECT_EQ(theirs.error().code, base::ErrorCode::not_found);
  EXPECT_EQ(theirs.error().hint, none.error().hint);
  EXPECT_EQ(theirs.error().detail, none.error().detail);
}

TEST_F(SessionRecords, PagesByNumberHoldWhatPagesByCursorHoldAndTellHowManyThereAre) {
  for (const std::size_t count : {1u, 7u, 29u, 30u, 31u}) {
    auto query = ours();
    query.count_max = count;
    std::vector<std::string> ids, expected;
    for (const auto& session : all(query)) expected.push_back(session.id);
    for (std::size_t skip = 0; skip < 31; skip += count) {
      const auto page = records_.numbered(query, skip);
      ASSERT_TRUE(page);
      EXPECT_EQ(page->total, 30u);
      EXPECT_EQ(page->beyond.empty(), skip + count >= 30u) << skip << " + " << count;
      for (const auto& session : page->sessions) ids.push_back(session.id);
    }
    EXPECT_EQ(ids, expected) << count;
  }
  auto query = ours();
  query.count_max = 7;
  const auto first = records_.numbered(query, 0);
  query.beyond = first->beyond;
  EXPECT_EQ(records_.list(query)->sessions.front().id,
            records_.numbered(query, 7)->sessions.front().id);
}

TEST_F(SessionRecords, SessionsOfAllDialectsComeInTheOrderOfTheirBeginnings) {
  auto database = folder_.database();
  ASSERT_TRUE(database.execute(
      "UPDATE sessions SET id = '0190' || substr(id, 16) WHERE began_at % 3000 = 0"));
  EXPECT_EQ(all(ours()).size(), 30u);
}

TEST_F(SessionRecords, ACursorThatNoPageGaveIsRefused) {
  for (const auto* cursor : {"x", "12", "12x.id", "99999999999999999999.id"}) {
    auto query = ours();
    query.beyond = cursor;
    const auto page = records_.list(query);
    ASSERT_FALSE(page) << cursor;
    EXPECT_EQ(page.error().code, base::ErrorCode::malformed);
  }
}

TEST_F(SessionRecords, TheWorkForAPageIsBoundedAndTheNextPageGoesOn) {
  auto database = SqliteDatabase::open(folder_.database_path(), SqliteDatabase::Mode::must_exist);
  ASSERT_TRUE(database->execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20001) "
      "INSERT INTO sessions SELECT printf('20270101000000_%06d', i), x'00', 'ws_1', 'app', 0, 0, "
      "'', 'other', '', '', 900000, 0, 0, '', 1, i FROM n"));
  auto query = ours();
  query.avatar_id = "avatar";
  for (const auto& page : {records_.list(query), records_.numbered(query, 0)}) {
    ASSERT_TRUE(page);
    EXPECT_TRUE(page->sessions.empty());
    EXPECT_FALSE(page->beyond.empty());
  }
  EXPECT_EQ(all(query).size(), 30u);
}

}  // namespace
}  // namespace stagedoor::store
