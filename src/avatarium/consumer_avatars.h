// /v1/consumer-avatars: the avatars that a person has made (contract 1.6). Any person whom an
// issuer of ours vouches for, also one without a workspace; an API key is no person.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/consumer_avatar.h"

namespace stagedoor::avatarium {

// Safe for concurrent use.
class ConsumerAvatars {
 public:
  struct Parts {
    rules::ConsumerAvatars& avatars;
    const base::Clock& clock;
    base::Random& random;
    std::string public_url;
  };
  explicit ConsumerAvatars(Parts parts) : parts_(std::move(parts)) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void list(const rules::Caller& caller, const http::Request& request,
            http::Response& response) const;
  void create(const rules::Caller& caller, const http::Request& request,
              http::Response& response) const;
  void append(std::string& out, const rules::ConsumerAvatar& avatar) const;

  Parts parts_;
};

}  // namespace stagedoor::avatarium
