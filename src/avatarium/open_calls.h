// What needs no credential: health, the preset avatars, the list of voices (contract 1.2).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <string>

#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::avatarium {

// Safe for concurrent use.
class OpenCalls {
 public:
  struct Parts {
    std::function<std::string()> why_not_ready;  // empty: all is well
    std::string public_url;                      // without a slash at its end
  };
  explicit OpenCalls(Parts parts) : parts_(std::move(parts)) {}
  // All but the two calls on avatars that another vendor has as well.
  void add_to(http::Router& router, const front::Guard& guard) const;
  http::Handler list_avatars(const front::Guard& guard) const;
  http::Handler show_avatar(const front::Guard& guard) const;

 private:
  void health(const http::Request& request, http::Response& response) const;
  void avatars(const http::Request& request, http::Response& response) const;
  void avatar(const http::Request& request, http::Response& response) const;
  void model(const http::Request& request, http::Response& response) const;
  void voices(const http::Request& request, http::Response& response) const;

  Parts parts_;
};

}  // namespace stagedoor::avatarium
