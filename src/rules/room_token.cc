#include "rules/room_token.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/deflate.h"
#include "base/json.h"
#include "base/text.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

struct GrantNames {
  std::string_view ours, livekit;
};

// In the order of the enumeration. The wire names are those of the VideoGrant of the published
// LiveKit server SDKs.
constexpr std::array<GrantNames, room_grant_count> grant_names = {{
    {"room_join", "roomJoin"},
    {"room_admin", "roomAdmin"},
    {"can_publish", "canPublish"},
    {"can_publish_data", "canPublishData"},
    {"can_subscribe", "canSubscribe"},
    {"can_subscribe_metrics", "canSubscribeMetrics"},
    {"can_update_own_metadata", "canUpdateOwnMetadata"},
    {"can_manage_agent_session", "canManageAgentSession"},
    {"hidden", "hidden"},
    {"recorder", "recorder"},
    {"agent", "agent"},
    {"room_create", "roomCreate"},
    {"room_list", "roomList"},
    {"room_record", "roomRecord"},
    {"ingress_admin", "ingressAdmin"},
}};

constexpr std::array<std::string_view, 4> track_sources = {"camera", "microphone", "screen_share",
                                                           "screen_share_audio"};

std::unexpected<base::Error> refuse(std::string hint) {
  return base::fail(ErrorCode::malformed, "room token that may not be", std::move(hint));
}

base::Result<base::Done> check_attributes(const LiveKitRoomToken& token) {
  if (token.attributes.size() > room_attributes_max)
    return refuse("attributes may have at most 64 members.");
  std::size_t bytes = 0;
  for (const auto& [name, value] : token.attributes) {
    bytes += name.size() + value.size();
    if (name.empty()) return refuse("An attribute needs a name.");
    if (name.starts_with(room_attribute_prefix_of_ours))
      return refuse("attributes may not begin with \"stagedoor.\"; the server sets those.");
  }
  if (bytes > room_attributes_bytes_max)
    return refuse("attributes may have at most 4096 bytes together.");
  return base::Done{};
}

base::Result<base::Done> check_lifetime_of(std::chrono::milliseconds lifetime) {
  if (lifetime < std::chrono::seconds(1) || lifetime > room_token_lifetime_max)
    return refuse("ttl_seconds must be from 1 to 86400 (24 hours).");
  return base::Done{};
}

base::Result<base::Done> check(const LiveKitRoomToken& token) {
  if (token.grants.empty()) return refuse("grants must name at least one that is true.");
  const bool is_of_a_room = !std::ranges::all_of(token.grants, is_for_all_rooms);
  if ((is_of_a_room && token.room.empty()) || token.room.size() > room_name_bytes_max)
    return refuse("room must have 1 to 256 bytes.");
  if (token.identity.empty() || token.identity.size() > room_identity_bytes_max)
    return refuse("identity must have 1 to 256 bytes.");
  if (token.name.size() > room_identity_bytes_max) return refuse("name may have 256 bytes.");
  if (token.metadata.size() > room_metadata_bytes_max)
    return refuse("metadata may have 4096 bytes.");
  for (const auto& source : token.can_publish_sources)
    if (std::ranges::find(track_sources, source) == track_sources.end())
      return refuse(
          "grants.can_publish_sources may hold camera, microphone, screen_share and "
          "screen_share_audio.");
  if (auto checked = check_lifetime_of(token.expires_at - token.issued_at); !checked)
    return checked;
  return check_attributes(token);
}

void append_text(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  base::append_json_string(out, value);
}

void append_attributes(std::string& out, const LiveKitRoomToken& token) {
  auto attributes = token.attributes;
  if (token.environment == Environment::test)
    attributes.emplace_back("stagedoor.environment", "test");
  if (attributes.empty()) return;
  out += ",\"attributes\":{";
  for (const auto& [name, value] : attributes) {
    base::append_json_string(out, name);
    out += ':';
    base::append_json_string(out, value);
    out += ',';
  }
  out.back() = '}';
}

void append_grants(std::string& out, const LiveKitRoomToken& token) {
  out += ",\"video\":{\"room\":";
  base::append_json_string(out, token.room);
  for (std::size_t i = 0; i < room_grant_count; ++i) {
    out += ",\"";
    out += grant_names[i].livekit;
    const bool is_given =
        std::ranges::find(token.grants, static_cast<RoomGrant>(i)) != token.grants.end();
    out += is_given ? "\":true" : "\":false";
  }
  if (!token.can_publish_sources.empty()) {
    out += ",\"canPublishSources\":[";
    for (const auto& source : token.can_publish_sources) {
      base::append_json_string(out, source);
      out += ',';
    }
    out.back() = ']';
  }
  out += '}';
}

// Agora's packing: little-endian numbers, texts and maps after a 16-bit count.
void pack16(std::string& out, std::size_t number) {
  out += static_cast<char>(number & 0xff);
  out += static_cast<char>(number >> 8 & 0xff);
}
void pack32(std::string& out, std::uint32_t number) {
  pack16(out, number & 0xffff);
  pack16(out, number >> 16);
}
void pack_text(std::string& out, std::string_view text) {
  pack16(out, text.size());
  out += text;
}

constexpr std::size_t service_rtc = 1;
// Join the channel; publish audio, video, data.
constexpr std::array<std::size_t, 1> subscriber_privileges = {1};
constexpr std::array<std::size_t, 4> publisher_privileges = {1, 2, 3, 4};

