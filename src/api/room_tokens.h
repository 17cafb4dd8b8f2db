// POST /v1/room-tokens/livekit and /v1/room-tokens/agora: an app's backend gets the token with
// which one participant enters one room of a service whose secret stays here (rules/room_token.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "actions/mint_room_token.h"
#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::api {

// Safe for concurrent use.
class RoomTokens {
 public:
  struct Options {
    std::string livekit_url;
    std::string agora_app_id;
  };
  RoomTokens(const actions::MintRoomToken& mint, Options options)
      : mint_(mint), options_(std::move(options)) {}

  void add_to(http::Router& router, const front::Guard& guard) const;

  void livekit(const rules::Caller& caller, const http::Request& request,
               http::Response& response) const;
  void agora(const rules::Caller& caller, const http::Request& request,
             http::Response& response) const;

 private:
  const actions::MintRoomToken& mint_;
  Options options_;
};

}  // namespace stagedoor::api
