// What every store of API keys promises, run against the SQLite one.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "opened_for_test.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;

TEST(ApiKeyStore, AKeyIsFoundByItsHashAndByNoOther) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  store.add_key(7, hash_of("a"));
  const auto known = store.keys.find(hash_of("a"));
  ASSERT_TRUE(known);
  EXPECT_EQ(known->id, 7u);
  EXPECT_EQ(known->app->id, "app_1");
  EXPECT_FALSE(store.keys.find(hash_of("b")));
}

TEST(ApiKeyStore, WhatWasCreatedIsThereAfterARestart) {
  const Folder folder;
  {
    Opened store(folder);
    store.add_app();
    store.add_key(7, hash_of("a"));
  }
  Opened store(folder);
  EXPECT_TRUE(store.keys.find(hash_of("a")));
  EXPECT_EQ(store.listed("app_1"), 1u);
  EXPECT_EQ(store.listed("app_2"), 0u);
}

// Rule api-key-revoked-at-once.
TEST(ApiKeyStore, ARevokedKeyIsNotFoundFromThenOnAndAfterARestart) {
  const Folder folder;
  {
    Opened store(folder);
    store.add_app();
    store.add_key(7, hash_of("a"));
    store.add_key(8, hash_of("b"));
    const auto revoked = store.revoke(7, "leaked");
    ASSERT_TRUE(revoked);
    EXPECT_EQ(revoked->revoked_reason, "leaked");
    EXPECT_FALSE(store.keys.find(hash_of("a")));
    EXPECT_TRUE(store.keys.find(hash_of("b")));
  }
  Opened store(folder);
  EXPECT_FALSE(store.keys.find(hash_of("a")));
  EXPECT_TRUE(store.keys.find(hash_of("b")));
}

TEST(ApiKeyStore, RevokingTwiceKeepsTheFirstTimeAndReason) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  store.add_key(7, hash_of("a"));
  const auto first = store.revoke(7, "leaked");
  store.clock.advance(1h);
  const auto second = store.revoke(7, "again");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->revoked_at, first->revoked_at);
  EXPECT_EQ(second->revoked_reason, "leaked");
}

TEST(ApiKeyStore, RevokingAnUnknownKeyIsNotFound) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  EXPECT_EQ(store.revoke(7, "").error().code, ErrorCode::not_found);
}

// Rule api-key-revoked-at-once.
TEST(ApiKeyStore, AnotherProcessFollowsCreationAndRevocation) {
  const Folder folder;
  Opened server(folder);
  server.add_app();
  Opened other(folder);
  other.add_key(7, hash_of("a"));
  EXPECT_TRUE(comes_true([&] { return server.keys.find(hash_of("a")).has_value(); }));
  ASSERT_TRUE(other.revoke(7, ""));
  EXPECT_TRUE(comes_true([&] { return !server.keys.find(hash_of("a")); }));
}

// Rule api-key-revoked-with-all-it-opened.
TEST(ApiKeyStore, ARevocationIsToldOnceAndRememberedAlsoAfterARestart) {
  const Folder folder;
  {
    Opened server(folder);
    server.add_app();
    server.add_key(7, hash_of("a"));
    server.add_key(8, hash_of("b"));
    std::atomic<int> told = 0;
    server.keys.on_revoked([&](std::span<const std::uint64_t> ids) {
      EXPECT_EQ(std::vector<std::uint64_t>(ids.begin(), ids.end()), std::vector<std::uint64_t>{7});
      EXPECT_TRUE(server.keys.is_revoked(7)) << "told only after it is refused";
      ++told;
    });
    Opened other(folder);
    ASSERT_TRUE(other.revoke(7, ""));
    EXPECT_TRUE(comes_true([&] { return told == 1; }));
    EXPECT_FALSE(server.keys.is_revoked(8));
    server.keys.on_revoked({});
  }
  Opened store(folder);
  EXPECT_TRUE(store.keys.is_revoked(7));
  EXPECT_FALSE(store.keys.is_revoked(8));
}