// The characters of channel names and user accounts.
bool is_agora_text(std::string_view text) {
  constexpr std::string_view others = " !#$%&()+-:;<=.>?@[]^_{}|~,";
  return std::ranges::all_of(
      text, [&](char c) { return base::is_base62(c) || others.find(c) != others.npos; });
}

bool is_agora_id(std::string_view text) {
  return text.size() == 32 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

base::Result<base::Done> check(const AgoraRoomToken& token) {
  if (token.channel.empty() || token.channel.size() > 63 || !is_agora_text(token.channel))
    return refuse(
        "channel must have 1 to 63 characters: letters, digits, space and "
        "!#$%&()+-:;<=.>?@[]^_{}|~,");
  if (token.user.size() > 255 || !is_agora_text(token.user))
    return refuse(
        "account may have 255 characters: letters, digits, space and !#$%&()+-:;<=.>?@[]^_{}|~,");
  return check_lifetime_of(token.lifetime);
}

}  // namespace

std::string_view name_of(RoomGrant grant) {
  return grant_names[static_cast<std::size_t>(grant)].ours;
}

LiveKitSigner::LiveKitSigner(std::string api_key, const base::Secret& api_secret)
    : api_key_(std::move(api_key)), key_(api_secret) {}

base::Result<base::Secret> LiveKitSigner::sign(const LiveKitRoomToken& token) const {
  if (const auto checked = check(token); !checked) return base::fail(checked.error());
  std::string claims = "{\"iss\":";
  base::append_json_string(claims, api_key_);
  append_text(claims, "sub", token.identity);
  append_text(claims, "jti", token.id);
  if (!token.name.empty()) append_text(claims, "name", token.name);
  if (!token.metadata.empty()) append_text(claims, "metadata", token.metadata);
  append_attributes(claims, token);
  append_grants(claims, token);
  const auto issued_at = std::to_string(base::unix_seconds(token.issued_at));
  claims += ",\"iat\":" + issued_at + ",\"nbf\":" + issued_at +
            ",\"exp\":" + std::to_string(base::unix_seconds(token.expires_at)) + "}";

  // RFC 7515 7.1: header, payload and signature, each base64url, with dots between.
  std::string text = base::base64url(R"({"alg":"HS256","typ":"JWT"})") + ".";
  base::append_base64url(text, claims);
  const auto signature = key_.mac(text);
  text += '.';
  base::append_base64url(text, base::as_text(signature));
  return base::Secret(std::move(text));
}

std::uint32_t new_agora_salt(base::Random& random) {
  constexpr std::uint32_t most = 99'999'999;
  // Numbers past the last full round are drawn again, so that none is likelier.
  constexpr std::uint32_t rounds_end = 0xffff'ffffu / most * most;
  for (;;) {
    std::array<std::uint8_t, 4> bytes;
    random.fill(bytes);
    std::uint32_t number = 0;
    for (const auto byte : bytes) number = number << 8 | byte;
    if (number < rounds_end) return number % most + 1;
  }
}

base::Result<AgoraSigner> AgoraSigner::make(std::string app_id, base::Secret certificate) {
  if (!is_agora_id(app_id)) return refuse("An Agora app id has 32 hexadecimal digits.");
  if (!is_agora_id(certificate.expose()))
    return refuse("An Agora app certificate has 32 hexadecimal digits.");
  return AgoraSigner(std::move(app_id), std::move(certificate));
}

crypto::HmacKey AgoraSigner::signing_key(std::uint32_t issued_at, std::uint32_t salt) const {
  std::string packed;
  pack32(packed, issued_at);
  const auto first = crypto::HmacKey(base::Secret(packed)).mac(certificate_.expose());
  packed.clear();
  pack32(packed, salt);
  const auto second = crypto::HmacKey(base::Secret(packed)).mac(base::as_text(first));
  return crypto::HmacKey(base::Secret(base::as_text(second)));
}

base::Result<base::Secret> AgoraSigner::sign(const AgoraRoomToken& token) const {
  if (const auto checked = check(token); !checked) return base::fail(checked.error());
  const auto issued_at = static_cast<std::uint32_t>(base::unix_seconds(token.issued_at));
  const auto lifetime = static_cast<std::uint32_t>(token.lifetime.count());
  std::string content;
  pack_text(content, app_id_);
  pack32(content, issued_at);
  pack32(content, lifetime);  // in seconds from the issue, as all ends are
  pack32(content, token.salt);
  pack16(content, 1);  // services
  pack16(content, service_rtc);
  const auto privileges = token.role == AgoraRole::publisher
                              ? std::span<const std::size_t>(publisher_privileges)
                              : std::span<const std::size_t>(subscriber_privileges);
  pack16(content, privileges.size());
  for (const auto privilege : privileges) {
    pack16(content, privilege);
    pack32(content, lifetime);
  }
  pack_text(content, token.channel);
  pack_text(content, token.user);

  const auto signature = signing_key(issued_at, token.salt).mac(content);
  std::string packed;
  pack_text(packed, base::as_text(signature));
  packed += content;
  std::string text = "007";
  base::append_base64(text, base::deflated(packed));
  return base::Secret(std::move(text));
}

}  // namespace stagedoor::rules
