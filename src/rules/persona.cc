#include "rules/persona.h"

#include <algorithm>
#include <map>

#include "rules/built_in.h"
#include "rules/persona_shape.h"
#include "rules/test_mode.h"

namespace stagedoor::rules {
namespace {

using base::Json;

std::string text_in(const Json& json, std::string_view name) {
  const auto member = json.member(name);
  return std::string(member ? member->text().value_or("") : "");
}

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

}  // namespace

PersonaRefusal refusal_of(Faults faults) {
  const auto& first = faults.front();
  std::string hint = first.path.empty() ? first.message : first.path + ": " + first.message;
  return {.error = {base::ErrorCode::malformed, "persona refused", std::move(hint)},
          .faults = std::move(faults)};
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
  std::map<std::string, std::string, std::less<>> members;
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
  std::string merged = "{";
  for (const auto& [name, value] : members) {
    if (merged.size() > 1) merged += ',';
    base::append_json_string(merged, name);
    merged.append(":").append(value);
  }
  const auto json = reader.read(merged + "}");
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

std::expected<std::string, Faults> read_session_options(const Json& json, const std::string& path) {
  Faults faults;
  auto canonical = session_options_shape().read(json, path, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return canonical;
}

void check_references(const PersonaContent& content, const PersonaScope& scope,
                      const Catalog& catalog, const std::string& path, Faults& faults) {
  const auto missing = [&](std::string_view member, std::string_view what) {
    base::add_fault(faults, base::member_path(path, member), "unknown_reference",
                    "There is no " + std::string(what) + " with this id.");
  };
  if (const auto& id = content.avatar_id();
      !id.empty() && built_in_avatar(id) == nullptr && !is_test_avatar(scope.environment, id)) {
    const auto avatar = catalog.avatar(id);
    if (!avatar || avatar->workspace_id != scope.workspace_id) missing("avatarId", "avatar");
  }
  if (const auto& id = content.voice_id(); !id.empty() && built_in_voice(id) == nullptr)
    missing("voiceId", "voice");
  if (const auto& id = content.language_model_id();
      !id.empty() && built_in_language_model(id) == nullptr)
    missing("llmId", "language model");
  for (std::size_t i = 0; i < content.tool_ids().size(); ++i)
    missing("toolIds[" + std::to_string(i) + "]", "tool");
}

PersonaSnapshot snapshot_of(const PersonaContent& content, std::string_view persona_id,
                            std::string_view session_options) {
  PersonaSnapshot snapshot;
  auto& text = snapshot.content;
  text.append("{\"persona\":").append(content.json());
  if (!persona_id.empty()) {
    text += ",\"personaId\":";
    base::append_json_string(text, persona_id);
  }
  if (!session_options.empty()) text.append(",\"sessionOptions\":").append(session_options);
  text += '}';
  snapshot.digest = crypto::sha256(text);
  return snapshot;
}

}  // namespace stagedoor::rules
