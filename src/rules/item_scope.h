// Whose the things are that a workspace keeps: personas, avatars that it made, language models,
// tools, groups of documents, share links.
//
// Rule item-of-app: what an API key makes is its app's. For keys of other apps, and for the
// personas and sessions of other apps that name it, it is not found, as if it did not exist. What a
// person or the operator makes is the workspace's: keys of all its apps find it, and change it
// where they may. People find all that is their workspace's. Whoever changes a thing, it stays
// whose it is.
//
// Used by: actions/keep_call.h, actions/mint_persona_token.h, anam/engine_sessions.h
// Kept by: store/scope_row.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

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

// Whether what is an app's, or the workspace's where `app_id` is empty, is found in the scope.
bool is_found_in(const ItemScope& scope, std::string_view workspace_id, std::string_view app_id);

}  // namespace stagedoor::rules
