// The JSON messages of the signalling socket (contract 3.4): {actionType, sessionId, payload}.
//
// Read as leniently as the vendor's clients need it: action names in any case, unknown actions told
// apart from broken text, since the former are none of our business and the latter is a fault.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace stagedoor::anam {

// What one message may hold: 10 s of sound at 48 kHz in base64, with room for its frame.
inline constexpr std::size_t signalling_bytes_max = 2u << 20;
inline constexpr std::size_t talk_characters_max = 20'000;
inline constexpr std::size_t correlation_characters_max = 128;

struct Offer {
  std::string sdp;
};
// Our side needs none (ICE-lite): whoever proves that it knows our password is the peer.
struct Candidate {};
struct Heartbeat {};
struct TalkChunk {
  std::string content;
  bool starts = false, ends = false;
  std::string correlation_id;  // empty: the client gave none
  std::string utterance_id;
};
struct AgentSound {
  std::vector<std::int16_t> samples;  // mono
  int rate_hz = 0;
};
struct AgentSoundEnd {};
struct UnknownAction {
  std::string name;  // at most 64 characters
};
using SignallingMessage =
    std::variant<Offer, Candidate, Heartbeat, TalkChunk, AgentSound, AgentSoundEnd, UnknownAction>;

// `malformed`, with a hint. Two channels of sound are mixed into one.
base::Result<SignallingMessage> read_signalling_message(std::string_view text);

// Messages for the client. Keys in the order that the strictest client wants; a payload always.
std::string answer_message(std::string_view session_id, std::string_view sdp);
std::string session_ready_message(std::string_view session_id);
std::string talk_interrupted_message(std::string_view session_id, std::string_view correlation_id);
std::string warning_message(std::string_view session_id, std::string_view words);
std::string end_session_message(std::string_view session_id, std::string_view reason);
std::string heartbeat_message(std::string_view session_id);

}  // namespace stagedoor::anam
