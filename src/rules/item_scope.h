// Whose the things are that a workspace keeps: personas, avatars that it made, language models,
// tools, groups of documents, share links.
//
// Rule item-of-app: what an API key makes is its app's. For keys of other apps, and for the
// personas and sessions of other apps that name it, it is not found, as if it did not exist. What a
// person or the operator makes is the workspace's: keys of all its apps find it, and change it
// where they may. People find all that is their workspace's. Whoever changes a thing, it stays
// whose it is.
//
// Rule item-room-of-app: how much a workspace may keep is counted for live and test data apart, and
// one app's keys may take half of it; what a person made counts for the workspace alone. So a test
// key takes no room of live data, and whoever has stolen one app's key leaves room for the others.
// A document counts for the app whose group it is in; an avatar is of both environments.
//
// Used by: actions/keep_call.h, actions/mint_persona_token.h, anam/engine_sessions.h
// Kept by: store/scope_row.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rules/app.h"

namespace stagedoor::rules {

class Caller;

// Whose things a call means, or whose a thing is. An avatar is of both environments: there the
// environment says nothing.
struct ItemScope {
  std::string workspace_id;
  Environment environment = Environment::test;
  // Of a call: that of its key or session; empty: a person's, who means those of all apps.
  // Of a thing: whose it is; empty: the workspace's.
  std::string app_id = {};
};

// What a caller means, in an environment and in what both environments share.
ItemScope scope_of(const Caller& caller, Environment environment);
ItemScope scope_in_both_environments(const Caller& caller);

// How much there is already, in things or in bytes, of what a thing's scope counts together.
struct TakenRoom {
  std::int64_t of_workspace = 0;
  std::int64_t of_app = 0;  // of the thing's own; 0 for what is the workspace's
};
// Rule item-room-of-app. `whole` is what a workspace may keep.
bool has_room(const TakenRoom& taken, std::int64_t more, std::int64_t whole);

// Whether what is an app's, or the workspace's where `app_id` is empty, is found in the scope.
bool is_found_in(const ItemScope& scope, std::string_view workspace_id, std::string_view app_id);

}  // namespace stagedoor::rules