// Rule server-secret-rotates.
TEST(ApiKeyStore, ARehashedKeyIsFoundByItsNewHashOnly) {
  const Folder folder;
  {
    Opened store(folder);
    store.add_app();
    store.add_key(7, hash_of("old"));
    store.keys.rehash(7, hash_of("old"), hash_of("new"));
    EXPECT_TRUE(comes_true([&] { return !store.keys.find(hash_of("old")); }));
    EXPECT_TRUE(store.keys.find(hash_of("new")));
    ASSERT_TRUE(store.revoke(7, ""));
    EXPECT_FALSE(store.keys.find(hash_of("new")));
  }
  Opened store(folder);
  EXPECT_FALSE(store.keys.find(hash_of("old")));
  EXPECT_FALSE(store.keys.find(hash_of("new")));
}

rules::ApiKey a_key(std::uint64_t id) {
  rules::ApiKey key;
  key.id = id;
  key.app_id = "app_1";
  key.environment = rules::Environment::live;
  key.name = "k";
  key.ends = "av_live_abcd…wxyz";
  return key;
}

TEST(ApiKeyRecords, EveryColumnIsReadBackAndHoldsForWhoeverShowsTheKey) {
  const Folder folder;
  auto key = a_key(7);
  key.terms.scopes = {rules::Permission::tokens_mint, rules::Permission::keys_read};
  key.terms.networks = {*base::parse_network("192.0.2.0/24"),
                        *base::parse_network("2001:db8::/32")};
  key.terms.tier = "pro";
  key.terms.own_limit = rules::RateLimit{3, 5min, 9};
  key.expires_at = base::from_unix_seconds(1'800'000'000);
  key.created_by = "acc_1";
  key.hash_kind = rules::ApiKeyHashKind::imported;
  {
    Opened store(folder);
    store.add_app();
    key.created_at = store.clock.now();
    store.add_key(key, hash_of("a"));
  }
  Opened store(folder);
  const auto read = store.records.read(7);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->terms, key.terms);
  EXPECT_EQ(read->expires_at, key.expires_at);
  EXPECT_EQ(read->created_by, "acc_1");
  EXPECT_EQ(read->created_at, key.created_at);
  EXPECT_EQ(read->hash_kind, rules::ApiKeyHashKind::imported);
  const auto known = store.keys.find(hash_of("a"));
  ASSERT_TRUE(known);
  EXPECT_EQ(*known->terms, key.terms);
  EXPECT_EQ(known->expires_at, key.expires_at);
}

TEST(ApiKeyRecords, KeysWithTheSameTermsShareOneObject) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  store.add_key(a_key(7), hash_of("a"));
  auto other = a_key(8);
  other.expires_at = base::from_unix_seconds(1'800'000'000);
  store.add_key(other, hash_of("b"));
  auto different = a_key(9);
  different.terms.tier = "pro";
  store.add_key(different, hash_of("c"));
  EXPECT_EQ(store.keys.find(hash_of("a"))->terms, store.keys.find(hash_of("b"))->terms);
  EXPECT_NE(store.keys.find(hash_of("a"))->terms, store.keys.find(hash_of("c"))->terms);
}

// Rule api-key-frozen.
TEST(ApiKeyRecords, AFrozenKeyIsGoneAndToldOnceAndComesBackAlsoInAnotherProcess) {
  const Folder folder;
  Opened server(folder);
  server.add_app();
  server.add_key(a_key(7), hash_of("a"));
  std::atomic<int> told = 0;
  server.keys.on_revoked([&](std::span<const std::uint64_t>) { ++told; });
  Opened other(folder);
  for (int round = 1; round <= 2; ++round) {
    ASSERT_TRUE(
        other.records.freeze(7, other.clock.now(), "leaked", other.entry("api_key.freeze")));
    EXPECT_TRUE(comes_true([&] { return !server.keys.find(hash_of("a")); }));
    EXPECT_TRUE(comes_true([&] { return told == round; }));
    EXPECT_TRUE(server.keys.is_revoked(7));
    EXPECT_EQ(server.keys.look_up(hash_of("a"))->standing, rules::ApiKeyStanding::frozen);
    ASSERT_TRUE(other.records.unfreeze(by_operator, 7, other.entry("api_key.unfreeze")));
    EXPECT_TRUE(comes_true([&] { return server.keys.find(hash_of("a")).has_value(); }));
    EXPECT_TRUE(comes_true([&] { return !server.keys.is_revoked(7); }));
  }
  server.keys.on_revoked({});
}

