// POST /v1/keys/verify: whether keys are good, for people's own backends. From memory, on the loop.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "actions/verify_api_keys.h"
#include "base/result.h"
#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::api {

// What is asked about which keys, as a body says it; texts are valid until another body is read on
// the thread.
struct KeyQuestion {
  std::optional<std::string_view> one;  // nullopt: it is a list
  std::vector<std::string_view> list;
  actions::VerifyApiKeys::Asked asked;

  std::span<const std::string_view> texts() const {
    return one ? std::span(&*one, 1) : std::span<const std::string_view>(list);
  }
};
// `malformed` with a hint that names the member.
base::Result<KeyQuestion> read_key_question(std::string_view json);

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
