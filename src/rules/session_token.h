// A session token: the credential a client shows once to open one live session.
//
//   minted ──redeemed uses_max times──▶ spent
//      └──────────────time────────────▶ expired
//
// It is a JWT (RFC 7519) in compact form, made and checked by us alone.
//
// Rule session-token-lifetime: now < expires_at <= now + 24 h, and at `expires_at` exactly it is
// already expired. What an API key mints expires no later than that key does, as far as is known
// when it is minted; the answer tells the expiry that holds. An end that the key is given later, as
// by a rotation with grace, shortens nothing that it minted before; revoking and freezing do.
//
// Rule session-token-algorithm-pinned: a token's header must be, byte for byte, one that we write;
// it then names one key, and that key knows its only algorithm. Nothing in a header is ever
// interpreted, so `alg: none`, a swapped algorithm, an embedded or linked key have nowhere to go.
//
// Rule session-token-two-generations: tokens signed under the previous server secret stay valid
// until they expire (rules/server_secret.h), also across a change of the algorithm.
//
// Rule session-token-bound: a token is for one app and, where the mint call says so, one avatar.
//
// Rule session-token-origins: a token that lists origins opens nothing for a page of another one,
// nor for a client that names none; a token that lists none is for whoever the settings say. A
// browser always tells the truth about its page's origin, so a stolen token is of no use on the
// thief's page.
//
// Rule session-token-regions: a token that lists regions opens sessions in those regions only.
//
// Rule session-token-no-persona: it carries names and numbers, never what a persona says or is.
//
// Rule session-token-minting-writes-nothing: what a token may do stands in the token; only its
// redemption is kept.
//
// Rule session-token-single-use: a token opens `uses_max` sessions, one unless its app says
// otherwise. RedemptionStore::redeem (rules/redemption.h) is one atomic step: of any number of
// simultaneous attempts exactly `uses_max` succeed. It holds within one region: a server that
// trusts another region's token key counts the uses of its tokens for itself.
//
// Rule session-token-redeemed-durably: the client is let in only after its redemption is on disk;
// so whenever the process dies, no token that was let in is let in again. A crash in between loses
// a use, never gains one: the client mints a new token.
//
// Rule session-token-reuse-is-suspected-theft: a refused further use is logged as such, kept in the
// audit log with the addresses of both clients, and told as an event, since either the client or
// the thief has it, and we can't know which was first. Only a retry that proves to be the same
// client is none (rules/redemption.h).
//
// Used by: actions/mint_session_token.h, actions/admit_connection.h
// Kept by: store/sqlite_redemptions.h
// Why:     docs/decisions/0002-session-tokens-are-jwts-redeemed-once.md
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/app.h"
#include "rules/leash.h"

namespace stagedoor::rules {

inline constexpr std::chrono::hours session_token_lifetime_max{24};
inline constexpr std::size_t session_token_bytes_max = 4096;
inline constexpr std::size_t session_token_subject_bytes_max = 256;
inline constexpr std::size_t session_token_metadata_bytes_max = 1024;
inline constexpr std::size_t session_token_origins_max = 8;
inline constexpr std::size_t session_token_origin_bytes_max = 256;
inline constexpr std::size_t session_token_regions_max = 8;
inline constexpr std::size_t session_token_region_bytes_max = 64;
// How far another region's clock may run ahead of ours.
inline constexpr std::chrono::seconds session_token_clock_skew_max{30};

using SessionTokenId = std::array<std::uint8_t, 16>;
std::string text_of(const SessionTokenId& id);
// 6 bytes of Unix milliseconds, then 10 random ones. Ids of one time stand together, so the store
// adds redemptions at one place and not all over; nobody can guess one, nor has a use for it.
SessionTokenId new_session_token_id(base::Random& random, base::Instant now);
// When it was minted, to the millisecond; the claims have whole seconds.
base::Instant minted_at(const SessionTokenId& id);

// Whether what a token says of its `type` is what one of our session tokens says.
bool is_session_token_type(std::string_view type);

// What a token for a persona says of it: where its content is kept, never what it says.
struct PersonaClaim {
  enum class Kind : unsigned char { none, inline_content, kept };
  Kind kind = Kind::none;    // type: session, ephemeral, stateful
  std::string address;       // persona: the snapshot's address in base64url
  std::string client_label;  // label: what whoever minted it calls the client; may be empty
  bool operator==(const PersonaClaim&) const = default;
};

struct SessionToken {
  SessionTokenId id;                              // jti
  std::string issuer;                             // iss
  std::string subject;                            // sub: the end user where known, else the app
  std::string account_id;                         // accountId: the workspace
  std::string app_id;                             // app
  std::string api_key_id;                         // key: who minted it, "key_..." or "acc_..."
  std::string region;                             // region
  Environment environment;                        // env
  std::string avatar_id;                          // avatar; empty: any of the workspace
  base::Instant issued_at;                        // iat, nbf
  base::Instant expires_at;                       // exp
  int uses_max;                                   // uses
  Leash leash;                                    // leash
  std::vector<std::string> regions = {};          // regions; empty: wherever the token is trusted
  std::vector<std::string> allowed_origins = {};  // origins
  std::string metadata = {};  // meta: a JSON object for whoever asks about the session; or empty
  PersonaClaim persona = {};
  // The end user; empty where the mint call named none.
  std::string_view end_user_id() const {
    return subject == app_id ? std::string_view() : std::string_view(subject);
  }
  bool operator==(const SessionToken&) const = default;
};

// The claims as JSON and back. `read_claims` is for text whose signature has been verified, and
// still takes nothing on trust: anything missing or odd is `unauthenticated`.
std::string claims_json(const SessionToken& token);
base::Result<SessionToken> read_claims(std::string_view json);

// Whether a token may be minted that ends at `expires_at`: `malformed` with a hint if not.
base::Result<base::Done> check_lifetime(base::Instant expires_at, base::Instant now);

// Whether a genuine token may open a session now: `token_expired`, or `unauthenticated` for one
// that is not valid yet.
base::Result<base::Done> check_time(const SessionToken& token, base::Instant now);

// The form of an origin as browsers send it (RFC 6454 6.2): scheme, "://", host, and a port unless
// it is the scheme's own; lower case, without a path.
bool is_origin(std::string_view text);

// Who may use a token that lists no origins: any client, or only one that is no browser's page.
enum class UnlistedOrigins : unsigned char { any, none };

// Whether a connection with this Origin field (nullopt: without one) may use the token: `forbidden`
// if not.
base::Result<base::Done> check_origin(const SessionToken& token,
                                      std::optional<std::string_view> origin,
                                      UnlistedOrigins unlisted);

// Whether the token may be used in this region: `forbidden` if not.
base::Result<base::Done> check_region(const SessionToken& token, std::string_view region);

}  // namespace stagedoor::rules
