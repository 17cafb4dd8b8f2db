// Managing API keys, over the rules and keys in memory.
#include <gtest/gtest.h>

#include <map>

#include "actions/authenticate_api_key.h"
#include "actions/key_verbs.h"
#include "actions/keys_for_test.h"
#include "base/text.h"
#include "crypto/random.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::Environment;
using namespace std::chrono_literals;

const base::Address here = *base::parse_address("192.0.2.7");

class Book : public rules::Catalog {
 public:
  const rules::App* app(std::string_view id) const override {
    const auto found = apps.find(id);
    return found == apps.end() ? nullptr : &found->second;
  }
  std::optional<rules::Avatar> avatar(std::string_view) const override { return std::nullopt; }
  std::map<std::string, rules::App, std::less<>> apps = {
      {"app_1", {.id = "app_1", .workspace_id = "ws_1", .name = "one", .limits = {}}},
      {"app_2", {.id = "app_2", .workspace_id = "ws_1", .name = "two", .limits = {}}}};
};

// A world with one key of app_1 that may do everything.
struct World {
  World() { key = text_of(make(KeyManager::of_operator(), wish())); }

  static KeyWish wish() {
    KeyWish wish;
    wish.name = "k";
    return wish;
  }
  base::Result<CreatedApiKey> make(const KeyManager& manager, KeyWish wish,
                                   Environment environment = Environment::test,
                                   std::string app = "app_1") {
    return verbs.create(manager, {std::move(app), environment, std::move(wish)});
  }
  static std::string text_of(const base::Result<CreatedApiKey>& created) {
    EXPECT_TRUE(created) << (created ? "" : created.error().hint);
    return created ? std::string(created->text.secret().expose()) : "";
  }
  KeyManager as(std::string_view text) {
    return KeyManager::of(*authenticate(text, here), {"192.0.2.7", "req-1"});
  }
  std::uint64_t id_of(std::string_view text) { return authenticate(text, here)->api_key_id(); }
  bool works(std::string_view text) { return authenticate(text, here).has_value(); }

  Book book;
  KeysForTest keys{book};
  base::ManualClock clock{base::from_unix_seconds(1'795'000'000)};
  crypto::SystemRandom random;
  rules::ApiKeyHasher hasher = [] {
    std::vector<crypto::HmacKey> list;
    list.emplace_back(base::Secret(std::string_view("pepper")));
    return rules::ApiKeyHasher(std::move(list));
  }();
  rules::RateTiers tiers{{"free", {10, 60s, 20}}, {"pro", {300, 60s, 600}}};
  AuthenticateApiKey authenticate{{keys, hasher, clock}, {}};
  KeyVerbs verbs{{book, keys, hasher, tiers, clock, random}};
  std::string key;
};

// Rule api-key-expiry.
TEST(ApiKeyExpiry, AKeyWorksUntilItsExpiryAndIsThenRefusedLikeAnUnknownOne) {
  World w;
  auto wish = World::wish();
  wish.expires_at = w.clock.now() + 60s;
  const auto key = World::text_of(w.make(w.as(w.key), wish));
  w.clock.advance(60s - 1ms);
  EXPECT_TRUE(w.works(key));
  w.clock.advance(1ms);
  const auto refused = w.authenticate(key, here);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(refused.error().hint, "");
}

// Rule api-key-expiry.
TEST(ApiKeyExpiry, OneThatHasPassedOrIsTooFarOffIsRefused) {
  World w;
  auto wish = World::wish();
  for (const auto expiry :
       {w.clock.now(), w.clock.now() - 1s, base::from_unix_seconds(1ll << 32)}) {
    wish.expires_at = expiry;
    EXPECT_EQ(w.make(KeyManager::of_operator(), wish).error().code, ErrorCode::malformed);
  }
}

// Rule api-key-networks.
TEST(ApiKeyNetworks, AKeyIsRefusedFromWhereItIsNotFor) {
  World w;
  auto wish = World::wish();
  wish.networks = {"198.51.100.0/24", "2001:db8::/32"};
  const auto key = World::text_of(w.make(KeyManager::of_operator(), wish));
  for (const auto* from : {"198.51.100.77", "2001:db8:1::1"})
    EXPECT_TRUE(w.authenticate(key, *base::parse_address(from))) << from;
  for (const auto* from : {"198.51.101.1", "192.0.2.7", "2001:db9::1", "::1"}) {
    const auto refused = w.authenticate(key, *base::parse_address(from));
    ASSERT_FALSE(refused) << from;
    EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
  }
}

TEST(ApiKeyNetworks, WhatIsNoNetworkIsNamed) {
  World w;
  auto wish = World::wish();
  wish.networks = {"192.0.2.1/24"};
  const auto refused = w.make(KeyManager::of_operator(), wish);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().hint.find("192.0.2.1/24"), std::string::npos);
}

// Rule api-key-frozen.
TEST(FreezeApiKey, AFrozenKeyIsRefusedLikeAnUnknownOneAndComesBack) {
  World w;
  const auto key = World::text_of(w.make(w.as(w.key), World::wish()));
  const auto id = w.id_of(key);
  ASSERT_TRUE(w.verbs.freeze(w.as(w.key), id, "seen on a screen"));
  const auto unknown = rules::ApiKeyText::make(Environment::test, w.random);
  const auto refused = w.authenticate(key, here);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, w.authenticate(unknown.secret().expose(), here).error().detail);
  EXPECT_TRUE(w.keys.is_revoked(id)) << "what it has opened ends too";
  ASSERT_TRUE(w.verbs.unfreeze(w.as(w.key), id));
  EXPECT_TRUE(w.works(key));
  EXPECT_FALSE(w.keys.is_revoked(id));
}