// Rule api-key-frozen.
TEST(ApiKeyRecords, FreezingTwiceKeepsTheFirstAndARevokedKeyIsNeitherFrozenNorUnfrozen) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  store.add_key(a_key(7), hash_of("a"));
  ASSERT_TRUE(store.records.freeze(7, store.clock.now(), "first", store.entry("f")));
  const auto again = store.records.freeze(7, store.clock.now() + 1h, "second", store.entry("f"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->frozen_reason, "first");
  ASSERT_TRUE(store.revoke(7));
  EXPECT_EQ(store.records.freeze(7, store.clock.now(), "", store.entry("f")).error().code,
            ErrorCode::conflict);
  EXPECT_EQ(store.records.unfreeze(by_operator, 7, store.entry("u")).error().code,
            ErrorCode::conflict);
}

// Rule api-key-leak-frozen.
TEST(ApiKeyRecords, AReportThatIsSentAgainFreezesNoKeyThatWasUnfrozenAfterIt) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  store.add_key(a_key(7), hash_of("a"));
  const auto report = [&](std::string_view body) {
    const auto key = store.records.freeze_for_report(7, crypto::sha256(body), store.clock.now(),
                                                     "leaked", store.entry("api_key.freeze"));
    EXPECT_TRUE(key);
    return key && key->frozen_at;
  };
  EXPECT_TRUE(report("one"));
  EXPECT_TRUE(report("one"));
  ASSERT_TRUE(store.records.unfreeze(by_operator, 7, store.entry("u")));
  const auto audited = store.audited();
  EXPECT_FALSE(report("one"));
  EXPECT_EQ(store.audited(), audited);
  EXPECT_TRUE(report("another")) << "another leak is another report";
}

// Rule api-key-rotated-with-grace.
TEST(ApiKeyRecords, ARotationEndsTheOldKeyAlsoUnderItsHashOfAnOlderServerSecret) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  store.add_key(a_key(7), hash_of("old secret"));
  {
    // Another process moves the key to its new hash; here it may still stand under the old one.
    Opened other(folder);
    other.keys.rehash(7, hash_of("old secret"), hash_of("new secret"));
    EXPECT_TRUE(comes_true([&] { return store.keys.find(hash_of("new secret")).has_value(); }));
  }
  const rules::Retirement retirement{.now = store.clock.now(), .grace = 60s};
  const auto old = store.records.rotate(by_operator, 7, retirement,
                                        {a_key(8), hash_of("b"), store.entry("api_key.rotate")});
  ASSERT_TRUE(old);
  EXPECT_EQ(old->replaced_by, 8u);
  for (const auto* hash : {"old secret", "new secret"}) {
    const auto known = store.keys.find(hash_of(hash));
    if (known) {
      EXPECT_EQ(known->expires_at, store.clock.now() + 60s) << hash;
    }
  }
  EXPECT_TRUE(store.keys.find(hash_of("b")));
  EXPECT_EQ(
      store.records.rotate(by_operator, 7, retirement, {a_key(9), hash_of("c"), store.entry("r")})
          .error()
          .code,
      ErrorCode::conflict);
  EXPECT_FALSE(store.keys.find(hash_of("c"))) << "a refused rotation makes nothing";
}

