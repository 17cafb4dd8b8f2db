// What a store of revocations promises, run against the SQLite one.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "folder_for_test.h"
#include "rules/api_key.h"
#include "store/sqlite_catalog.h"
#include "store/sqlite_token_revocations.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::Environment;
using rules::RevokedSubject;
using namespace std::chrono_literals;

const base::Instant start = base::from_unix_seconds(1'795'000'000);

struct Opened {
  explicit Opened(const Folder& folder)
      : writer(folder.database()),
        catalog(writer),
        revocations(
            writer,
            [this](SqliteDatabase&, const rules::AuditEntry&) -> base::Result<base::Done> {
              if (audit_is_broken) return base::fail(ErrorCode::unavailable, "audit");
              ++recorded;
              return base::Done{};
            },
            clock) {
    EXPECT_TRUE(writer.start());
  }
  ~Opened() { writer.stop(); }

  std::atomic<bool> audit_is_broken = false;
  std::atomic<int> recorded = 0;
  base::ManualClock clock{start};
  SqliteWriter writer;
  SqliteCatalog catalog;
  SqliteTokenRevocations revocations;
};

rules::TokenRevocation of_user(std::string user, base::Instant until = start,
                               std::string app = "app_1") {
  return {.subject = RevokedSubject::end_user,
          .workspace_id = "ws_1",
          .app_id = std::move(app),
          .environment = Environment::test,
          .value = std::move(user),
          .minted_until = until};
}

rules::RevocableToken token_of(std::string_view user, base::Instant minted_at = start,
                               std::string_view app = "app_1") {
  return {.workspace_id = "ws_1",
          .app_id = app,
          .environment = Environment::test,
          .token_id = "t",
          .end_user_id = user,
          .api_key_id = "key_0000000000000007",
          .avatar_id = "ava_1",
          .minted_at = minted_at};
}

template <class Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

// Rule session-token-revoked-with-its-sessions.
TEST(TokenRevocations, WhatWasMintedUntilThenIsRevokedAndWhatWasMintedLaterIsNot) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.revocations.revoke(of_user("u"), {}));
  EXPECT_TRUE(store.revocations.is_revoked(token_of("u")));
  EXPECT_FALSE(store.revocations.is_revoked(token_of("u", start + 1ms)));
  EXPECT_FALSE(store.revocations.is_revoked(token_of("v")));
  EXPECT_FALSE(store.revocations.is_revoked(token_of("u", start, "app_2")));
  auto live = token_of("u");
  live.environment = Environment::live;
  EXPECT_FALSE(store.revocations.is_revoked(live));
  auto foreign = token_of("u");
  foreign.workspace_id = "ws_2";
  EXPECT_FALSE(store.revocations.is_revoked(foreign));
  EXPECT_FALSE(store.revocations.is_revoked(token_of("")));
}

TEST(TokenRevocations, OneForAllAppsOfAWorkspaceMeansEachOfThem) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.revocations.revoke(of_user("u", start, ""), {}));
  EXPECT_TRUE(store.revocations.is_revoked(token_of("u", start, "app_1")));
  EXPECT_TRUE(store.revocations.is_revoked(token_of("u", start, "app_2")));
}

TEST(TokenRevocations, ALaterOneReachesFurtherAndAnEarlierOneTakesNothingBack) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.revocations.revoke(of_user("u", start + 1s), {}));
  ASSERT_TRUE(store.revocations.revoke(of_user("u", start), {}));
  EXPECT_TRUE(store.revocations.is_revoked(token_of("u", start + 1s)));
  ASSERT_TRUE(store.revocations.revoke(of_user("u", start + 2s), {}));
  EXPECT_TRUE(store.revocations.is_revoked(token_of("u", start + 2s)));
  EXPECT_EQ(store.revocations.count(), 1u);
}

// Rule session-token-revoked-with-its-sessions.
TEST(TokenRevocations, ItIsToldOnceWhoeverMadeItAndOnlyAfterItIsRefused) {
  const Folder folder;
  Opened server(folder);
  std::atomic<int> told = 0;
  server.revocations.on_revoked([&](const rules::TokenRevocation& revocation) -> std::size_t {
    EXPECT_TRUE(revocation.covers(token_of("u")));
    EXPECT_TRUE(server.revocations.is_revoked(token_of("u")));
    ++told;
    return 3;
  });
  const auto ended = server.revocations.revoke(of_user("u"), {});
  ASSERT_TRUE(ended);
  EXPECT_EQ(*ended, 3u);
  EXPECT_EQ(told, 1);
  Opened other(folder);
  const auto elsewhere = other.revocations.revoke(of_user("u", start + 1s), {});
  ASSERT_TRUE(elsewhere);
  EXPECT_EQ(*elsewhere, 0u) << "the other process knows of no sessions";
  EXPECT_TRUE(comes_true([&] { return told == 2; }));
  server.revocations.on_revoked({});
}

