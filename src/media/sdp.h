// A WebRTC offer read, and the answer of an ICE-lite, passive server that plays one face: a picture
// (VP8), its sound (Opus), data channels (RFC 8866, RFC 8829, RFC 8841, RFC 8843). Pure.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "media/dtls.h"
#include "media/endpoint.h"

namespace stagedoor::media {

inline constexpr std::size_t offer_bytes_max = 65536;
inline constexpr std::size_t offer_sections_max = 8;
inline constexpr std::size_t channel_message_max = 65536;  // a=max-message-size of our answers

enum class Direction { sendrecv, sendonly, recvonly, inactive };
enum class Use { refused, picture, sound, channels };

// One m-line of an offer, and what becomes of it: the first that fits each use is used, others are
// answered with port 0 (RFC 3264 6).
struct Section {
  Use use = Use::refused;
  std::string kind, protocol, first_format, mid;
  Direction direction = Direction::sendrecv;  // what the offerer means to do
};

struct Offer {
  std::vector<Section> sections;       // in the offer's order; one of them is a picture
  std::string ice_user, ice_password;  // the client's; another pair is an ICE restart
  CertificateHash certificate{};
  std::uint8_t vp8 = 0, opus = 0;  // payload types; `opus` means something if there is sound
  bool has_nack = false, has_pli = false, has_fir = false;  // feedback offered for the picture
  bool has_sound = false, has_channels = false;
  std::uint16_t sctp_port = 5000;
  std::size_t message_bytes_max = channel_message_max;  // that the client takes, at most ours
};

// Candidates are passed over: an ICE-lite server learns where a client is from its checks.
// `malformed`: not SDP, or beyond a limit. `unsupported`: no VP8 picture that the client receives,
// not all in one BUNDLE with rtcp-mux, no SHA-256 fingerprint, passive, or itself ICE-lite. The
// error's hint says which.
base::Result<Offer> read_offer(std::string_view sdp);

struct AnswerParts {
  std::string_view ice_user, ice_password;  // ours
  const CertificateHash& certificate;       // ours
  const std::vector<Endpoint>& candidates;
  std::string_view stream_name;  // of the MediaStream that both tracks share; also the cname
  std::uint32_t picture_source = 0, sound_source = 0;  // SSRC
  std::uint64_t session_id = 0, session_version = 0;   // for o=
};
std::string write_answer(const Offer& offer, const AnswerParts& parts);

// "6C:4F:..."
std::string fingerprint_text(const CertificateHash& hash);

}  // namespace stagedoor::media