// Rule api-key-never-stronger.
TEST(CreateApiKey, AKeyThatNamesNothingIsAsStrongAsItsMaker) {
  World w;
  auto wish = World::wish();
  wish.scopes = {"keys:*", "tokens:mint"};
  wish.networks = {"192.0.2.0/24"};
  wish.expires_at = w.clock.now() + 1h;
  wish.own_limit = rules::RateLimit{5, 60s, 5};
  const auto weak = World::text_of(w.make(KeyManager::of_operator(), wish));
  const auto made = w.make(w.as(weak), World::wish());
  ASSERT_TRUE(made);
  EXPECT_EQ(made->key.terms.scopes, *rules::read_scopes(*wish.scopes));
  EXPECT_EQ(made->key.terms.networks.size(), 1u);
  EXPECT_EQ(made->key.terms.own_limit, wish.own_limit);
  EXPECT_EQ(made->key.expires_at, wish.expires_at);
  EXPECT_EQ(made->key.created_by, rules::api_key_id_text(w.id_of(weak)));
}

// Rule api-key-never-stronger.
TEST(CreateApiKey, AWeakKeyMakesRotatesAndUnfreezesNoStrongerOne) {
  World w;
  auto wish = World::wish();
  wish.scopes = {"keys:*"};
  const auto weak = World::text_of(w.make(KeyManager::of_operator(), wish));
  auto more = World::wish();
  more.scopes = {"keys:*", "tokens:mint"};
  EXPECT_EQ(w.make(w.as(weak), more).error().code, ErrorCode::forbidden);
  more.scopes = {"keys:*"};
  more.tier = "pro";
  EXPECT_EQ(w.make(w.as(weak), more).error().code, ErrorCode::forbidden);
  const auto strong = w.id_of(w.key);
  const auto before = w.keys.by_hash.size();
  EXPECT_EQ(w.verbs.rotate(w.as(weak), {.id = strong, .grace = 0s, .expires_at = {}}).error().code,
            ErrorCode::forbidden);
  EXPECT_EQ(w.verbs.rotate_app(w.as(weak), {"app_1", Environment::test, 0s}).error().code,
            ErrorCode::forbidden);
  const auto manager = w.as(weak);
  ASSERT_TRUE(w.verbs.freeze(manager, strong, ""));
  EXPECT_EQ(w.verbs.unfreeze(manager, strong).error().code, ErrorCode::forbidden);
  EXPECT_EQ(w.keys.by_hash.size(), before) << "nothing was made";
}

// Rule api-key-live-and-test-apart.
TEST(KeyManager, AKeySeesOnlyKeysOfItsOwnAppAndEnvironment) {
  World w;
  const auto other_app =
      w.make(KeyManager::of_operator(), World::wish(), Environment::test, "app_2");
  const auto live = w.make(KeyManager::of_operator(), World::wish(), Environment::live);
  ASSERT_TRUE(other_app && live);
  const auto manager = w.as(w.key);
  const auto nothing = w.verbs.read.one(manager, 12345).error();
  for (const auto id : {other_app->key.id, live->key.id}) {
    for (const auto& refused : {w.verbs.read.one(manager, id), w.verbs.freeze(manager, id, ""),
                                w.verbs.unfreeze(manager, id), w.verbs.revoke(manager, id, "")}) {
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, nothing.code);
      EXPECT_EQ(refused.error().hint, nothing.hint) << "as for a key that does not exist";
    }
  }
  EXPECT_EQ(w.make(manager, World::wish(), Environment::test, "app_2").error().hint,
            w.make(manager, World::wish(), Environment::test, "app_9").error().hint);
  EXPECT_EQ(w.make(manager, World::wish(), Environment::live).error().code, ErrorCode::forbidden);
}

// Rule api-key-rotated-with-grace.
TEST(RotateApiKey, BothKeysWorkDuringTheGraceAndTheOldOneNotAfter) {
  World w;
  const auto old_id = w.id_of(w.key);
  const auto rotated = w.verbs.rotate(w.as(w.key), {.id = old_id, .grace = 1h, .expires_at = {}});
  ASSERT_TRUE(rotated);
  const auto successor = std::string(rotated->successor.text.secret().expose());
  EXPECT_EQ(rotated->old.replaced_by, rotated->successor.key.id);
  w.clock.advance(1h - 1s);
  EXPECT_TRUE(w.works(w.key));
  EXPECT_TRUE(w.works(successor));
  w.clock.advance(1s);
  EXPECT_FALSE(w.works(w.key));
  EXPECT_TRUE(w.works(successor));
}

