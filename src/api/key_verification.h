// POST /v1/keys/verify: whether keys are good, for people's own backends. From memory, on the loop.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/verify_api_keys.h"
#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class KeyVerification {
 public:
  explicit KeyVerification(const actions::VerifyApiKeys& verify) : verify_(verify) {}

  // {"key": text} is answered with one object, {"keys": [texts]} with {"data": [objects]} in their
  // order. Beside them: "scopes" that each must have, "network" whence it was shown, and of a
  // person "environment".
  void operator()(const rules::Caller& caller, const http::Request& request,
                  http::Response& response) const;
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  const actions::VerifyApiKeys& verify_;
};

}  // namespace stagedoor::api
