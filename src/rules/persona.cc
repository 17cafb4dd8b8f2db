#include "rules/persona.h"

#include <algorithm>
#include <map>

#include "rules/built_in.h"
#include "rules/persona_shape.h"
#include "rules/test_mode.h"
#include "rules/tool.h"

namespace stagedoor::rules {
namespace {

using base::Json;

// One parser per thread is enough: what it gives is used up before it reads again.
base::Result<Json> parsed(std::string_view text) {
  thread_local base::JsonReader reader;
  return reader.read(text);
}

template <class Each>
void each_member(const Json& json, Each each) {
  simdjson::dom::object members;
  if (json.element().get(members) != simdjson::SUCCESS) return;
  for (const auto member : members) each(member.key, Json(member.value));
}

using MemberTexts = std::map<std::string, std::string, std::less<>>;

std::string object_text(const MemberTexts& members) {
  std::string text = "{";
  for (const auto& [name, value] : members) {
    if (text.size() > 1) text += ',';
    base::append_json_string(text, name);
    text.append(":").append(value);
  }
  return text + "}";
}

}  // namespace

void PersonaContent::add_groups_of(const Json& tool) {
  ++tool_count_;
  simdjson::dom::array ids;
  const auto list = tool.member("documentFolderIds");
  if (text_in(tool, "subtype") != "knowledge" || !list ||
      list->element().get(ids) != simdjson::SUCCESS)
    return;
  for (const auto id : ids)
    searched_groups_.push_back({tool_count_ - 1, std::string(Json(id).text().value_or(""))});
}

PersonaContent PersonaContent::of(std::string canonical, const Json& json) {
  PersonaContent content;
  content.json_ = std::move(canonical);
  content.name_ = text_in(json, "name");
  content.avatar_id_ = text_in(json, "avatarId");
  content.voice_id_ = text_in(json, "voiceId");
  content.language_model_id_ = text_in(json, "llmId");
  // The older name of the same member.
  if (content.language_model_id_.empty()) content.language_model_id_ = text_in(json, "brainType");
  if (const auto length = json.member("maxSessionLengthSeconds"))
    if (const auto seconds = length->integer())
      content.length_max_ = std::chrono::seconds(*seconds);
  simdjson::dom::array ids;
  if (const auto list = json.member("toolIds");
      list && list->element().get(ids) == simdjson::SUCCESS)
    for (const auto id : ids) content.tool_ids_.emplace_back(Json(id).text().value_or(""));
  if (const auto list = json.member("tools"); list && list->element().get(ids) == simdjson::SUCCESS)
    for (const auto tool : ids) content.add_groups_of(Json(tool));
  return content;
}

std::expected<PersonaContent, Faults> PersonaContent::read(const Json& json, PersonaForm form,
                                                           const std::string& path) {
  Faults faults;
  auto canonical = persona_shape(form).read(json, path, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return of(std::move(canonical), json);
}

std::expected<PersonaContent, Faults> PersonaContent::changed(const Json& change) const {
  Faults faults;
  if (!change.is_object()) {
    base::add_fault(faults, "", "invalid_type", "The body must be an object.");
    return std::unexpected(std::move(faults));
  }
  MemberTexts members;
  each_member(change, [&](std::string_view name, const Json& value) {
    base::append_canonical(members[std::string(name)], value);
  });
  thread_local base::JsonReader reader;
  const auto before = reader.read(json_);
  if (!before) return std::unexpected(Faults{{"", "unavailable", before.error().detail}});
  // Settings of a voice mean nothing to another one, and neither does a model of another avatar.
  const bool leaves_voice = members.contains("voiceId");
  const bool leaves_avatar = members.contains("avatarId");
  const auto is_reset = [&](std::string_view name) {
    return (name == "voiceGenerationOptions" && leaves_voice) ||
           (name == "avatarModel" && leaves_avatar);
  };
  each_member(*before, [&](std::string_view name, const Json& value) {
    if (members.contains(name) || is_reset(name)) return;
    base::append_canonical(members[std::string(name)], value);
  });
  const auto json = reader.read(object_text(members));
  if (!json) return std::unexpected(Faults{{"", "invalid_form", json.error().hint}});
  auto canonical = changed_persona_shape().read(*json, "", faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return of(std::move(canonical), *json);
}

base::Result<PersonaContent> PersonaContent::of_canonical(std::string_view text) {
  const auto json = parsed(text);
  if (!json || !json->is_object())
    return base::fail(base::ErrorCode::unavailable, "a persona in the store is no JSON object");
  return of(std::string(text), *json);
}

PersonaContent PersonaContent::first(std::string_view avatar_id) {
  std::string text = "{\"avatarId\":";
  base::append_json_string(text, avatar_id);
  text += ",\"name\":\"Ada\",\"systemPrompt\":\"You are Ada, a friendly guide.\"}";
  return *of_canonical(text);
}

PersonaContent PersonaContent::with_tools(const std::vector<std::string>& tools) const {
  thread_local base::JsonReader reader;
  const auto json = reader.read(json_);
  MemberTexts members;
  if (json)
    each_member(*json, [&](std::string_view name, const Json& value) {
      base::append_canonical(members[std::string(name)], value);
    });
  auto& list = members["tools"];
  if (list.empty()) list = "[]";
  list.pop_back();
  for (const auto& tool : tools) {
    if (list.size() > 1) list += ',';
    list += tool;
  }
  list += ']';
  return *of_canonical(object_text(members));
}

std::expected<std::string, Faults> read_session_options(const Json& json, const std::string& path) {
  Faults faults;
  auto canonical = session_options_shape().read(json, path, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return canonical;
}

namespace {

// Adds a fault where there is no such item.
base::Result<base::Done> look_for(const PersonaScope& scope, CatalogItems& items, ItemKind kind,
                                  std::string_view id, const std::string& path, Faults& faults) {
  const auto found = items.find(scope, kind, id);
  if (found) return base::Done{};
  if (found.error().code != base::ErrorCode::not_found) return base::fail(found.error());
  base::add_fault(faults, path, "unknown_reference",
                  "There is no " + std::string(words_of(kind)) + " with this id.");
  return base::Done{};
}

std::string tool_path(const std::string& path, std::size_t at) {
  return base::member_path(path, "toolIds[" + std::to_string(at) + "]");
}

bool names_kept_model(const PersonaContent& content) {
  const auto& id = content.language_model_id();
  return !id.empty() && built_in_language_model(id) == nullptr;
}

}  // namespace

bool names_items(const PersonaContent& content) {
  return names_kept_model(content) || !content.tool_ids().empty() ||
         !content.searched_groups().empty();
}

base::Result<base::Done> check_references(const PersonaContent& content, const PersonaScope& scope,
                                          const PersonaReferences& references,
                                          const std::string& path, Faults& faults) {
  const auto missing = [&](std::string_view member, std::string_view what) {
    base::add_fault(faults, base::member_path(path, member), "unknown_reference",
                    "There is no " + std::string(what) + " with this id.");
  };
  if (const auto& id = content.avatar_id(); !id.empty() && !is_test_avatar(scope.environment, id) &&
                                            !avatar_in(scope, references.catalog, id))
    missing("avatarId", "avatar");
  if (const auto& id = content.voice_id(); !id.empty() && references.voices.find(id) == nullptr)
    missing("voiceId", "voice");
  auto& items = references.items;
  if (names_kept_model(content)) {
    auto looked = look_for(scope, items, ItemKind::language_model, content.language_model_id(),
                           base::member_path(path, "llmId"), faults);
    if (!looked) return looked;
  }
  for (std::size_t i = 0; i < content.tool_ids().size(); ++i) {
    auto looked =
        look_for(scope, items, ItemKind::tool, content.tool_ids()[i], tool_path(path, i), faults);
    if (!looked) return looked;
  }
  return base::Done{};
}

base::Result<PersonaContent> with_kept_tools(const PersonaContent& content,
                                             const PersonaScope& scope, CatalogItems& items,
                                             const std::string& path, Faults& faults) {
  std::vector<std::string> tools;
  for (std::size_t i = 0; i < content.tool_ids().size(); ++i) {
    const auto item = items.find(scope, ItemKind::tool, content.tool_ids()[i]);
    if (!item) return base::fail(item.error());
    tools.push_back(inline_tool_of(*item));
  }
  auto with = tools.empty() ? content : content.with_tools(tools);
  const auto own = content.tool_count();
  for (const auto& [tool, id] : with.searched_groups()) {
    const auto place =
        tool < own
            ? base::member_path(path, "tools[" + std::to_string(tool) + "].documentFolderIds")
            : tool_path(path, tool - own);
    auto looked = look_for(scope, items, ItemKind::knowledge_group, id, place, faults);
    if (!looked) return base::fail(looked.error());
  }
  if (with.tool_count() > persona_tools_max)
    base::add_fault(faults, base::member_path(path, "toolIds"), "too_many",
                    "A persona has at most 32 tools, its own and those that it names together.");
  return with;
}

PersonaSnapshot snapshot_of(const PersonaSnapshotParts& parts, const crypto::HmacKey& key) {
  PersonaSnapshot snapshot;
  auto& text = snapshot.content;
  text += '{';
  if (!parts.character.empty()) {
    text += "\"character\":";
    base::append_json_string(text, parts.character);
    text += ',';
  }
  text.append("\"persona\":").append(parts.content.json());
  if (!parts.persona_id.empty()) {
    text += ",\"personaId\":";
    base::append_json_string(text, parts.persona_id);
  }
  if (!parts.session_options.empty())
    text.append(",\"sessionOptions\":").append(parts.session_options);
  text += '}';
  snapshot.digest = key.mac(text);
  return snapshot;
}

}  // namespace stagedoor::rules