// Rule api-key-rotated-with-grace.
TEST(ApiKeyRecords, RotatingAllLeavesNoKeyThatNobodyRotated) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  for (std::uint64_t id = 1; id <= 5; ++id) store.add_key(a_key(id), hash_of(std::to_string(id)));
  auto test = a_key(6);
  test.environment = rules::Environment::test;
  store.add_key(test, hash_of("6"));
  ASSERT_TRUE(store.revoke(1));
  ASSERT_TRUE(store.records.freeze(2, store.clock.now(), "", store.entry("f")));
  ASSERT_TRUE(store.records.rotate(by_operator, 3, {.now = store.clock.now(), .grace = 24h},
                                   {a_key(30), hash_of("30"), store.entry("r")}));
  const auto make = [&](const rules::ApiKey& old) -> base::Result<rules::NewApiKey> {
    return rules::NewApiKey{a_key(old.id + 100), hash_of(std::to_string(old.id + 100)),
                            store.entry("r")};
  };
  const auto rotated = store.records.rotate_all(by_operator, "app_1", rules::Environment::live,
                                                {.now = store.clock.now(), .grace = 60s}, make,
                                                store.entry("app.rotate_keys"));
  ASSERT_TRUE(rotated);
  EXPECT_EQ(rotated->left, 0);
  EXPECT_EQ(rotated->old_and_new.size(), 4u) << "3 (replaced before), 4, 5 and 30";
  for (const auto* old : {"3", "4", "5", "30"})
    EXPECT_EQ(store.keys.find(hash_of(old))->expires_at, store.clock.now() + 60s) << old;
  for (const auto* fresh : {"104", "105", "130", "6"}) EXPECT_TRUE(store.keys.find(hash_of(fresh)));
  EXPECT_FALSE(store.keys.find(hash_of("103"))) << "it had its successor already";
}

// Rule api-key-rotated-all.
TEST(ApiKeyRecords, RotatingAllRetiresFrozenKeysTooSoThatNoUnfreezingBringsOneBack) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  for (std::uint64_t id = 1; id <= 2; ++id) store.add_key(a_key(id), hash_of(std::to_string(id)));
  const auto rotate_all = [&](std::chrono::seconds grace) {
    const auto make = [&](const rules::ApiKey& old) -> base::Result<rules::NewApiKey> {
      return rules::NewApiKey{a_key(old.id + 100), hash_of(std::to_string(old.id + 100)),
                              store.entry("r")};
    };
    return store.records.rotate_all(by_operator, "app_1", rules::Environment::live,
                                    {.now = store.clock.now(), .grace = grace}, make,
                                    store.entry("app.rotate_keys"));
  };
  ASSERT_TRUE(store.records.freeze(2, store.clock.now(), "", store.entry("f")));
  const auto rotated = rotate_all(60s);
  ASSERT_TRUE(rotated);
  EXPECT_EQ(rotated->frozen, std::vector<std::uint64_t>{2});
  EXPECT_EQ(rotated->left, 0);
  EXPECT_FALSE(store.keys.find(hash_of("102")));
  ASSERT_TRUE(store.records.unfreeze(by_operator, 2, store.entry("u")));
  EXPECT_EQ(store.keys.find(hash_of("2"))->expires_at, store.clock.now() + 60s);
  ASSERT_TRUE(store.records.freeze(2, store.clock.now(), "", store.entry("f")));
  ASSERT_TRUE(rotate_all(0s));
  EXPECT_EQ(store.records.unfreeze(by_operator, 2, store.entry("u")).error().code,
            ErrorCode::conflict);
}

