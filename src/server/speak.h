// `stagedoor speak FILE`: says a recording to a running server and shows the motion that comes
// back.
//
// A client like any other: it mints a session token with the API key, opens the Motion Server's
// WebSocket with it, sends the sound as fast as the server takes it, and receives faces until the
// utterance ends. The API key appears nowhere but in the request that mints.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

namespace stagedoor::server {

struct SpeakOptions {
  std::string file;  // anything that libsndfile reads
  std::string server_url = "http://127.0.0.1:8700";
  // One of the two: a file that holds the key, or the key.
  std::string api_key_file;
  std::string api_key;
  std::string app_id;
  std::string avatar_id;
  std::string motion_json;  // where to write the motion; empty: nowhere
  std::string plot_png;     // where to draw sound and motion; empty: nowhere
  bool opus = false;        // send Ogg Opus instead of PCM
  bool quiet = false;       // no progress, no figures; only what went wrong
};

// Figures go to stdout, progress and complaints to stderr. Gives the exit code: 0 done, 1 refused
// or failed, 2 asked for wrongly.
int speak(const SpeakOptions& options);

}  // namespace stagedoor::server