// Rule api-key-rotated-with-grace.
TEST(RotateApiKey, AGraceNeverReachesPastTheOldKeysExpiryAndWithoutGraceItIsRevoked) {
  World w;
  auto wish = World::wish();
  wish.expires_at = w.clock.now() + 10min;
  const auto key = World::text_of(w.make(w.as(w.key), wish));
  const auto graced =
      w.verbs.rotate(w.as(w.key), {.id = w.id_of(key), .grace = 1h, .expires_at = {}});
  ASSERT_TRUE(graced);
  EXPECT_EQ(graced->old.expires_at, wish.expires_at);
  const auto other = World::text_of(w.make(w.as(w.key), World::wish()));
  const auto at_once =
      w.verbs.rotate(w.as(w.key), {.id = w.id_of(other), .grace = 0s, .expires_at = {}});
  ASSERT_TRUE(at_once);
  EXPECT_FALSE(w.works(other));
  EXPECT_EQ(at_once->old.revoked_at, w.clock.now());
}

// Rule api-key-self-revoke.
TEST(RevokeApiKey, AKeyThatMayDoNothingElseRevokesItself) {
  World w;
  auto wish = World::wish();
  wish.scopes = {"tts:speak"};
  const auto key = World::text_of(w.make(KeyManager::of_operator(), wish));
  const auto caller = w.authenticate(key, here);
  ASSERT_TRUE(caller);
  ASSERT_TRUE(w.verbs.revoke.by_holder(*caller, {}, "key_compromise"));
  EXPECT_FALSE(w.works(key));
  EXPECT_TRUE(w.works(w.key)) << "and no other";
}

ImportApiKeys::Item foreign(std::string sha256, std::string ends) {
  ImportApiKeys::Item item;
  item.sha256 = std::move(sha256);
  item.ends = std::move(ends);
  item.wish = World::wish();
  return item;
}

// Rule api-key-imported-hashes.
TEST(ImportApiKeys, AnImportedKeyWorksByItsOwnText) {
  World w;
  const auto sha256 = base::hex(crypto::sha256("acme_3ZfQpW"));
  const ImportApiKeys::Request request{"", {}, {foreign(sha256, "acme_3Zf…")}};
  const auto imported = w.verbs.import(w.as(w.key), request);
  ASSERT_TRUE(imported);
  EXPECT_EQ(imported->front().ends, "acme_3Zf…");
  EXPECT_TRUE(w.works("acme_3ZfQpW"));
  EXPECT_FALSE(w.works("acme_3ZfQpX"));
  EXPECT_FALSE(w.works(sha256)) << "the hash is no key";
  for (const auto& [hash, key] : w.keys.by_hash)
    EXPECT_NE(base::hex(hash), sha256) << "what is kept tests no guess";
  EXPECT_EQ(w.verbs.import(w.as(w.key), request).error().code, ErrorCode::conflict);
}

// Rule api-key-imported-hashes.
TEST(ImportApiKeys, AFrozenOrUnknownForeignTextIsToldTheSame) {
  World w;
  const auto sha256 = base::hex(crypto::sha256("acme_3ZfQpW"));
  const auto imported = w.verbs.import(w.as(w.key), {"", {}, {foreign(sha256, "")}});
  ASSERT_TRUE(w.verbs.freeze(w.as(w.key), imported->front().id, ""));
  EXPECT_EQ(w.authenticate("acme_3ZfQpW", here).error().hint,
            w.authenticate("acme_never", here).error().hint);
}

TEST(KeyVerbs, EveryChangeHasItsAuditEntryWithoutTheKey) {
  World w;
  const auto id = w.id_of(w.key);
  const auto manager = w.as(w.key);
  (void)w.verbs.rotate(manager, {.id = id, .grace = 1h, .expires_at = {}});
  (void)w.verbs.freeze(manager, id, "why");
  (void)w.verbs.unfreeze(manager, id);
  (void)w.verbs.revoke(manager, id, "over");
  std::vector<std::string> actions;
  for (const auto& entry : w.keys.entries) {
    if (actions.empty() || actions.back() != entry.action) actions.push_back(entry.action);
    EXPECT_EQ(entry.workspace_id, "ws_1");
    EXPECT_EQ(entry.detail.find(w.key), std::string::npos);
  }
  EXPECT_EQ(actions, (std::vector<std::string>{"api_key.create", "api_key.rotate", "api_key.freeze",
                                               "api_key.unfreeze", "api_key.revoke"}));
}

}  // namespace
}  // namespace stagedoor::actions
