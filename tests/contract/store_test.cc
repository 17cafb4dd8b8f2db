// What every store of redemptions promises, and the parts beside it, run against SQLite.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <latch>
#include <thread>

#include "opened_for_test.h"
#include "store/memory_live_sessions.h"
#include "store/secret_file.h"
#include "store/sqlite_api_keys.h"
#include "store/sqlite_catalog.h"
#include "store/sqlite_redemptions.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;

// Each begins a session of its own.
rules::Redemption redemption(std::uint8_t id, int uses_max = 1) {
  static std::atomic<int> sessions = 0;
  rules::Redemption wanted;
  wanted.id = {id};
  wanted.expires_at = base::from_unix_seconds(1'795'000'600);
  wanted.uses_max = uses_max;
  wanted.at = base::from_unix_seconds(1'795'000'000);
  wanted.session.id = "session-" + std::to_string(++sessions);
  return wanted;
}

TEST(Catalog, ARefusedCreationChangesNothing) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  EXPECT_FALSE(store.catalog.create_app({"app_1", "ws_1", "second", {}}, store.clock.now()));
  EXPECT_FALSE(store.catalog.create_app({"app_9", "ws_none", "orphan", {}}, store.clock.now()));
  EXPECT_EQ(store.catalog.app("app_1")->name, "a");
  EXPECT_EQ(store.catalog.app("app_9"), nullptr);
}

base::Result<rules::App> with_more_uses(const rules::App& before) {
  auto after = before;
  after.limits.token_uses_max = 3;
  return after;
}

TEST(Catalog, AnAppThatWasHandedOutStaysAsItWasWhenItsLimitsChange) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  const auto* before = store.catalog.app("app_1");
  ASSERT_TRUE(store.apps.change("app_1", with_more_uses, store.entry("app.change")));
  EXPECT_EQ(before->limits.token_uses_max, 1);
  EXPECT_EQ(store.catalog.app("app_1")->limits.token_uses_max, 3);
}

TEST(Apps, WhatIsKeptIsReadBackAsItWas) {
  const Folder folder;
  rules::App app;
  app.id = "app_2";
  app.workspace_id = "ws_1";
  app.name = "Second";
  app.created_at = base::from_unix_seconds(1'795'000'000);
  app.limits.rate_limit = rules::RateLimit{300, 1min, 600};
  app.limits.end_user_limit = rules::RateLimit::unlimited();
  {
    Opened store(folder);
    store.add_app();
    ASSERT_TRUE(store.apps.create(app, store.entry("app.create")));
    EXPECT_EQ(store.audited(), std::vector<std::string>{"app.create"});
  }
  Opened again(folder);
  const auto* kept = again.catalog.app("app_2");
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->name, "Second");
  EXPECT_EQ(kept->limits, app.limits);
  EXPECT_EQ(kept->created_at, app.created_at);
  EXPECT_EQ(again.apps.list("ws_1", "", 10).size(), 2u);
  EXPECT_EQ(again.apps.list("ws_1", "", 1).front().id, "app_1");
  EXPECT_EQ(again.apps.list("ws_1", "app_1", 10).front().id, "app_2");
  EXPECT_TRUE(again.apps.list("ws_2", "", 10).empty());
}