// Rule api-key-maker-in-good-standing.
TEST(ApiKeyRecords, AMakerThatEndedMeanwhileMakesAndGivesBackNothing) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  for (std::uint64_t id = 1; id <= 5; ++id) store.add_key(a_key(id), hash_of(std::to_string(id)));
  auto expiring = a_key(6);
  expiring.expires_at = store.clock.now() + 1s;
  store.add_key(expiring, hash_of("6"));
  ASSERT_TRUE(store.records.freeze(4, store.clock.now(), "", store.entry("f")));
  ASSERT_TRUE(store.revoke(2));
  ASSERT_TRUE(store.records.freeze(3, store.clock.now(), "", store.entry("f")));
  store.clock.advance(1s);
  const rules::MadeByPerson nobody{"acc_1", "ws_1", rules::Role::admin};
  for (const rules::ApiKeyMaker& maker :
       {rules::ApiKeyMaker(rules::MadeByKey{2}), rules::ApiKeyMaker(rules::MadeByKey{3}),
        rules::ApiKeyMaker(rules::MadeByKey{6}), rules::ApiKeyMaker(rules::MadeByKey{99}),
        rules::ApiKeyMaker(nobody)}) {
    const auto code = std::holds_alternative<rules::MadeByPerson>(maker)
                          ? ErrorCode::forbidden
                          : ErrorCode::unauthenticated;
    auto made = a_key(50);
    made.created_at = store.clock.now();
    const rules::NewApiKey child{made, hash_of("child"), store.entry("c")};
    const rules::Retirement retirement{.now = store.clock.now(), .grace = 60s};
    const auto make = [&](const rules::ApiKey&) -> base::Result<rules::NewApiKey> { return child; };
    EXPECT_EQ(store.records.create(maker, {child}).error().code, code);
    EXPECT_EQ(store.records.rotate(maker, 5, retirement, child).error().code, code);
    EXPECT_EQ(store.records
                  .rotate_all(maker, "app_1", rules::Environment::live, retirement, make,
                              store.entry("a"))
                  .error()
                  .code,
              code);
    EXPECT_EQ(store.records.unfreeze(maker, 4, store.entry("u")).error().code, code);
    EXPECT_EQ(store.records.record(maker, store.entry("m")).error().code, code);
    EXPECT_FALSE(store.keys.find(hash_of("child")));
  }
  const auto audited = store.audited();
  EXPECT_TRUE(store.records.record(rules::MadeByKey{5}, store.entry("m")));
  EXPECT_EQ(store.audited().size(), audited.size() + 1);
  EXPECT_EQ(store.records.read(5)->replaced_by, std::nullopt);
}

// Rules api-key-never-stronger and api-key-maker-in-good-standing.
TEST(ApiKeyRecords, NothingOutlivesAMakerThatWasRotatedMeanwhile) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  for (std::uint64_t id = 1; id <= 3; ++id) store.add_key(a_key(id), hash_of(std::to_string(id)));
  ASSERT_TRUE(store.records.freeze(3, store.clock.now(), "", store.entry("f")));
  const rules::Retirement retirement{.now = store.clock.now(), .grace = 60s};
  const auto end = retirement.end_of(std::nullopt);
  const auto child = [&](std::uint64_t id, std::optional<base::Instant> expires_at) {
    auto key = a_key(id);
    key.expires_at = expires_at;
    return rules::NewApiKey{key, hash_of(std::to_string(id)), store.entry("c")};
  };
  // The thief's key, as it was admitted without an end; its owner rotates it first.
  const rules::MadeByKey thief{1};
  ASSERT_TRUE(store.records.rotate(by_operator, 1, retirement, child(10, std::nullopt)));
  const auto audited = store.audited();
  for (const auto too_late : {std::optional<base::Instant>(), std::optional(end + 1s)}) {
    const auto one = child(20, too_late);
    const auto make = [&](const rules::ApiKey&) -> base::Result<rules::NewApiKey> { return one; };
    EXPECT_EQ(store.records.create(thief, {child(19, end), one}).error().code,
              ErrorCode::forbidden);
    EXPECT_EQ(store.records.rotate(thief, 2, retirement, one).error().code, ErrorCode::forbidden);
    EXPECT_EQ(store.records
                  .rotate_all(thief, "app_1", rules::Environment::live, retirement, make,
                              store.entry("a"))
                  .error()
                  .code,
              ErrorCode::forbidden);
  }
  EXPECT_EQ(store.records.unfreeze(thief, 3, store.entry("u")).error().code, ErrorCode::forbidden);
  EXPECT_EQ(store.audited(), audited);
  EXPECT_FALSE(store.keys.find(hash_of("19")));
  EXPECT_TRUE(store.records.create(thief, {child(21, end)}));
  EXPECT_TRUE(store.records.rotate(thief, 2, retirement, child(22, end)));
}