TEST(TokenRevocations, ItOutlivesARestart) {
  const Folder folder;
  {
    Opened store(folder);
    ASSERT_TRUE(store.revocations.revoke(of_user("u"), {}));
  }
  Opened store(folder);
  EXPECT_TRUE(store.revocations.is_revoked(token_of("u")));
}

TEST(TokenRevocations, WhatCannotBeRecordedIsNotDone) {
  const Folder folder;
  Opened store(folder);
  store.audit_is_broken = true;
  EXPECT_EQ(store.revocations.revoke(of_user("u"), {}).error().code, ErrorCode::unavailable);
  EXPECT_FALSE(store.revocations.is_revoked(token_of("u")));
  store.audit_is_broken = false;
  ASSERT_TRUE(store.revocations.revoke(of_user("v"), {}));
  EXPECT_FALSE(store.revocations.is_revoked(token_of("u")));
  EXPECT_EQ(store.recorded, 1);
}

TEST(TokenRevocations, KeysAndAvatarsOfOthersAreNotThere) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.catalog.create_workspace("ws_1", "w", start));
  ASSERT_TRUE(store.catalog.create_workspace("ws_2", "w", start));
  ASSERT_TRUE(store.catalog.create_app({"app_1", "ws_1", "a", {}}, start));
  ASSERT_TRUE(store.catalog.create_app({"app_2", "ws_2", "b", {}}, start));
  ASSERT_TRUE(store.catalog.create_avatar({"ava_1", "ws_1", "Ada", "1"}, start));
  ASSERT_TRUE(store.catalog.create_avatar({"ava_2", "ws_2", "Bo", "1"}, start));
  const auto add_key = [&](std::int64_t id, std::string app) {
    EXPECT_TRUE(store.writer.run([&](SqliteDatabase& database) {
      return database.execute(
          "INSERT INTO api_keys (id, app_id, environment, hash, name, ends, created_at, change, "
          "number) VALUES (" +
          std::to_string(id) + ", '" + app + "', 1, x'" + std::to_string(10 + id) +
          "', 'k', 'e', 0, " + std::to_string(id) + ", " + std::to_string(id) + ")");
    }));
  };
  add_key(7, "app_1");
  add_key(8, "app_2");
  const auto outcome = [&](RevokedSubject subject, std::string value,
                           Environment environment = Environment::test) {
    auto revocation = of_user("");
    revocation.subject = subject;
    revocation.value = std::move(value);
    revocation.environment = environment;
    const auto done = store.revocations.revoke(revocation, {});
    return done ? ErrorCode::unsupported : done.error().code;
  };
  EXPECT_EQ(outcome(RevokedSubject::api_key, rules::api_key_id_text(7)), ErrorCode::unsupported);
  EXPECT_EQ(outcome(RevokedSubject::api_key, rules::api_key_id_text(8)), ErrorCode::not_found);
  EXPECT_EQ(outcome(RevokedSubject::api_key, rules::api_key_id_text(9)), ErrorCode::not_found);
  EXPECT_EQ(outcome(RevokedSubject::api_key, "nonsense"), ErrorCode::not_found);
  EXPECT_EQ(outcome(RevokedSubject::api_key, rules::api_key_id_text(7), Environment::live),
            ErrorCode::not_found);
  EXPECT_TRUE(store.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "INSERT INTO accounts VALUES ('acc_1', 'e', 'e', 0, '', '', '', '', 1, 0, 1);"
        "INSERT INTO members VALUES ('ws_1', 'acc_1', 3, 0, 5, 1)");
  }));
  EXPECT_EQ(outcome(RevokedSubject::api_key, "acc_1"), ErrorCode::unsupported)
      << "also a removed one";
  EXPECT_EQ(outcome(RevokedSubject::api_key, "acc_2"), ErrorCode::not_found);
  EXPECT_EQ(outcome(RevokedSubject::avatar, "ava_1"), ErrorCode::unsupported);
  EXPECT_EQ(outcome(RevokedSubject::avatar, "ava_2"), ErrorCode::not_found);
  EXPECT_EQ(store.revocations.count(), 3u);
}

// Rule session-token-revocation-forgotten.
TEST(TokenRevocations, ADayLaterItIsForgottenInMemoryAndInTheStore) {
  const Folder folder;
  Opened store(folder);
  for (const auto* user : {"a", "b", "c"}) ASSERT_TRUE(store.revocations.revoke(of_user(user), {}));
  store.clock.advance(25h);
  const auto later = store.clock.now();
  ASSERT_TRUE(store.revocations.revoke(of_user("d", later), {}));
  ASSERT_TRUE(store.revocations.revoke(of_user("e", later), {}));
  EXPECT_EQ(store.revocations.count(), 2u);
  EXPECT_TRUE(store.revocations.is_revoked(token_of("d", later)));
  std::int64_t rows = 0;
  ASSERT_TRUE(store.writer.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto count = database.prepare("SELECT count(*) FROM token_revocations");
    if (count->step() == SqliteStatement::Step::row) rows = count->integer(0);
    return base::Done{};
  }));
  EXPECT_EQ(rows, 2);
}