TEST(Apps, AChangeThatIsRefusedOrHasNoAppLeavesNothing) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  const auto refuse = [](const rules::App&) -> base::Result<rules::App> {
    return base::fail(ErrorCode::forbidden, "no");
  };
  EXPECT_EQ(store.apps.change("app_1", refuse, store.entry("app.change")).error().code,
            ErrorCode::forbidden);
  EXPECT_EQ(store.apps.change("app_9", with_more_uses, store.entry("app.change")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(store.catalog.app("app_1")->limits.token_uses_max, 1);
  EXPECT_TRUE(store.audited().empty());
}

// Rule session-token-single-use.
TEST(RedemptionStore, OfManySimultaneousRedemptionsExactlyOneSucceeds) {
  const Folder folder;
  Opened store(folder);
  for (std::uint8_t round = 0; round < 20; ++round) {
    std::atomic<int> admitted = 0, spent = 0;
    std::latch together(32);
    std::vector<std::jthread> crowd;
    for (int i = 0; i < 32; ++i) {
      crowd.emplace_back([&] {
        together.arrive_and_wait();
        const auto use = store.redeem(redemption(round));
        if (use) ++admitted;
        if (!use && use.error().code == ErrorCode::token_spent) ++spent;
      });
    }
    crowd.clear();
    EXPECT_EQ(admitted, 1);
    EXPECT_EQ(spent, 31);
  }
}

// Rule session-token-single-use.
TEST(RedemptionStore, SeveralUsesAreCountedAndTheNextOneIsRefused) {
  const Folder folder;
  Opened store(folder);
  for (int use = 1; use <= 3; ++use) EXPECT_EQ(store.redeem(redemption(1, 3)), use);
  EXPECT_EQ(store.redeem(redemption(1, 3)).error().code, ErrorCode::token_spent);
  EXPECT_EQ(store.redeem(redemption(2, 3)), 1) << "another token is not concerned";
}

// Rule session-token-redeemed-durably.
TEST(RedemptionStore, WhatWasRedeemedIsSpentAfterARestart) {
  const Folder folder;
  {
    Opened store(folder);
    EXPECT_TRUE(store.redeem(redemption(1)));
  }
  Opened store(folder);
  EXPECT_EQ(store.redeem(redemption(1)).error().code, ErrorCode::token_spent);
}

// Rule session-token-redeemed-durably.
TEST(RedemptionStore, ACommitIsOnDiskWhenItReturnsAlsoForALossOfPower) {
  const Folder folder;
  auto database = SqliteDatabase::open(folder.file("store.db"), SqliteDatabase::Mode::create);
  auto synchronous = database->prepare("PRAGMA synchronous");
  ASSERT_EQ(synchronous->step(), SqliteStatement::Step::row);
  EXPECT_EQ(synchronous->integer(0), 2) << "FULL: each commit waits for the disk";
  auto journal = database->prepare("PRAGMA journal_mode");
  ASSERT_EQ(journal->step(), SqliteStatement::Step::row);
  EXPECT_EQ(journal->text(0), "wal");
}

// Rule session-token-redeemed-durably.
TEST(RedemptionStore, AnAnswerComesOnlyAfterItIsOnDisk) {
  const Folder folder;
  Opened store(folder);
  std::promise<std::int64_t> seen;
  store.redemptions.redeem(redemption(1), [&](base::Result<rules::Redeemed>) {
    // Another connection sees only what has been committed.
    auto other = SqliteDatabase::open(folder.file("store.db"), SqliteDatabase::Mode::must_exist);
    auto count = other->prepare("SELECT count(*) FROM redemptions");
    EXPECT_EQ(count->step(), SqliteStatement::Step::row);
    seen.set_value(count->integer(0));
  });
  EXPECT_EQ(seen.get_future().get(), 1);
}

TEST(RedemptionStore, WhatExpiredLongAgoIsForgottenAndTheRestIsKept) {
  const Folder folder;
  Opened store(folder);
  EXPECT_TRUE(store.redeem(redemption(1)));
  auto later = redemption(2);
  later.expires_at += 24h;
  EXPECT_TRUE(store.redeem(later));
  store.clock.set(base::from_unix_seconds(1'795'000'600) + 25h);
  store.redemptions.forget_expired();
  EXPECT_EQ(store.redeem(later).error().code, ErrorCode::token_spent);
  auto other = SqliteDatabase::open(folder.file("store.db"), SqliteDatabase::Mode::must_exist);
  auto count = other->prepare("SELECT count(*) FROM redemptions");
  ASSERT_EQ(count->step(), SqliteStatement::Step::row);
  EXPECT_EQ(count->integer(0), 1);
}

TEST(RedemptionStore, RedemptionsForgetWhatHasExpiredFasterThanTheyAddToIt) {
  const Folder folder;
  Opened store(folder);
  auto other = SqliteDatabase::open(folder.file("store.db"), SqliteDatabase::Mode::must_exist);
  ASSERT_TRUE(other->execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
      "INSERT INTO redemptions (expires_at, token_id, uses, first_at) "
      "SELECT i, randomblob(16), 1, 0 FROM n"));
  auto count = other->prepare("SELECT count(*) FROM redemptions WHERE expires_at <= 5000");
  const auto expired_left = [&] {
    (void)count->step();
    const auto left = count->integer(0);
    count->reset();
    return left;
  };
  std::uint8_t id = 0;
  EXPECT_TRUE(comes_true([&] {
    (void)store.redeem(redemption(++id));
    return expired_left() == 0;
  }));
}

TEST(SqliteWriter, AStoreThatAnotherHoldsIsToldAndRecovers) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  EXPECT_EQ(store.writer.why_not_writing(), "");
  auto other = SqliteDatabase::open(folder.file("store.db"), SqliteDatabase::Mode::must_exist);
  ASSERT_TRUE(other->execute("BEGIN IMMEDIATE"));
  std::promise<base::Result<rules::Redeemed>> promise;
  store.redemptions.redeem(redemption(1), [&](base::Result<rules::Redeemed> outcome) {
    promise.set_value(std::move(outcome));
  });
  EXPECT_TRUE(comes_true([&] { return !store.writer.why_not_writing().empty(); }));
  ASSERT_TRUE(other->execute("ROLLBACK"));
  EXPECT_TRUE(promise.get_future().get());
  EXPECT_TRUE(comes_true([&] { return store.writer.why_not_writing().empty(); }));
}

TEST(SqliteWriter, AJobThatFailsTakesNoOtherWithIt) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  std::vector<std::jthread> threads;
  std::atomic<int> created = 0, refused = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const auto id = i % 2 == 0 ? "app_1" : "app_x" + std::to_string(i);
      if (store.catalog.create_app({id, "ws_1", "n", {}}, store.clock.now()))
        ++created;
      else
        ++refused;
    });
  }
  threads.clear();
  EXPECT_EQ(created, 4);
  EXPECT_EQ(refused, 4);
}

