#include "rules/built_in.h"

#include <algorithm>
#include <array>
#include <string>

namespace stagedoor::rules {
namespace {

constexpr std::array<BuiltIn, 4> avatars = {{
    {"30fa96d0-26c4-4e55-94a0-517025942e18", "Cara"},
    {"071b0286-4cce-4808-bee2-e642f1062de3", "Liv"},
    {"aria-001", "Aria"},
    {"female-01", "Female 01"},
}};

constexpr std::array<BuiltIn, 2> voices = {{
    {"6bfbe25a-979d-40f3-a92b-5394170af54b", "Built-in voice"},
    {"de23e340-1416-4dd8-977d-065a7ca11697", "Built-in voice"},
}};

constexpr std::array<BuiltIn, 4> language_models = {{
    {"a7cf662c-2ace-4de1-a21e-ef0fbf144bb7", "Built-in language model"},
    {"0934d97d-0c3a-4f33-91b0-5e136a0ef466", "Built-in language model"},
    {"7736a22f-2d79-4720-952c-25fdca55ad40", "Built-in language model"},
    {no_language_model_id, "No language model"},
}};

const BuiltIn* find(std::span<const BuiltIn> all, std::string_view id) {
  const auto found = std::ranges::find(all, id, &BuiltIn::id);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::span<const BuiltIn> built_in_avatars() {
  return avatars;
}
std::span<const BuiltIn> built_in_voices() {
  return voices;
}
std::span<const BuiltIn> built_in_language_models() {
  return language_models;
}

Avatar avatar_of(const BuiltIn& one) {
  return {.id = std::string(one.id),
          .workspace_id = {},
          .name = std::string(one.name),
          .version = "1",
          .character = std::string(built_in_character)};
}

std::optional<Avatar> avatar_in(const ItemScope& scope, const Catalog& catalog,
                                std::string_view id) {
  if (const auto* one = built_in_avatar(id)) {
    auto avatar = avatar_of(*one);
    avatar.workspace_id = scope.workspace_id;
    return avatar;
  }
  auto avatar = catalog.avatar(id);
  if (!avatar || !is_found_in(scope, avatar->workspace_id, avatar->app_id)) return std::nullopt;
  return avatar;
}

std::string character_of(const Catalog& catalog, std::string_view avatar_id) {
  const auto avatar = catalog.avatar(avatar_id);
  return avatar ? avatar->character : std::string(built_in_character);
}

const BuiltIn* built_in_avatar(std::string_view id) {
  return find(avatars, id);
}
const BuiltIn* built_in_voice(std::string_view id) {
  return find(voices, id);
}
const BuiltIn* built_in_language_model(std::string_view id) {
  return find(language_models, id);
}

}  // namespace stagedoor::rules
