// /v1/conversations and what lies under it, and speech: what takes an API key or a person's JWT
// (contract 1.3 to 1.5).
//
// Ours: a person names the app with `?appId=` and the environment with `?environment=`; the list of
// conversations; 501 for a reply or for sound, after everything about the call has been checked,
// since no engine stands behind this door.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "actions/hold_conversation.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/app.h"
#include "rules/conversation.h"

namespace stagedoor::avatarium {

// Safe for concurrent use.
class Conversations {
 public:
  struct Parts {
    const actions::HoldConversation& hold;
    rules::Conversations& conversations;
    const rules::Catalog& catalog;
    std::string public_url;
  };
  explicit Conversations(Parts parts) : parts_(std::move(parts)) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  using Caller = rules::Caller;
  void begin(const Caller& caller, const http::Request& request, http::Response& response) const;
  void list(const Caller& caller, const http::Request& request, http::Response& response) const;
  void show(const Caller& caller, const http::Request& request, http::Response& response) const;
  void end(const Caller& caller, const http::Request& request, http::Response& response) const;
  void forget(const Caller& caller, const http::Request& request, http::Response& response) const;
  void say(const Caller& caller, const http::Request& request, http::Response& response) const;
  void speak(const Caller& caller, const http::Request& request, http::Response& response) const;
  void preview(const Caller& caller, const http::Request& request, http::Response& response) const;

  std::optional<actions::ChosenApp> chosen(const Caller& caller, const http::Request& request,
                                           http::Response& response) const;

  Parts parts_;
};

}  // namespace stagedoor::avatarium