TEST(LiveSessions, PlacesAreLimitedPerAppAndGivenBack) {
  MemoryLiveSessions live;
  const rules::PlacesOf one{"app_1", rules::Environment::live};
  auto first = live.enter(one, 2, "t1");
  auto second = live.enter(one, 2, "t2");
  EXPECT_EQ(live.enter(one, 2, "t3").error().code, ErrorCode::concurrency_limited);
  EXPECT_TRUE(live.enter({"app_2", rules::Environment::live}, 2, "t4"));
  first = base::fail(ErrorCode::not_found, "ended");
  EXPECT_TRUE(live.enter(one, 2, "t5"));
  EXPECT_EQ(live.count(), 1u) << "only the second is still held";
}

// Rule session-token-retry-takes-nothing.
TEST(LiveSessions, WhoComesBackSharesThePlaceUntilTheLastOfThemLeaves) {
  MemoryLiveSessions live;
  const rules::PlacesOf one{"app_1", rules::Environment::live};
  EXPECT_FALSE(live.enter_again(one, "t1"));
  auto first = live.enter(one, 1, "t1");
  auto again = live.enter_again(one, "t1");
  auto third = live.enter_again(one, "t1");
  EXPECT_TRUE(third);
  EXPECT_EQ(live.count_of(one), 1u);
  first = base::fail(ErrorCode::not_found, "ended");
  again.reset();
  EXPECT_EQ(live.enter(one, 1, "t2").error().code, ErrorCode::concurrency_limited);
  third.reset();
  EXPECT_EQ(live.count(), 0u);
  EXPECT_FALSE(live.enter_again(one, "t1"));
  EXPECT_TRUE(live.enter(one, 1, "t2"));
}

