#include "rules/catalog_item.h"

#include <map>
#include <utility>

namespace stagedoor::rules {

std::string_view name_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::language_model:
      return "language_model";
    case ItemKind::tool:
      return "tool";
    case ItemKind::knowledge_group:
      return "knowledge_group";
  }
  std::unreachable();
}

std::string_view words_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::language_model:
      return "language model";
    case ItemKind::tool:
      return "tool";
    case ItemKind::knowledge_group:
      return "knowledge group";
  }
  std::unreachable();
}

ItemRefusal refusal_of(ItemFaults faults) {
  const auto& first = faults.front();
  std::string hint = first.path.empty() ? first.message : first.path + ": " + first.message;
  return {.error = {base::ErrorCode::malformed, "what is not in its form", std::move(hint)},
          .faults = std::move(faults)};
}

std::string merged_members(std::string_view before, const base::Json& change) {
  std::map<std::string, std::string, std::less<>> members;
  const auto put = [&](const base::Json& json) {
    simdjson::dom::object object;
    if (json.element().get(object) != simdjson::SUCCESS) return;
    for (const auto member : object) {
      auto& text = members[std::string(member.key)];
      text.clear();
      base::append_canonical(text, base::Json(member.value));
    }
  };
  base::JsonReader reader;
  if (const auto json = reader.read(before)) put(*json);
  put(change);
  std::string text = "{";
  for (const auto& [name, value] : members) {
    if (text.size() > 1) text += ',';
    base::append_json_string(text, name);
    text.append(":").append(value);
  }
  return text + "}";
}

std::string text_in(const base::Json& object, std::string_view name) {
  const auto member = object.member(name);
  return std::string(member ? member->text().value_or("") : "");
}

std::expected<base::Json, ItemFaults> changed_content(const CatalogItem& before,
                                                      const base::Json& change,
                                                      base::JsonReader& reader) {
  if (!change.is_object())
    return std::unexpected(ItemFaults{{"", "invalid_type", "The body must be an object."}});
  const auto json = reader.read(merged_members(before.content, change));
  if (!json) return std::unexpected(ItemFaults{{"", "invalid_form", json.error().hint}});
  return *json;
}

}  // namespace stagedoor::rules
