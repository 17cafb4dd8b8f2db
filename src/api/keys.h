// API keys over our own API: /v1/keys and what is below it. A key's text is in one answer only, the
// one that made it; no answer may be stored.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/key_verbs.h"
#include "base/clock.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/key_usage.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class Keys {
 public:
  struct Parts {
    const actions::KeyVerbs& verbs;
    const rules::KeyUses& uses;
    const base::Clock& clock;
  };
  explicit Keys(Parts parts) : parts_(parts) {}

  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  using Caller = rules::Caller;
  using Request = http::Request;
  using Response = http::Response;
  void create(const Caller& caller, const Request& request, Response& response) const;
  void import(const Caller& caller, const Request& request, Response& response) const;
  void list(const Caller& caller, const Request& request, Response& response) const;
  void one(const Caller& caller, const Request& request, Response& response) const;
  void freeze(const Caller& caller, const Request& request, Response& response) const;
  void unfreeze(const Caller& caller, const Request& request, Response& response) const;
  void revoke(const Caller& caller, const Request& request, Response& response) const;
  void revoke_self(const Caller& caller, const Request& request, Response& response) const;
  void rotate(const Caller& caller, const Request& request, Response& response) const;
  void rotate_app(const Caller& caller, const Request& request, Response& response) const;
  void blast_radius(const Caller& caller, const Request& request, Response& response) const;
  void reply_key(Response& response, const base::Result<rules::ApiKey>& key) const;

  Parts parts_;
};

}  // namespace stagedoor::api
