#include "rules/room_token.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <set>

#include "base/json.h"
#include "base/text.h"
#include "crypto/random.h"

namespace stagedoor::rules {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;

// The project and the tokens of the published test of the npm package agora-token 2.0.6.
constexpr auto app_id = "970CA35de60c44645bbae8a215061b33";
constexpr auto certificate = "5CFd2fd1755d40ecb72977518be15d3b";
constexpr auto channel = "7d72365eb983485397e3e3f9d460bdda";

AgoraSigner agora() {
  return *AgoraSigner::make(app_id, base::Secret(std::string_view(certificate)));
}

AgoraRoomToken published_token() {
  AgoraRoomToken token;
  token.channel = channel;
  token.user = "2882341273";
  token.issued_at = base::from_unix_seconds(1111111);
  token.lifetime = 600s;
  token.salt = 1;
  return token;
}

std::string from_base64(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  for (auto& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return *base::from_base64url(text);
}

// What is inside of a token, however the compressor of its maker works.
std::string content_of(std::string_view token) {
  EXPECT_EQ(token.substr(0, 3), "007");
  const auto packed = from_base64(std::string(token.substr(3)));
  std::string content(4096, '\0');
  auto length = static_cast<uLongf>(content.size());
  EXPECT_EQ(::uncompress(reinterpret_cast<Bytef*>(content.data()), &length,
                         reinterpret_cast<const Bytef*>(packed.data()), packed.size()),
            Z_OK);
  content.resize(length);
  return content;
}

std::string signed_by(const AgoraSigner& signer, const AgoraRoomToken& token) {
  const auto made = signer.sign(token);
  EXPECT_TRUE(made) << made.error().hint;
  return made ? std::string(made->expose()) : "";
}

TEST(AgoraRoomToken, AListenersTokenIsThatOfThePublishedLibrary) {
  constexpr auto published =
      "007eJxTYBBbsMMnKq7p9Hf/HcIX5kce9b518kCiQgSr5Zrp4X1Tu6UUGCzNDZwdjU1TUs0Mkk1MzExMk5ISUy0SjQxND"
      "cwMk4yN3b8IMEQwMTAwMoAwBIL4CgzmKeZGxmamqUmWFsYmFqbGluapxqnGaZYpJmYGSSkpiVwMRhYWRsYmhkbmxgDCa"
      "i"
      "Tj";
  const auto token = signed_by(agora(), published_token());
  EXPECT_EQ(content_of(token), content_of(published));
  EXPECT_EQ(token, published);
}

TEST(AgoraRoomToken, ATokenForWhoeverComesIsThatOfThePublishedLibrary) {
  constexpr auto published =
      "007eJxTYLhzZP08Lxa1Pg57+TcXb/3cZ3wi4V6kbpbOog0G2dOYk20UGCzNDZwdjU1TUs0Mkk1MzExMk5ISUy0SjQxND"
      "cwMk4yN3b8IMEQwMTAwMoAwBIL4CgzmKeZGxmamqUmWFsYmFqbGluapxqnGaZYpJmYGSSkpiQwMADacImo=";
  auto wanted = published_token();
  wanted.user = "";
  EXPECT_EQ(content_of(signed_by(agora(), wanted)), content_of(published));
}

TEST(AgoraRoomToken, APublishersTokenIsThatOfThePublishedLibrary) {
  // Made with that library from the same project, channel, user, times and salt.
  constexpr auto published =
      "007eJxTYDhuGCT90E3Yo2+N3efJV5hX1K1MZAqae/Sa8UP9VXvOhfArMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhmaG"
      "pgZJhkbu38RYIhgYmBgZABhRgYWBkYwnwlMMoNJFjCpwGCeYm5kbGaammRpYWxiYWpsaZ5qnGqcZpliYmaQlJKSyMVgZ"
      "G"
      "FhZGxiaGRuDACosyXL";
  auto wanted = published_token();
  wanted.role = AgoraRole::publisher;
  EXPECT_EQ(content_of(signed_by(agora(), wanted)), content_of(published));
}

TEST(AgoraRoomToken, AnAccountAndTheLongestTimeAreThatOfThePublishedLibrary) {
  constexpr auto published =
      "007eJxTYMg08K+54LRY4oufv5Ph0x095q+SL52vXiR1ffYsoRm5F+4rMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhmaG"
      "pgZJhkbM3wMTm0IZGT4/+ArKyMDBIL4rAw5+UlJldwMiSmJDqkVibkFOakALKUlsA==";
  AgoraRoomToken wanted;
  wanted.channel = "lobby";
  wanted.user = "ada@example";
  wanted.issued_at = base::from_unix_seconds(1700000000);
  wanted.lifetime = 24h;
  wanted.salt = 99'999'999;
  EXPECT_EQ(content_of(signed_by(agora(), wanted)), content_of(published));
}

// Rule room-token-lifetime.
TEST(AgoraRoomToken, ALifetimeOfNoneOrOver24HoursIsRefused) {
  for (const auto lifetime : {std::chrono::seconds(0), std::chrono::seconds(-1), 24h + 1s}) {
    auto wanted = published_token();
    wanted.lifetime = lifetime;
    const auto made = agora().sign(wanted);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::malformed);
    EXPECT_NE(made.error().hint.find("ttl_seconds"), std::string::npos);
  }
}

TEST(AgoraRoomToken, NamesThatTheServiceWouldNotTakeAreRefused) {
  for (const auto& name : {std::string(), std::string(64, 'a'), std::string("a/b"),
                           std::string("a\"b"), std::string("\xc3\xa4"), std::string("a\0", 2)}) {
    auto wanted = published_token();
    wanted.channel = name;
    EXPECT_FALSE(agora().sign(wanted)) << name;
  }
  auto wanted = published_token();
  wanted.user = std::string(256, 'a');
  EXPECT_FALSE(agora().sign(wanted));
}

TEST(AgoraRoomToken, AProjectThatIsNoneIsRefused) {
  const auto made = [](std::string id, std::string_view secret) {
    return AgoraSigner::make(std::move(id), base::Secret(secret)).has_value();
  };
  EXPECT_FALSE(made("970CA35d", certificate));
  EXPECT_FALSE(made(app_id, "short"));
  EXPECT_FALSE(made(app_id, "5CFd2fd1755d40ecb72977518be15d3z"));
  EXPECT_TRUE(made(app_id, certificate));
}

TEST(AgoraRoomToken, SaltsStayInRangeAndDiffer) {
  crypto::SystemRandom random;
  std::set<std::uint32_t> salts;
  for (int i = 0; i < 1000; ++i) {
    const auto salt = new_agora_salt(random);
    EXPECT_GE(salt, 1u);
    EXPECT_LE(salt, 99'999'999u);
    salts.insert(salt);
  }
  EXPECT_GT(salts.size(), 990u);
}

constexpr std::string_view api_secret = "8nTlwISkb-63DPP7OH4e.nw.J44JjicvZDiz8J59EoQ+";

LiveKitRoomToken participant() {
  LiveKitRoomToken token;
  token.id = "rt_1";
  token.room = "lobby";
  token.identity = "visitor-42";
  token.grants = {RoomGrant::room_join, RoomGrant::can_subscribe};
  token.environment = Environment::live;
  token.issued_at = base::from_unix_seconds(1'700'000'000);
  token.expires_at = token.issued_at + 10min;
  return token;
}

base::Result<base::Secret> signed_by_livekit(const LiveKitRoomToken& token) {
  return LiveKitSigner("APIwLeah7g4fuLYDYAJeaKsSE", base::Secret(api_secret)).sign(token);
}

std::string claims_text(const LiveKitRoomToken& token) {
  const auto made = signed_by_livekit(token);
  EXPECT_TRUE(made) << made.error().hint;
  if (!made) return "";
  const auto text = std::string(made->expose());
  const auto first = text.find('.'), second = text.rfind('.');
  return *base::from_base64url(text.substr(first + 1, second - first - 1));
}

TEST(LiveKitRoomToken, IsAnHs256JwtUnderTheProjectsSecret) {
  const auto made = signed_by_livekit(participant());
  ASSERT_TRUE(made);
  const auto text = std::string(made->expose());
  const auto dot = text.rfind('.');
  EXPECT_EQ(*base::from_base64url(text.substr(0, text.find('.'))),
            R"({"alg":"HS256","typ":"JWT"})");
  const auto mac = crypto::HmacKey(base::Secret(api_secret)).mac(text.substr(0, dot));
  EXPECT_EQ(text.substr(dot + 1), base::base64url(base::as_text(mac)));
}

TEST(LiveKitRoomToken, HoldsWhatWasAskedFor) {
  auto wanted = participant();
  wanted.name = "Ada \"the first\"";
  wanted.metadata = R"({"a":1})";
  wanted.attributes = {{"x", "y"}};
  wanted.can_publish_sources = {"camera", "microphone"};
  const auto text = claims_text(wanted);
  base::JsonReader reader;
  const auto claims = reader.read(text);
  ASSERT_TRUE(claims) << text;
  const auto said = [&](std::string_view name) { return claims->member(name)->text(); };
  EXPECT_EQ(said("iss"), "APIwLeah7g4fuLYDYAJeaKsSE");
  EXPECT_EQ(said("sub"), "visitor-42");
  EXPECT_EQ(said("jti"), "rt_1");
  EXPECT_EQ(said("name"), wanted.name);
  EXPECT_EQ(said("metadata"), wanted.metadata);
  EXPECT_EQ(claims->member("attributes")->member("x")->text(), "y");
  EXPECT_EQ(claims->member("nbf")->integer(), 1'700'000'000);
  EXPECT_EQ(claims->member("exp")->integer(), 1'700'000'600);
  EXPECT_EQ(claims->member("video")->member("room")->text(), "lobby");
  EXPECT_NE(text.find(R"("canPublishSources":["camera","microphone"])"), text.npos);
}

// Rule room-token-states-every-grant.
TEST(LiveKitRoomToken, EveryGrantIsStatedAndOnlyTheNamedAreTrue) {
  for (std::size_t given = 0; given < room_grant_count; ++given) {
    auto wanted = participant();
    wanted.grants = {static_cast<RoomGrant>(given)};
    const auto text = claims_text(wanted);
    base::JsonReader reader;
    const auto claims = reader.read(text);
    ASSERT_TRUE(claims) << text;
    std::size_t said = 0, trues = 0;
    simdjson::dom::object grants = claims->member("video")->element();
    for (const auto member : grants) {
      bool value = false;
      if (member.value.get(value) != simdjson::SUCCESS) continue;
      ++said;
      trues += value ? 1 : 0;
    }
    EXPECT_EQ(said, room_grant_count);
    EXPECT_EQ(trues, 1u);
  }
}

// Rule room-token-test-is-marked.
TEST(LiveKitRoomToken, ATestTokenIsMarkedAndNobodyElseCanSetTheMark) {
  EXPECT_EQ(claims_text(participant()).find("stagedoor.environment"), std::string::npos);
  auto wanted = participant();
  wanted.environment = Environment::test;
  EXPECT_NE(claims_text(wanted).find(R"("attributes":{"stagedoor.environment":"test"})"),
            std::string::npos);
  wanted.attributes = {{"stagedoor.environment", "live"}};
  EXPECT_FALSE(signed_by_livekit(wanted));
}

// Rule room-token-lifetime.
TEST(LiveKitRoomToken, ALifetimeOfNoneOrOver24HoursIsRefused) {
  for (const auto lifetime : {std::chrono::seconds(0), std::chrono::seconds(-5), 24h + 1s}) {
    auto wanted = participant();
    wanted.expires_at = wanted.issued_at + lifetime;
    EXPECT_FALSE(signed_by_livekit(wanted));
  }
  auto wanted = participant();
  wanted.expires_at = wanted.issued_at + 24h;
  EXPECT_TRUE(signed_by_livekit(wanted));
}

TEST(LiveKitRoomToken, WhatMayNotBeIsRefusedWithTheMemberNamed) {
  const auto hint = [](auto&& change) {
    auto wanted = participant();
    change(wanted);
    const auto made = signed_by_livekit(wanted);
    EXPECT_FALSE(made);
    return made ? "" : made.error().hint;
  };
  using Token = LiveKitRoomToken;
  EXPECT_EQ(hint([](Token& t) { t.room.clear(); }).substr(0, 4), "room");
  EXPECT_EQ(hint([](Token& t) { t.room.assign(257, 'a'); }).substr(0, 4), "room");
  EXPECT_EQ(hint([](Token& t) { t.identity.clear(); }).substr(0, 8), "identity");
  EXPECT_EQ(hint([](Token& t) { t.name.assign(257, 'a'); }).substr(0, 4), "name");
  EXPECT_EQ(hint([](Token& t) { t.metadata.assign(4097, 'a'); }).substr(0, 8), "metadata");
  EXPECT_EQ(hint([](Token& t) { t.grants.clear(); }).substr(0, 6), "grants");
  EXPECT_EQ(hint([](Token& t) { t.can_publish_sources = {"radio"}; }).substr(0, 6), "grants");
  EXPECT_EQ(hint([](Token& t) { t.attributes.assign(65, {"a", "b"}); }).substr(0, 10),
            "attributes");
  EXPECT_EQ(hint([](Token& t) { t.attributes = {{"a", std::string(4096, 'b')}}; }).substr(0, 10),
            "attributes");
}

TEST(LiveKitRoomToken, AGrantForAllRoomsNeedsNoRoom) {
  auto wanted = participant();
  wanted.room.clear();
  wanted.grants = {RoomGrant::room_list};
  EXPECT_TRUE(signed_by_livekit(wanted));
}

}  // namespace
}  // namespace stagedoor::rules
