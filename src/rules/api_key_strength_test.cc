#include "rules/api_key_strength.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

const base::Instant noon = base::from_unix_seconds(1'795'000'000);

std::vector<base::Network> networks(std::initializer_list<const char*> texts) {
  std::vector<base::Network> list;
  for (const auto* text : texts) list.push_back(*base::parse_network(text));
  return list;
}

ApiKeyStrength maker() {
  ApiKeyStrength strength;
  strength.scopes = {Permission::tokens_mint, Permission::keys_write};
  strength.networks = networks({"192.0.2.0/24", "2001:db8::/32"});
  strength.expires_at = noon + 1h;
  strength.limit = {.count = 10, .period = 60s, .burst = 20};
  return strength;
}

bool may(const ApiKeyStrength& wanted) {
  const auto checked = check_not_stronger(wanted, maker());
  if (!checked) {
    EXPECT_EQ(checked.error().code, ErrorCode::forbidden);
    EXPECT_FALSE(checked.error().hint.empty());
  }
  return checked.has_value();
}

// Rule api-key-never-stronger.
TEST(ApiKeyStrength, AnEqualOrWeakerKeyMayBeMade) {
  EXPECT_TRUE(may(maker()));
  auto weaker = maker();
  weaker.scopes = {Permission::tokens_mint};
  weaker.networks = networks({"192.0.2.128/25", "2001:db8:1::/48", "192.0.2.7"});
  weaker.expires_at = noon + 59min;
  weaker.limit = {.count = 5, .period = 60s, .burst = 20};
  EXPECT_TRUE(may(weaker));
}

// Rule api-key-never-stronger.
TEST(ApiKeyStrength, AScopeMoreIsRefusedAndNamed) {
  auto wanted = maker();
  wanted.scopes.add(Permission::sessions_end);
  const auto refused = check_not_stronger(wanted, maker());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().hint.find("sessions:end"), std::string::npos);
}

// Rule api-key-never-stronger.
TEST(ApiKeyStrength, ALaterExpiryOrNoneIsRefused) {
  auto wanted = maker();
  wanted.expires_at = noon + 1h + 1s;
  EXPECT_FALSE(may(wanted));
  wanted.expires_at.reset();
  EXPECT_FALSE(may(wanted));
}

// Rule api-key-never-stronger.
TEST(ApiKeyStrength, AWiderOrAnotherNetworkIsRefused) {
  auto wanted = maker();
  for (const auto* network :
       {"192.0.2.0/23", "192.0.3.0/24", "2001:db8::/31", "::/0", "0.0.0.0/0", "::ffff:0:0/96"}) {
    const auto parsed = base::parse_network(network);
    if (!parsed) continue;
    wanted.networks = {*parsed};
    EXPECT_FALSE(may(wanted)) << network;
  }
  wanted.networks = networks({"192.0.2.0/24", "198.51.100.1"});
  EXPECT_FALSE(may(wanted)) << "each of them must be within one of the maker's";
  wanted.networks.clear();
  EXPECT_FALSE(may(wanted)) << "none named means from anywhere";
}

// Rule api-key-never-stronger.
TEST(ApiKeyStrength, AHigherRateOrBurstIsRefused) {
  auto wanted = maker();
  wanted.limit = {.count = 11, .period = 60s, .burst = 20};
  EXPECT_FALSE(may(wanted));
  wanted.limit = {.count = 10, .period = 60s, .burst = 21};
  EXPECT_FALSE(may(wanted));
  wanted.limit = RateLimit::unlimited();
  EXPECT_FALSE(may(wanted));
}

TEST(ApiKeyStrength, AKeysOwnLimitGoesBeforeThatOfItsTierAndAnUnknownTierIsFree) {
  const RateTiers tiers{{"free", {10, 60s, 20}}, {"pro", {300, 60s, 600}}};
  ApiKeyTerms terms;
  EXPECT_EQ(limit_of(terms, tiers), tiers.at("free"));
  terms.tier = "pro";
  EXPECT_EQ(limit_of(terms, tiers), tiers.at("pro"));
  terms.tier = "gone";
  EXPECT_EQ(limit_of(terms, tiers), tiers.at("free"));
  terms.own_limit = RateLimit{1, 1s, 1};
  EXPECT_EQ(limit_of(terms, tiers), *terms.own_limit);
}

}  // namespace
}  // namespace stagedoor::rules
