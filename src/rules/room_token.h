// A room token: the credential with which somebody enters a room of a real-time service that the
// operator runs or rents. Such a service trusts whoever holds its signing secret; the secret stays
// in this server, and an app's backend gets one token for one room and one participant.
//
// LiveKit: a JWT (RFC 7519), HS256 under the project's API secret; the claims are those of the
// published LiveKit server SDKs. Agora: AccessToken2, version "007": a deflated, little-endian
// packing, signed with HMAC-SHA-256 under a key derived from the app certificate.
//
// Rule room-token-lifetime: a room token always has an end, at most 24 h after it was minted; a
// service could not take back one that has none.
//
// Rule room-token-states-every-grant: a LiveKit token states each grant as true or false. LiveKit
// takes a grant that is not mentioned for given, where it concerns publishing and subscribing; by
// stating all, nothing is allowed by silence.
//
// Rule room-token-test-is-marked: a LiveKit token minted with a test key carries the attribute
// `stagedoor.environment` = `test`, and callers can't set attributes of that prefix, so agents and
// back ends can tell. An Agora token has no member that could carry it; for both, the answer and
// the audit log say it.
//
// Used by: actions/mint_room_token.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "rules/app.h"

namespace stagedoor::rules {

inline constexpr std::chrono::seconds room_token_lifetime_max = std::chrono::hours(24);
inline constexpr std::size_t room_name_bytes_max = 256;
inline constexpr std::size_t room_identity_bytes_max = 256;
inline constexpr std::size_t room_metadata_bytes_max = 4096;
inline constexpr std::size_t room_attributes_max = 64;
inline constexpr std::size_t room_attributes_bytes_max = 4096;
inline constexpr std::string_view room_attribute_prefix_of_ours = "stagedoor.";

// What a LiveKit token may allow. The first reach only what they name inside the token's room; from
// `room_create` on, all rooms of the project.
enum class RoomGrant : unsigned char {
  room_join,
  room_admin,
  can_publish,
  can_publish_data,
  can_subscribe,
  can_subscribe_metrics,
  can_update_own_metadata,
  can_manage_agent_session,
  hidden,
  recorder,
  agent,
  room_create,
  room_list,
  room_record,
  ingress_admin,
};
inline constexpr std::size_t room_grant_count = 15;
inline constexpr RoomGrant first_grant_for_all_rooms = RoomGrant::room_create;

// "can_publish"; in the token it is "canPublish".
std::string_view name_of(RoomGrant grant);
inline bool is_for_all_rooms(RoomGrant grant) {
  return grant >= first_grant_for_all_rooms;
}

struct LiveKitRoomToken {
  std::string id;  // jti
  std::string room, identity;
  std::string name, metadata;  // empty: none
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<RoomGrant> grants;
  // Only these kinds of tracks may be published: camera, microphone, screen_share,
  // screen_share_audio. Empty: all.
  std::vector<std::string> can_publish_sources;
  Environment environment = Environment::test;
  base::Instant issued_at, expires_at;
};

// Signs for one LiveKit project. Safe for concurrent use.
class LiveKitSigner {
 public:
  LiveKitSigner(std::string api_key, const base::Secret& api_secret);
  // `malformed`, with a hint that names the member at fault.
  base::Result<base::Secret> sign(const LiveKitRoomToken& token) const;

 private:
  std::string api_key_;
  crypto::HmacKey key_;
};

enum class AgoraRole : unsigned char { subscriber, publisher };

struct AgoraRoomToken {
  std::string channel;
  std::string user;  // a uid in decimal digits, or an account; empty: whoever comes with it
  AgoraRole role = AgoraRole::subscriber;
  base::Instant issued_at;
  std::chrono::seconds lifetime{0};
  std::uint32_t salt = 1;  // 1 to 99,999,999
};

// A salt, each equally likely.
std::uint32_t new_agora_salt(base::Random& random);

// Signs for one Agora project. Safe for concurrent use.
class AgoraSigner {
 public:
  // `malformed` where an app id or a certificate is not 32 hex digits.
  static base::Result<AgoraSigner> make(std::string app_id, base::Secret certificate);
  // `malformed`, with a hint that names the member at fault.
  base::Result<base::Secret> sign(const AgoraRoomToken& token) const;
  const std::string& app_id() const { return app_id_; }

 private:
  AgoraSigner(std::string app_id, base::Secret certificate)
      : app_id_(std::move(app_id)), certificate_(std::move(certificate)) {}
  crypto::HmacKey signing_key(std::uint32_t issued_at, std::uint32_t salt) const;

  std::string app_id_;
  base::Secret certificate_;
};

}  // namespace stagedoor::rules
