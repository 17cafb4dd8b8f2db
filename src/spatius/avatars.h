// GET /v2/character/{id}: what a client needs to know of an avatar before any session.
//
// Public: it wants an App ID and no token (the seed's note on AvatarManager.load). The App ID comes
// in the header X-App-ID or the query parameter appId; where the vendor's clients carry it is not
// known (contract 2). The answer has the contract's members; its `remote` addresses point back
// here: our avatars are face sheets, not the vendor's splats.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "http/request.h"
#include "http/response.h"
#include "rules/app.h"

namespace stagedoor::spatius {

// Safe for concurrent use.
class Avatars {
 public:
  struct Parts {
    const rules::Catalog& catalog;
  };
  struct Options {
    // Where clients reach us, without a slash at the end.
    std::string public_url;
  };
  Avatars(Parts parts, Options options);

  void metadata(const http::Request& request, http::Response& response) const;
  void camera(const http::Request& request, http::Response& response) const;
  // Two seconds of rest: what the avatar does while it has nothing to say, 25 faces a second.
  void idle_animation(const http::Request& request, http::Response& response) const;
  // The answer to a browser's question whether another origin's page may ask.
  static void preflight(const http::Request& request, http::Response& response);

 private:
  // Null, and the refusal is written, where the app or the avatar is unknown.
  std::optional<rules::Avatar> known(const http::Request& request, http::Response& response) const;

  Parts parts_;
  Options options_;
  std::string idle_;  // the answer of idle_animation, made once
};

}  // namespace stagedoor::spatius
