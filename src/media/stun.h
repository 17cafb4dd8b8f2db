// STUN Binding as an ICE-lite agent needs it (RFC 8489, RFC 8445 7.3): read a request, prove that
// its sender knows the session's password, answer it. Pure.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "crypto/hmac_sha1.h"
#include "media/endpoint.h"

namespace stagedoor::media {

inline constexpr std::size_t stun_message_max = 1280;  // a longer one is no check of anybody
inline constexpr std::size_t stun_answer_max = 128;

enum class StunKind { request, indication, success, error };
enum class IceRole { none, controlling, controlled };

// What a Binding message says. Its views point into the message.
struct StunMessage {
  StunKind kind = StunKind::request;
  std::array<std::uint8_t, 12> transaction{};
  std::string_view username;  // empty: none
  bool nominates = false;     // USE-CANDIDATE
  IceRole role = IceRole::none;
  std::optional<Endpoint> mapped;            // XOR-MAPPED-ADDRESS
  std::array<std::uint16_t, 4> not_known{};  // comprehension-required types that we don't know
  std::size_t not_known_count = 0;
  std::size_t integrity_at = 0;  // where MESSAGE-INTEGRITY begins in the message; 0: none

  // The receiver's half of the user name, before the colon (RFC 8445 7.2.2).
  std::string_view local_user() const { return username.substr(0, username.find(':')); }
};

// Looks like STUN rather than DTLS or RTP (RFC 7983 7).
inline bool is_stun(Bytes datagram) {
  return !datagram.empty() && datagram[0] < 4;
}

// nullopt: not a Binding message that keeps the form, of at most `stun_message_max` bytes, with a
// right FINGERPRINT as its end (which ICE always has, RFC 8445 7.1). To be dropped unanswered.
std::optional<StunMessage> read_stun(Bytes message);

// Whether its MESSAGE-INTEGRITY was made with this password. Takes the same time whatever differs.
bool has_integrity(const StunMessage& read, Bytes message, const crypto::HmacSha1Key& password);

// Answers: written into `out` (of `stun_answer_max`), as long as said. A success tells the sender
// where we see it, under the password; an error carries no integrity, as no key may be shared.
std::size_t write_stun_success(MutableBytes out, const StunMessage& request, const Endpoint& from,
                               const crypto::HmacSha1Key& password);
enum class StunError : std::uint16_t {
  bad_request = 400,        // no user name, or no integrity
  unauthenticated = 401,    // the password is another
  unknown_attribute = 420,  // names those that we don't know
  role_conflict = 487,      // it means to be controlled; we are, always (RFC 8445 7.3.1.1)
};
std::size_t write_stun_error(MutableBytes out, const StunMessage& request, StunError error);

}  // namespace stagedoor::media