// So many revocations of end users of one workspace are there, and known.
void fill(Opened& store, const std::string& workspace_id, std::size_t count) {
  const auto before = store.revocations.count();
  const auto filled = store.writer.run([&](SqliteDatabase& database) {
    return database.execute(
        "INSERT INTO token_revocations SELECT 1, '" + workspace_id +
        "', 'app_1', 1, 'user ' || value, 0, 2000000000000, value + " + std::to_string(before) +
        " FROM (WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT " +
        std::to_string(count) + ") SELECT value FROM n)");
  });
  ASSERT_TRUE(filled);
  ASSERT_TRUE(comes_true([&] { return store.revocations.count() == before + count; }));
}

// Rules rate-limit-told and session-token-revocation-share.
TEST(TokenRevocations, AWorkspaceThatHasItsShareIsToldWhenToTryAgainAndOthersHaveTheirs) {
  const Folder folder;
  Opened store(folder);
  fill(store, "ws_1", SqliteTokenRevocations::of_workspace_max);
  const auto refused = store.revocations.revoke(of_user("one more"), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 10min);
  auto of_app = of_user("app_1");
  of_app.subject = RevokedSubject::app;
  EXPECT_TRUE(store.revocations.revoke(of_app, {})) << "by app one can always be made";
  auto elsewhere = of_user("one");
  elsewhere.workspace_id = "ws_2";
  EXPECT_TRUE(store.revocations.revoke(elsewhere, {}));
}

// Rule session-token-revocation-share.
TEST(TokenRevocations, HoweverManyAreKeptAnAppIsRevoked) {
  const Folder folder;
  Opened store(folder);
  fill(store, "ws_2", SqliteTokenRevocations::count_max);
  EXPECT_FALSE(store.revocations.revoke(of_user("one more"), {}));
  auto of_app = of_user("app_1");
  of_app.subject = RevokedSubject::app;
  EXPECT_TRUE(store.revocations.revoke(of_app, {}));
}

// Rule session-token-revoked-with-its-sessions.
TEST(TokenRevocations, AnAvatarThatIsBuiltInOrGoneForGoodIsAcceptedAndOneOfOthersIsNot) {
  const Folder folder;
  Opened store(folder);
  const auto removed = store.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "INSERT INTO audit_log (number, at, workspace_id, actor, action, subject, outcome, peer, "
        "request_id, detail, seal) VALUES "
        "(1, 0, 'ws_1', '', 'avatar.remove', 'ava_gone', 0, '', '', 'for good', x''), "
        "(2, 0, 'ws_2', '', 'avatar.remove', 'ava_theirs', 0, '', '', 'for good', x''), "
        "(3, 0, 'ws_1', '', 'avatar.remove', 'ava_refused', 1, '', '', '', x''), "
        "(4, 0, 'ws_1', '', 'avatar.create', 'ava_made', 0, '', '', '', x''), "
        "(5, 0, 'ws_1', '', 'avatar.remove', 'ava_own', 0, '', '', 'app_1, for good', x''), "
        "(6, 0, 'ws_1', '', 'avatar.remove', 'ava_of_2', 0, '', '', 'app_12', x''); "
        "INSERT INTO workspaces VALUES ('ws_1', 'w', 0); INSERT INTO avatars (id, workspace_id, "
        "name, version, created_at, app_id, number) VALUES ('ava_here', 'ws_1', '', '', 0, "
        "'app_1', 1), ('ava_there', 'ws_1', '', '', 0, 'app_2', 2)");
  });
  ASSERT_TRUE(removed) << removed.error().detail;
  const auto revoke = [&](std::string avatar) {
    auto revocation = of_user(std::move(avatar));
    revocation.subject = RevokedSubject::avatar;
    return store.revocations.revoke(revocation, {});
  };
  EXPECT_TRUE(revoke("071b0286-4cce-4808-bee2-e642f1062de3")) << "built in";
  for (const auto* ours : {"ava_gone", "ava_own", "ava_here"}) EXPECT_TRUE(revoke(ours)) << ours;
  // Rule item-of-app.
  for (const auto* other :
       {"ava_theirs", "ava_refused", "ava_made", "ava_nobody", "ava_of_2", "ava_there"}) {
    const auto refused = revoke(other);
    ASSERT_FALSE(refused) << other;
    EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  }
}

}  // namespace
}  // namespace stagedoor::store
