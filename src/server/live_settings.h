// Settings of live faces: where media go, and which engines speak, think and listen.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stagedoor::server {

struct LiveSettings {
  int threads = 0;  // 0: one per core
  std::size_t faces_max = 64;

  std::string udp_address;  // empty: the host of server.listen
  std::uint16_t udp_first_port = 0, udp_last_port = 0;
  std::vector<std::string> public_addresses;

  std::vector<std::string> stun_urls, turn_urls;
  std::string turn_secret_file;  // shared with the TURN server (coturn's use-auth-secret)
  std::int64_t turn_credential_seconds = 3600;

  // "ID=NAME": what the ids of voices and language models mean to the engines.
  std::vector<std::string> voices = {"6bfbe25a-979d-40f3-a92b-5394170af54b=slt",
                                     "de23e340-1416-4dd8-977d-065a7ca11697=rms"};
  std::vector<std::string> models;

  // An OpenAI-compatible endpoint each; empty: the built-in engine.
  struct Endpoint {
    std::string url, key_file, model;
  };
  Endpoint speech, chat, recognizer;
  std::string speech_voice = "alloy";
  bool allow_private_engines = false;  // engines at addresses of this network
  // Tools of personas and language models of workspaces at addresses of this network.
  bool allow_private_webhooks = false;

  // What sessions leave of themselves (rules/session_report.h).
  std::chrono::days reports_kept_for{30};  // 0: nothing
  bool keep_transcripts = true;

  std::string espeak_program = "/usr/bin/espeak-ng";
  std::string pocketsphinx_model = "/usr/share/pocketsphinx/model/en-us";
};

}  // namespace stagedoor::server
