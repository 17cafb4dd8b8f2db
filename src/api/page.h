// The page at / and its own backend: a person tries a voice on the face, with nothing installed.
//
// Rule page-mints-for-its-own: the page's backend mints with an API key of its own, through the
// same checks as any other, and only for a page that this server itself delivered: same origin,
// and by default only on this machine, since whoever may open the page may open sessions. What any
// proxy has touched is not from this machine; one here that rewrites Host and adds no field at all
// can't be told from a browser: who runs such a one says so with server.public_url or
// page.open_to = "nobody".
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "actions/admit_call.h"
#include "actions/mint_session_token.h"
#include "base/clock.h"
#include "base/secret.h"
#include "http/router.h"

namespace stagedoor::api {

// Safe for concurrent use.
class Page {
 public:
  struct Parts {
    const actions::AdmitCall& admit;
    const actions::MintSessionToken& mint;
    const base::Clock& clock;
  };
  enum class OpenTo { nobody, loopback, everyone };
  struct Options {
    OpenTo open_to = OpenTo::loopback;
    base::Secret api_key;  // empty: the page can't open sessions
    std::string avatar_id;
    std::string region;
    std::string sample_file;  // a WAV of at most 4 MiB, read once; need not exist
  };
  Page(Parts parts, Options options);

  // Adds the page's files, POST /door/session and GET /door/sample.wav.
  void add_to(http::Router& router) const;

  // POST /door/session: {"appId","avatarId","sessionToken","region","sampleRate"}.
  void session(const http::Request& request, http::Response& response) const;
  void sample(const http::Request& request, http::Response& response) const;

 private:
  // Whether the request comes from a browser on this machine, as far as a server can tell.
  bool is_local(const http::Request& request) const;
  std::optional<std::string> why_not(const http::Request& request) const;

  Parts parts_;
  Options options_;
  std::string sample_;  // empty: there is none
};

}  // namespace stagedoor::api
