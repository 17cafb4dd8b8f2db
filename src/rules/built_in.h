// What every workspace has without making it: an avatar, a voice and a language model.
//
// Rule built-in-ids: the ids that the vendors' documents print are names of ours for what is built
// in, in every workspace, so that the samples of those documents run as they are printed.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rules/app.h"
#include "rules/item_scope.h"

namespace stagedoor::rules {

struct BuiltIn {
  std::string_view id, name;
};
// As all built-in avatars are drawn.
inline constexpr std::string_view built_in_character = first_character;

// The first is what stands where none is named.
std::span<const BuiltIn> built_in_avatars();
std::span<const BuiltIn> built_in_voices();
std::span<const BuiltIn> built_in_language_models();

// The client gives the words itself; there is no language model.
inline constexpr std::string_view no_language_model_id = "CUSTOMER_CLIENT_V1";

// A built-in avatar as those of workspaces are; of no workspace.
Avatar avatar_of(const BuiltIn& one);

// The avatar that an id stands for in a scope, of whichever environment: one that is found there,
// or one that is built in.
std::optional<Avatar> avatar_in(const ItemScope& scope, const Catalog& catalog,
                                std::string_view id);

// The character of an avatar; that of built-in ones where there is no such avatar.
std::string character_of(const Catalog& catalog, std::string_view avatar_id);

// Null: not one of them. Ids compare byte by byte.
const BuiltIn* built_in_avatar(std::string_view id);
const BuiltIn* built_in_voice(std::string_view id);
const BuiltIn* built_in_language_model(std::string_view id);

}  // namespace stagedoor::rules
