// The Avatarium door, built: its classes and what only it needs.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <string>

#include "actions/hold_conversation.h"
#include "avatarium/consumer_avatars.h"
#include "avatarium/conversations.h"
#include "avatarium/open_calls.h"
#include "http/router.h"
#include "server/reception.h"
#include "server/workspace.h"
#include "store/sqlite_consumer_avatars.h"
#include "store/sqlite_conversations.h"

namespace stagedoor::server {

// Safe for concurrent use. Outlives the router.
class AvatariumDoor {
 public:
  AvatariumDoor(Workspace& workspace, const Reception& reception, const std::string& public_url,
                std::function<std::string()> why_not_ready)
      : reception_(reception),
        kept_conversations_(*workspace.writer, *workspace.readers, *workspace.audit),
        kept_avatars_(*workspace.writer, *workspace.readers, *workspace.audit),
        hold_({.catalog = *workspace.catalog,
               .conversations = kept_conversations_,
               .clock = workspace.clock,
               .random = workspace.random}),
        open_calls_({.why_not_ready = std::move(why_not_ready), .public_url = public_url}),
        conversations_({.hold = hold_,
                        .conversations = kept_conversations_,
                        .catalog = *workspace.catalog,
                        .public_url = public_url}),
        consumer_avatars_({.avatars = kept_avatars_,
                           .clock = workspace.clock,
                           .random = workspace.random,
                           .public_url = public_url}) {}

  void add_to(http::Router& router) const {
    open_calls_.add_to(router, reception_.avatarium());
    conversations_.add_to(router, reception_.avatarium());
    consumer_avatars_.add_to(router, reception_.avatarium());
  }
  http::Handler list_avatars() const { return open_calls_.list_avatars(reception_.avatarium()); }
  http::Handler show_avatar() const { return open_calls_.show_avatar(reception_.avatarium()); }

 private:
  const Reception& reception_;
  store::SqliteConversations kept_conversations_;
  store::SqliteConsumerAvatars kept_avatars_;
  actions::HoldConversation hold_;
  avatarium::OpenCalls open_calls_;
  avatarium::Conversations conversations_;
  avatarium::ConsumerAvatars consumer_avatars_;
};

}  // namespace stagedoor::server