// Rule session-token-retry-takes-nothing.
TEST(LiveSessions, EachSessionOfATokenForSeveralHasAPlaceOfItsOwn) {
  MemoryLiveSessions live;
  const rules::PlacesOf one{"app_1", rules::Environment::live};
  auto first = live.enter(one, 2, "t1");
  const auto second = live.enter(one, 2, "t1");
  EXPECT_EQ(live.count_of(one), 2u);
  const auto again = live.enter_again(one, "t1");
  first = base::fail(ErrorCode::not_found, "ended");
  EXPECT_EQ(live.count_of(one), 2u) << "who came back has it";
}

// Rule leash-concurrency.
TEST(LiveSessions, LiveAndTestPlacesOfAnAppAreCountedApart) {
  MemoryLiveSessions live;
  const rules::PlacesOf of_live{"app_1", rules::Environment::live};
  const rules::PlacesOf of_test{"app_1", rules::Environment::test};
  const auto test = live.enter(of_test, 1, "t1");
  EXPECT_EQ(live.enter(of_test, 1, "t2").error().code, ErrorCode::concurrency_limited);
  EXPECT_EQ(live.count_of(of_test), 1u);
  EXPECT_EQ(live.count_of(of_live), 0u);
  const auto other = live.enter(of_live, 1, "t3");
  EXPECT_TRUE(other);
  EXPECT_EQ(live.count(), 2u);
}

TEST(LiveSessions, ThoseThatAreMeantAreAskedToEndAndTheOthersAreNot) {
  MemoryLiveSessions live;
  int ended = 0;
  const auto session = [](std::string id, std::string key) {
    rules::LiveSession known;
    known.id = id;
    known.api_key_id = key;
    return known;
  };
  const auto one = live.announce(session("1", "key_1"), [&](rules::SessionEnd) { ++ended; });
  const auto two = live.announce(session("2", "key_2"), [&](rules::SessionEnd) { ended += 100; });
  const auto of_key = [](const rules::LiveSession& s) { return s.api_key_id == "key_1"; };
  EXPECT_EQ(live.end_where(of_key, rules::SessionEnd::revoked), 1u);
  EXPECT_EQ(ended, 1);
}

// Rule session-token-retry-by-same-client.
TEST(LiveSessions, AConnectionThatComesInJustAfterItsSessionWasEndedIsAskedToLeaveAtOnce) {
  MemoryLiveSessions live;
  std::vector<rules::SessionEnd> asked;
  const auto session = [] {
    rules::LiveSession known;
    known.id = "1";
    return known;
  }();
  const auto end = [&](rules::SessionEnd why) { asked.push_back(why); };
  const auto first = live.announce(session, end);
  EXPECT_TRUE(live.end("1", rules::SessionEnd::ended));
  asked.clear();
  const auto second = live.announce(session, end);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0], rules::SessionEnd::replaced) << "the first";
  EXPECT_EQ(asked[1], rules::SessionEnd::ended) << "the second";
}

// Rule secret-file-private.
TEST(SecretFile, OneThatOthersCanReadIsRefused) {
  const Folder folder;
  crypto::SystemRandom random;
  const auto path = folder.file("secret");
  std::vector<base::Secret> secrets;
  secrets.push_back(new_server_secret(random));
  ASSERT_TRUE(write_secret_file(path, secrets));
  const auto read = read_secret_file(path, 2);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->front().expose(), secrets.front().expose());
  for (const mode_t mode : {0640u, 0604u, 0660u, 0777u}) {
    ::chmod(path.c_str(), mode);
    const auto refused = read_secret_file(path, 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
    EXPECT_NE(refused.error().hint.find("chmod 600"), std::string::npos);
  }
}

TEST(SecretFile, OddContentIsRefusedWithoutBeingRepeated) {
  const Folder folder;
  const auto path = folder.file("secret");
  for (const auto& content :
       {std::string(), std::string("hello\n"), std::string(63, 'a'), std::string(64, 'A'),
        std::string(64, 'a') + "\n" + std::string(64, 'b') + "\n" + std::string(64, 'c')}) {
    std::ofstream(path) << content;
    ::chmod(path.c_str(), 0600);
    const auto refused = read_secret_file(path, 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::malformed);
    if (!content.empty()) {
      EXPECT_EQ(refused.error().hint.find(content.substr(0, 5)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace stagedoor::store