// Rule api-key-rotated-all.
TEST(ApiKeyRecords, AKeyRotatesAllOfItsAppWithItself) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  for (std::uint64_t id = 1; id <= 3; ++id) store.add_key(a_key(id), hash_of(std::to_string(id)));
  const auto make = [&](const rules::ApiKey& old) -> base::Result<rules::NewApiKey> {
    const auto id = old.id + 100;
    return rules::NewApiKey{a_key(id), hash_of(std::to_string(id)), store.entry("r")};
  };
  const auto rotated = store.records.rotate_all(
      rules::MadeByKey{1}, "app_1", rules::Environment::live,
      {.now = store.clock.now(), .grace = 60s}, make, store.entry("app.rotate_keys"));
  ASSERT_TRUE(rotated) << rotated.error().detail;
  EXPECT_EQ(rotated->old_and_new.size(), 3u);
  EXPECT_EQ(rotated->left, 0);
}

// Rule api-key-maker-in-good-standing.
TEST(ApiKeyRecords, APersonMakesKeysWhileTheirRoleIsNoLowerThanItWas) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  const auto become = [&](rules::Role role) {
    ASSERT_TRUE(store.writer.run([&](SqliteDatabase& database) {
      return database.execute(
          "INSERT OR IGNORE INTO accounts VALUES ('acc_1', 'e', 'e', 0, '', '', '', '', 1, 0, 1);"
          "INSERT OR REPLACE INTO members VALUES ('ws_1', 'acc_1', " +
          std::to_string(static_cast<int>(role)) + ", 0, NULL, 1)");
    }));
  };
  const auto outcome = [&](std::uint64_t id) {
    return store.records
        .create(rules::MadeByPerson{"acc_1", "ws_1", rules::Role::admin},
                {{a_key(id), hash_of(std::to_string(id)), store.entry("c")}})
        .has_value();
  };
  become(rules::Role::admin);
  EXPECT_TRUE(outcome(1));
  become(rules::Role::owner);
  EXPECT_TRUE(outcome(2));
  become(rules::Role::developer);
  EXPECT_FALSE(outcome(3));
}

TEST(ApiKeyRecords, AFailedRotationOfAllChangesNothing) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  for (std::uint64_t id = 1; id <= 3; ++id) store.add_key(a_key(id), hash_of(std::to_string(id)));
  const auto audited = store.audited();
  int made = 0;
  const auto make = [&](const rules::ApiKey& old) -> base::Result<rules::NewApiKey> {
    if (++made == 3) return base::fail(ErrorCode::forbidden, "stronger");
    return rules::NewApiKey{a_key(old.id + 100), hash_of(std::to_string(old.id + 100)),
                            store.entry("r")};
  };
  EXPECT_EQ(store.records
                .rotate_all(by_operator, "app_1", rules::Environment::live,
                            {.now = store.clock.now()}, make, store.entry("app.rotate_keys"))
                .error()
                .code,
            ErrorCode::forbidden);
  EXPECT_EQ(store.listed("app_1"), 3u);
  EXPECT_TRUE(store.keys.find(hash_of("1")));
  EXPECT_EQ(store.audited(), audited);
}

TEST(ApiKeyRecords, AListIsGivenInPagesEachKeyOnce) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  for (std::uint64_t id = 1; id <= 25; ++id) {
    auto key = a_key(id);
    key.created_at = store.clock.now() + std::chrono::milliseconds(id / 4);  // some at one time
    if (id % 5 == 0) key.environment = rules::Environment::test;
    store.add_key(key, hash_of(std::to_string(id)));
  }
  rules::ApiKeyQuery query;
  query.app_id = "app_1";
  query.environment = rules::Environment::live;
  query.count_max = 7;
  std::vector<std::uint64_t> ids;
  int pages = 0;
  do {
    const auto page = store.records.list(query);
    ASSERT_TRUE(page);
    EXPECT_LE(page->keys.size(), 7u);
    for (const auto& key : page->keys) ids.push_back(key.id);
    query.after = page->next;
    ++pages;
  } while (query.after);
  EXPECT_EQ(pages, 3);
  std::ranges::sort(ids);
  EXPECT_EQ(ids.size(), 20u);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

