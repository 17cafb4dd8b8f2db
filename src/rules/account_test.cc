#include "rules/account.h"

#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "base/text.h"
#include "crypto/random.h"
#include "rules/people_keys.h"
#include "rules/server_secret.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

const base::Instant noon = base::from_unix_seconds(1'795'000'000);

// Rule account-one-per-email.
TEST(Email, TheCaseOfItsLettersDoesNotTellTwoApart) {
  const auto email = read_email("Ada.Lovelace@Example.COM");
  ASSERT_TRUE(email);
  EXPECT_EQ(email->text, "Ada.Lovelace@Example.COM");
  EXPECT_EQ(email->key, "ada.lovelace@example.com");
}

TEST(Email, WhatIsNoneIsRefusedWithTheReason) {
  for (const auto text :
       {"", "ada", "@example.com", "ada@", "a@b@c", "ada @example.com", "ada@exa\nmple.com",
        "ada@.example.com", "ada@example.com.", "ada@example..com"}) {
    const auto email = read_email(text);
    ASSERT_FALSE(email) << text;
    EXPECT_EQ(email.error().code, ErrorCode::malformed);
    EXPECT_FALSE(email.error().hint.empty());
  }
  EXPECT_FALSE(read_email(std::string(65, 'a') + "@example.com"));
  EXPECT_FALSE(read_email("ada@" + std::string(251, 'e')));
  EXPECT_FALSE(read_email(std::string("ada\0@example.com", 16)));
}

// Rule account-external-id.
TEST(Account, SomebodyFromElsewhereHasTheSameIdAlwaysAndNobodyElseHasIt) {
  const auto id = account_id_of("https://issuer", "ada");
  EXPECT_EQ(id, account_id_of("https://issuer", "ada"));
  EXPECT_TRUE(id.starts_with("acc_"));
  EXPECT_EQ(id.size(), 24u);
  EXPECT_NE(id, account_id_of("https://issuera", "da"));
  EXPECT_NE(id, account_id_of("https://issuer", "ade"));
}

// Rule role-permissions.
TEST(Roles, EachMayWhatTheOneBelowMayAndMore) {
  const auto viewer = permissions_of(Role::viewer), developer = permissions_of(Role::developer);
  const auto admin = permissions_of(Role::admin), owner = permissions_of(Role::owner);
  EXPECT_TRUE(developer.covers(viewer));
  EXPECT_TRUE(admin.covers(developer));
  EXPECT_TRUE(owner.covers(admin));
  EXPECT_EQ(owner, Permissions::of_bits(~0u));
  EXPECT_FALSE(admin.has(Permission::workspace_write));
  EXPECT_FALSE(developer.has(Permission::keys_write));
  EXPECT_FALSE(developer.has(Permission::members_write));
}

// Rule role-permissions.
TEST(Roles, AViewerChangesNothingAndDoesNotSeeTheAuditLog) {
  const auto viewer = permissions_of(Role::viewer);
  for (const auto& name : scopes_of(viewer)) EXPECT_TRUE(name.ends_with(":read")) << name;
  EXPECT_FALSE(viewer.has(Permission::audit_read));
}

// Rule member-role-ceiling.
TEST(Roles, NobodyGivesARoleAboveTheirOwn) {
  for (const auto by : {Role::viewer, Role::developer, Role::admin, Role::owner})
    for (const auto given : {Role::viewer, Role::developer, Role::admin, Role::owner})
      EXPECT_EQ(check_may_give(by, given).has_value(), given <= by);
}

ErrorCode refusal(const RoleChange& change) {
  const auto may = check_role_change(change);
  return may ? ErrorCode{} : may.error().code;
}
bool is_allowed(const RoleChange& change) {
  return check_role_change(change).has_value();
}

// Rule member-role-ceiling.
TEST(Roles, AnAdminChangesNoOwnerAndMakesNone) {
  const auto other = Whose::of_another;
  EXPECT_EQ(refusal({Role::admin, other, Role::owner, Role::viewer, 2}), ErrorCode::forbidden);
  EXPECT_EQ(refusal({Role::admin, other, Role::owner, std::nullopt, 2}), ErrorCode::forbidden);
  EXPECT_EQ(refusal({Role::admin, other, Role::viewer, Role::owner, 2}), ErrorCode::forbidden);
  EXPECT_EQ(refusal({Role::admin, Whose::own, Role::admin, Role::owner, 2}), ErrorCode::forbidden);
  EXPECT_TRUE(is_allowed({Role::admin, other, Role::viewer, Role::admin, 1}));
  EXPECT_TRUE(is_allowed({Role::admin, other, Role::admin, std::nullopt, 1}));
}

// Rule member-role-ceiling.
TEST(Roles, WhoMayNotChangeMembersMayStillLeave) {
  for (const auto role : {Role::viewer, Role::developer}) {
    EXPECT_EQ(refusal({role, Whose::of_another, Role::viewer, std::nullopt, 1}),
              ErrorCode::forbidden);
    EXPECT_EQ(refusal({role, Whose::own, role, Role::viewer, 1}), ErrorCode::forbidden);
    EXPECT_TRUE(is_allowed({role, Whose::own, role, std::nullopt, 1}));
  }
}

// Rule member-last-owner.
TEST(Roles, TheLastOwnerIsNotRemovedDemotedOrLetGo) {
  for (const auto whose : {Whose::own, Whose::of_another}) {
    EXPECT_EQ(refusal({Role::owner, whose, Role::owner, std::nullopt, 1}), ErrorCode::conflict);
    EXPECT_EQ(refusal({Role::owner, whose, Role::owner, Role::admin, 1}), ErrorCode::conflict);
    EXPECT_TRUE(is_allowed({Role::owner, whose, Role::owner, std::nullopt, 2}));
    EXPECT_TRUE(is_allowed({Role::owner, whose, Role::owner, Role::owner, 1}));
  }
}

// Rule invitation-single-use.
TEST(Invitation, ItIsRefusedInTheSameWordsWhenAcceptedExpiredOrForAnother) {
  Invitation invitation;
  invitation.email_key = "ada@example.com";
  invitation.expires_at = noon + invitation_lifetime;
  EXPECT_TRUE(check_accepts(invitation, "ada@example.com", noon));
  EXPECT_TRUE(check_accepts(invitation, "ada@example.com", invitation.expires_at - 1ms));
  auto accepted = invitation;
  accepted.accepted_at = noon;
  const auto other = check_accepts(invitation, "eve@example.com", noon);
  const auto late = check_accepts(invitation, "ada@example.com", invitation.expires_at);
  const auto twice = check_accepts(accepted, "ada@example.com", noon);
  ASSERT_FALSE(other || late || twice);
  for (const auto* refused : {&other, &late, &twice}) {
    EXPECT_EQ(refused->error().code, ErrorCode::not_found);
    EXPECT_EQ(refused->error().hint, no_such_invitation("").error().hint);
  }
}

RefreshToken token_of(base::Instant created) {
  RefreshToken token;
  token.hash = {};
  token.created_at = created;
  token.expires_at = created + refresh_token_lifetime;
  return token;
}

// Rule refresh-rotates.
TEST(RefreshToken, AFreshOneRotatesUntilTheVeryInstantItExpires) {
  const auto token = token_of(noon);
  EXPECT_EQ(judge(token, nullptr, noon), RefreshVerdict::rotates);
  EXPECT_EQ(judge(token, nullptr, noon + 30 * 24h - 1ms), RefreshVerdict::rotates);
  EXPECT_EQ(judge(token, nullptr, noon + 30 * 24h), RefreshVerdict::refused);
  auto revoked = token;
  revoked.revoked_at = noon;
  EXPECT_EQ(judge(revoked, nullptr, noon), RefreshVerdict::refused);
}

// Rule refresh-retry.
TEST(RefreshToken, ASpentOneComesAgainForTenSecondsWhileTheNextIsUnspent) {
  auto token = token_of(noon);
  token.used_at = noon + 1h;
  auto next = token_of(noon + 1h);
  EXPECT_EQ(judge(token, &next, noon + 1h + 10s), RefreshVerdict::comes_again);
  EXPECT_EQ(judge(token, &next, noon + 1h + 10s + 1ms), RefreshVerdict::stolen);
  EXPECT_EQ(judge(token, nullptr, noon + 1h), RefreshVerdict::stolen);
  next.used_at = noon + 1h + 1s;
  EXPECT_EQ(judge(token, &next, noon + 1h + 2s), RefreshVerdict::stolen);
}

// Rule refresh-retry.
TEST(RefreshToken, TheNextOneIsTheSameEachTimeAndOnlyOfTheServersKey) {
  crypto::SystemRandom random;
  const crypto::HmacKey key(base::Secret(std::string(32, 'k')));
  const crypto::HmacKey other(base::Secret(std::string(32, 'o')));
  const auto first = new_refresh_token(random);
  const auto next = next_refresh_token(first.expose(), key);
  EXPECT_EQ(next.expose(), next_refresh_token(first.expose(), key).expose());
  EXPECT_NE(next.expose(), next_refresh_token(first.expose(), other).expose());
  EXPECT_NE(next.expose(), next_refresh_token(next.expose(), key).expose());
  EXPECT_EQ(first.expose().size(), next.expose().size());
  EXPECT_TRUE(first.expose().starts_with("sdr_"));
}

// Rule refresh-hashed.
TEST(RefreshToken, WhatIsKeptIsAHashOfIt) {
  EXPECT_EQ(base::hex(hash_of_refresh_token("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

class PeopleTokens : public ::testing::Test {
 protected:
  static std::vector<base::Secret> seeds() {
    std::vector<base::Secret> seeds;
    for (const char c : {'n', 'o'})
      seeds.push_back(ServerSecret(base::Secret(std::string(32, c))).people_token_seed());
    return seeds;
  }
  crypto::SystemRandom random;
  PeopleKeys keys{seeds(), "https://door.example"};
};

// Rule people-keys-public.
TEST_F(PeopleTokens, TheSetHasThePublicKeyOfBothGenerationsAndNothingElse) {
  const auto& text = keys.jwk_set_json();
  base::JsonReader reader;
  const auto set = reader.read(text);
  ASSERT_TRUE(set);
  EXPECT_EQ(text.find("\"d\""), std::string::npos);
  int count = 0;
  const simdjson::dom::array list = set->element()["keys"];
  for (const auto key : list) {
    ++count;
    EXPECT_EQ(key["kty"].get_string().value(), "OKP");
    EXPECT_EQ(key["crv"].get_string().value(), "Ed25519");
    const std::string x(key["x"].get_string().value());
    const auto canonical = R"({"crv":"Ed25519","kty":"OKP","x":")" + x + "\"}";
    EXPECT_EQ(key["kid"].get_string().value(),
              base::base64url(base::as_text(crypto::sha256(canonical))));
  }
  EXPECT_EQ(count, 2);
}

// Rule people-keys-public. The example of RFC 8037, appendices A.1 to A.3.
TEST_F(PeopleTokens, TheThumbprintIsThatOfTheStandardsExample) {
  const auto seed = base::from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
  std::vector<base::Secret> seeds;
  seeds.emplace_back(*seed);
  const PeopleKeys example(seeds, "x");
  EXPECT_NE(example.jwk_set_json().find("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            std::string::npos);
  EXPECT_NE(example.jwk_set_json().find("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
            std::string::npos);
}

// Rule people-token-lifetime.
TEST_F(PeopleTokens, AnAccessTokenSaysWhoForWhomAndForOneHour) {
  Account account;
  account.id = "acc_1";
  account.email = "ada@example.com";
  account.generation = 7;
  const auto token = keys.access_token(account, random, noon);
  const std::string text(token.expose());
  const auto first = text.find('.'), second = text.rfind('.');
  const auto signature = base::from_base64url(text.substr(second + 1));
  EXPECT_TRUE(
      crypto::Ed25519Key(seeds().front()).verifies(text.substr(0, second), signature.value_or("")));
  const auto payload = base::from_base64url(text.substr(first + 1, second - first - 1));
  base::JsonReader reader;
  const auto claims = reader.read(*payload);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->member("iss")->text(), "https://door.example");
  EXPECT_EQ(claims->member("sub")->text(), "acc_1");
  EXPECT_EQ(claims->member("aud")->text(), "stagedoor");
  EXPECT_EQ(claims->member("exp")->integer(), base::unix_seconds(noon) + 3600);
  EXPECT_EQ(claims->member("iat")->integer(), base::unix_seconds(noon));
  EXPECT_EQ(claims->member("gen")->integer(), 7);
  EXPECT_NE(token.expose(), keys.access_token(account, random, noon).expose());
}

}  // namespace
}  // namespace stagedoor::rules
