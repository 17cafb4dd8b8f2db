// The avatars of a workspace and those that are built in: /v1/avatars and /v1/avatars/{id}
// (contract 1.4).
//
// Another vendor has GET /v1/avatars and GET /v1/avatars/{id} too, for anybody and in another
// shape. Which of the two answers is decided by who asks (server/shared_avatars.h): whoever shows
// an API key gets this dialect. These two answers hold what the other vendor's clients read as
// well, so that its clients that send their key with every call go on working.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "actions/keep_avatar.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/app.h"
#include "rules/avatar_records.h"

namespace stagedoor::anam {

// Safe for concurrent use.
class Avatars {
 public:
  struct Parts {
    const actions::KeepAvatar& keep;
    rules::AvatarRecords& avatars;
    const rules::Catalog& catalog;
    std::string public_url;  // without a slash at its end
    // A character as a PNG; `not_found`. It may take a moment, once.
    std::function<base::Result<std::string>(std::string_view character)> picture;
  };
  explicit Avatars(Parts parts) : parts_(std::move(parts)) {}

  // All but the two calls that two vendors have.
  void add_to(http::Router& router, const front::Guard& guard) const;
  http::WaitingHandler list_for_keys(const front::Guard& guard) const;
  http::WaitingHandler show_for_keys(const front::Guard& guard) const;

 private:
  using Caller = rules::Caller;
  void list(const Caller& caller, const http::Request& request, http::Response& response) const;
  void show(const Caller& caller, const http::Request& request, http::Response& response) const;
  void create(const Caller& caller, const http::Request& request, http::Response& response) const;
  void rename(const Caller& caller, const http::Request& request, http::Response& response) const;
  void remove(const Caller& caller, const http::Request& request, http::Response& response) const;
  void show_picture(const http::Request& request, http::Response& response) const;
  void append(std::string& out, const rules::Avatar& avatar, std::string_view request_id) const;
  void answer(const http::Request& request, http::Response& response, int status,
              const rules::Avatar& avatar) const;

  Parts parts_;
};

}  // namespace stagedoor::anam