// Rule api-key-imported-hashes.
TEST(ApiKeyRecords, OfManyKeysEitherAllAreCreatedOrNone) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  store.add_key(a_key(1), hash_of("known"));
  const auto audited = store.audited();
  EXPECT_EQ(store.records
                .create(by_operator, {{a_key(2), hash_of("new"), store.entry("api_key.import")},
                                      {a_key(3), hash_of("known"), store.entry("api_key.import")}})
                .error()
                .code,
            ErrorCode::conflict);
  EXPECT_FALSE(store.keys.find(hash_of("new")));
  EXPECT_EQ(store.audited(), audited);
}

TEST(ApiKeyRecords, EveryChangeIsAuditedInItsOwnTransaction) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  store.add_key(a_key(7), hash_of("a"));
  ASSERT_TRUE(store.records.freeze(7, store.clock.now(), "", store.entry("api_key.freeze")));
  ASSERT_TRUE(store.records.unfreeze(by_operator, 7, store.entry("api_key.unfreeze")));
  ASSERT_TRUE(store.revoke(7));
  EXPECT_FALSE(store.revoke(8)) << "what did not happen is not in the log";
  EXPECT_EQ(store.audited(), (std::vector<std::string>{"api_key.create", "api_key.freeze",
                                                       "api_key.unfreeze", "api_key.revoke"}));
}

TEST(ApiKeyRecords, TheBlastRadiusOfAKeyIsWhatItTouchedAndNothingElse) {
  const Folder folder;
  Opened store(folder);
  store.add_app();
  const auto key = store.add_key(a_key(7), hash_of("a"));
  auto made = a_key(8);
  made.created_by = rules::api_key_id_text(7);
  store.add_key(made, hash_of("b"));
  auto other = SqliteDatabase::open(folder.file("store.db"), SqliteDatabase::Mode::must_exist);
  ASSERT_TRUE(other->execute(
      "INSERT INTO api_key_uses VALUES (7, 1795000000000, '192.0.2.7', 12), (8, 1, 'x', 99);"
      "INSERT INTO api_key_networks VALUES (7, '192.0.2.7', 1, 2, 12), (8, 'x', 1, 2, 99);"
      "INSERT INTO sessions (id, token_id, workspace_id, app_id, environment, api_key_id, "
      "end_user_id, avatar_id, dialect, peer, began_at, last_seen_at, ended_at) VALUES "
      "('s1', x'00', 'ws_1', 'app_1', 0, 7, 'u', 'a', 'spatius', '192.0.2.9', 1, 1, NULL), "
      "('s2', x'00', 'ws_1', 'app_1', 0, 7, '', 'a', 'spatius', '192.0.2.9', 2, 2, 3), "
      "('s3', x'00', 'ws_1', 'app_1', 0, 8, '', 'a', 'spatius', '192.0.2.9', 2, 2, 3)"));
  const auto radius = store.records.blast_radius(key);
  ASSERT_TRUE(radius);
  EXPECT_EQ(radius->calls, 12);
  EXPECT_EQ(radius->network_count, 1);
  EXPECT_EQ(radius->networks.front().address, "192.0.2.7");
  EXPECT_EQ(radius->session_count, 2);
  EXPECT_EQ(radius->live_session_count, 1);
  EXPECT_EQ(radius->sessions.front().id, "s2") << "the newest first";
  EXPECT_EQ(radius->keys_made, std::vector<std::uint64_t>{8});
  EXPECT_EQ(radius->app_ids, std::vector<std::string>{"app_1"});
}

}  // namespace
}  // namespace stagedoor::store
