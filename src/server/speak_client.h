// One utterance said to a Motion Server over the network, as any client says it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/speak_motion.h"

namespace stagedoor::server {

struct SpeakTarget {
  std::string server_url;  // http://host[:port][/prefix]
  std::string api_key;
  std::string app_id;
  std::string avatar_id;
};

struct SpeakUtterance {
  int rate_hz = 0;
  bool ogg_opus = false;
  std::vector<std::string> chunks;  // sent in order, the last with the end mark
};

// How far it is, told after each chunk sent and each message received.
struct SpeakProgress {
  std::size_t chunks_sent = 0;
  std::size_t frames = 0;
};

struct SpeakReply {
  SpokenMotion motion;
  std::size_t frames = 0;                           // keyframes, named or not
  std::chrono::duration<double> to_first_frame{0};  // from the first chunk sent
  std::chrono::duration<double> total{0};           // from before the first connection
};

// Mints a session token, opens the WebSocket with it, sends the utterance as fast as the server
// takes it and receives until the server's end mark. Runs on the calling thread. Each connection
// has 10 s, each silence of the server 30 s.
//
// Every refusal has a hint in words for the user, which holds neither key nor token. `malformed`
// is a target that cannot be asked at all (the URL, a key with line breaks in it), `forbidden` what
// the server refused, `unavailable` a server that was not reached or fell silent.
base::Result<SpeakReply> speak_to(const SpeakTarget& target, const SpeakUtterance& utterance,
                                  const std::function<void(const SpeakProgress&)>& progress);

}  // namespace stagedoor::server
