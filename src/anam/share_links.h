// Share links: /v1/share-links and /v1/share-links/{id} for their owners (contract 1.9), and for
// anybody who has one POST /v1/auth/share-link, which is ours: it trades a link's token for a
// session token.
//
// A key sees the links of its own app and environment (rules/item_scope.h); a person says
// `?environment=`, live where nothing is said, and on making one `?appId=`.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/keep_share_link.h"
#include "actions/open_share_link.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/share_link.h"

namespace stagedoor::anam {

inline constexpr std::string_view open_link_path = "/v1/auth/share-link";

// Safe for concurrent use.
class ShareLinks {
 public:
  struct Parts {
    const actions::KeepShareLink& keep;
    const actions::OpenShareLink& open;
    rules::ShareLinks& links;
  };
  explicit ShareLinks(Parts parts) : parts_(parts) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  using Call = actions::KeepCall;
  void list(const Call& call, const http::Request& request, http::Response& response) const;
  void create(const Call& call, const http::Request& request, http::Response& response) const;
  void show(const Call& call, const http::Request& request, http::Response& response) const;
  void change(const Call& call, const http::Request& request, http::Response& response) const;
  void remove(const Call& call, const http::Request& request, http::Response& response) const;
  void open(const http::Request& request, http::Response& response) const;

  Parts parts_;
};

}  // namespace stagedoor::anam
