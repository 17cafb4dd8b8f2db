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

}  // namespace stagedoor::rules
