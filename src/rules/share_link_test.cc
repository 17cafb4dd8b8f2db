#include "rules/share_link.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "crypto/random.h"

namespace stagedoor::rules {
namespace {

using namespace std::chrono_literals;

constexpr base::Instant now{1'800'000'000s};

std::expected<ShareLinkDraft, ItemFaults> draft(std::string_view text) {
  static base::JsonReader reader;
  return read_share_link(*reader.read(text), now);
}

std::expected<ShareLinkTerms, ItemFaults> changed(const ShareLinkTerms& before,
                                                  std::string_view text) {
  static base::JsonReader reader;
  return changed_terms(before, *reader.read(text), now);
}

TEST(ShareLink, ATokenIsOfItsFormAndRandom) {
  crypto::SystemRandom random;
  const auto token = new_share_token(random);
  EXPECT_TRUE(is_share_token(token.expose()));
  EXPECT_NE(token.expose(), new_share_token(random).expose());
  for (const auto* text : {"", "sh_", "av_test_x", "sh_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           "sh_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-"})
    EXPECT_FALSE(is_share_token(text)) << text;
}

// Rule share-link-ends-what-it-opened.
TEST(ShareLink, WhatItOpenedIsRevokedByItsVisitor) {
  ShareLink link;
  link.id = "l";
  link.scope = {"ws_1", Environment::live, "app_1"};
  const auto end = end_of_what_opened(link, now);
  const auto visitor = visitor_of(link);
  RevocableToken token{.workspace_id = "ws_1",
                       .app_id = "app_1",
                       .environment = Environment::live,
                       .token_id = {},
                       .end_user_id = visitor,
                       .api_key_id = {},
                       .avatar_id = {},
                       .minted_at = now};
  EXPECT_TRUE(end.covers(token));
  token.minted_at = now + 1ms;
  EXPECT_FALSE(end.covers(token));
  token.minted_at = now;
  token.app_id = "app_2";
  EXPECT_FALSE(end.covers(token));
  token.app_id = "app_1";
  token.end_user_id = "share_link:m";
  EXPECT_FALSE(end.covers(token));
}

TEST(ShareLink, WhatIsNotSaidIsTheVendorsDefault) {
  const auto read = draft(R"({"personaId":"p","whatever":1})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->persona_id, "p");
  EXPECT_EQ(read->terms.expires_at, now + 168h);
  EXPECT_EQ(read->terms.uses_max, 10);
  EXPECT_TRUE(read->terms.is_enabled);
  EXPECT_FALSE(read->terms.is_primary);
}

TEST(ShareLink, NullStandsForNoEndAndNoLimit) {
  const auto read = draft(R"({"personaId":"p","expiresInHours":null,"usageLimit":null})");
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->terms.expires_at);
  EXPECT_FALSE(read->terms.uses_max);
  const auto after = changed(read->terms, R"({"usageLimit":3,"expiresAt":"2027-02-01T00:00:00Z"})");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->uses_max, 3);
  EXPECT_TRUE(after->expires_at);
  EXPECT_FALSE(changed(*after, R"({"expiresAt":null})")->expires_at);
}

TEST(ShareLink, AChangeLeavesWhatItDoesNotNameAndRefusesWhatItDoesNotKnow) {
  const auto before =
      draft(R"({"personaId":"p","type":"ORB_EMBED","allowedOrigins":["https://a.example"]})")
          ->terms;
  const auto after = changed(before, R"({"enabled":false})");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->kind, ShareLinkKind::orb_embed);
  EXPECT_EQ(after->allowed_origins, std::vector<std::string>{"https://a.example"});
  EXPECT_EQ(after->expires_at, before.expires_at);
  EXPECT_FALSE(after->is_enabled);
  EXPECT_EQ(changed(before, R"({"personaId":"q"})").error().front().code, "unknown_member");
}

TEST(ShareLink, EveryFaultNamesItsMember) {
  for (const auto& [member, path] :
       {std::pair{R"("expiresInHours":0)", "expiresInHours"},
        {R"("expiresInHours":9000)", "expiresInHours"},
        {R"("expiresAt":"2027-01-01T00:00:00Z")", "expiresAt"},
        {R"("expiresAt":"soon")", "expiresAt"},
        {R"("expiresAt":"2027-02-01T00:00:00Z","expiresInHours":1)", "expiresAt"},
        {R"("usageLimit":0)", "usageLimit"},
        {R"("usageLimit":1.5)", "usageLimit"},
        {R"("type":"link")", "type"},
        {R"("enabled":"yes")", "enabled"},
        {R"("allowedOrigins":["example.com"])", "allowedOrigins[0]"}}) {
    const auto read = draft(std::string(R"({"personaId":"p",)") + member + "}");
    ASSERT_FALSE(read) << member;
    EXPECT_EQ(read.error().front().path, path) << member;
  }
  EXPECT_EQ(draft("{}").error().front().path, "personaId");
}

TEST(ShareLink, ItOpensUntilItsEndAndItsLimitForItsOrigins) {
  ShareLink link;
  link.terms = draft(R"({"personaId":"p"})")->terms;
  EXPECT_EQ(why_closed(link, std::nullopt, now), "");
  EXPECT_EQ(why_closed(link, std::nullopt, now + 168h - 1ms), "");
  EXPECT_NE(why_closed(link, std::nullopt, now + 168h), "");
  link.uses = 9;
  EXPECT_EQ(why_closed(link, std::nullopt, now), "");
  link.uses = 10;
  EXPECT_NE(why_closed(link, std::nullopt, now), "");
  link.terms.uses_max.reset();
  EXPECT_EQ(why_closed(link, std::nullopt, now), "");
  link.has_maker_logged_out = true;
  EXPECT_NE(why_closed(link, std::nullopt, now), "");
  link.has_maker_logged_out = false;
  link.terms.is_enabled = false;
  EXPECT_NE(why_closed(link, std::nullopt, now), "");
}

// Rule share-link-origins.
TEST(ShareLink, OneThatListsOriginsIsForTheirPagesOnly) {
  ShareLink link;
  link.terms.allowed_origins = {"https://a.example", "https://b.example"};
  EXPECT_EQ(why_closed(link, "https://b.example", now), "");
  EXPECT_NE(why_closed(link, "https://c.example", now), "");
  EXPECT_NE(why_closed(link, "", now), "");
  EXPECT_NE(why_closed(link, std::nullopt, now), "");
  link.terms.is_for_any_origin = true;
  EXPECT_EQ(why_closed(link, std::nullopt, now), "");
}

// Rule share-link-sealed.
TEST(ShareLink, ATokensHashIsOfTheServerSecretsGenerations) {
  const auto key = [](char one) { return crypto::HmacKey(base::Secret(std::string(32, one))); };
  std::vector<crypto::HmacKey> both, older;
  both.push_back(key('b'));
  both.push_back(key('a'));
  older.push_back(key('a'));
  const base::Secret token(std::string("sh_x"));
  const ShareTokenHasher hasher(std::move(both)), before(std::move(older));
  const auto all = hasher.all(token);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0], hasher.current(token));
  EXPECT_EQ(all[1], before.current(token));
  EXPECT_NE(all[0], crypto::sha256("sh_x"));
}

}  // namespace
}  // namespace stagedoor::rules
