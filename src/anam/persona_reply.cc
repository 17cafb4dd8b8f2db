#include "anam/persona_reply.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "anam/avatar_reply.h"
#include "anam/item_replies.h"
#include "anam/knowledge.h"
#include "anam/lists.h"
#include "anam/voices.h"
#include "base/json.h"
#include "base/json_shape.h"
#include "base/json_writer.h"
#include "rules/built_in.h"

namespace stagedoor::anam {
namespace {

using base::Json;
using base::JsonWriter;

// Members of a persona's content, as JSON to be put into an answer.
class Content {
 public:
  explicit Content(const rules::PersonaContent& content) {
    if (auto json = reader_.read(content.json())) json_ = *json;
  }
  std::string json(std::string_view name, std::string_view otherwise) const {
    const auto member = json_ ? json_->member(name) : std::nullopt;
    if (!member) return std::string(otherwise);
    std::string text;
    base::append_canonical(text, *member);
    return text;
  }
  void copy(JsonWriter& out, base::JsonName name, std::string_view otherwise) const {
    out.json(name, json(name, otherwise));
  }

 private:
  base::JsonReader reader_;
  std::optional<Json> json_;
};

// What the persona names may be gone: then it is what stands where nothing is named.
void append_avatar(JsonWriter& persona, const rules::Persona& owner, const References& references,
                   const rules::ItemScope& scope) {
  const auto& id = owner.content.avatar_id();
  const auto& otherwise = rules::built_in_avatars().front();
  auto avatar = rules::avatar_in(scope, references.catalog, id.empty() ? otherwise.id : id);
  if (!avatar) {
    avatar.emplace();
    avatar->id = id;
    avatar->workspace_id = scope.workspace_id;
  }
  if (rules::built_in_avatar(avatar->id) != nullptr) avatar->workspace_id.clear();
  JsonWriter out(persona.begin("avatar"));
  append_avatar_members(out, *avatar, references.public_url);
  out.end();
}

void append_voice(JsonWriter& persona, const rules::Persona& owner, const References& references) {
  JsonWriter out(persona.begin("voice"));
  append_voice_members(out, references.voices.find_or_first(owner.content.voice_id()));
  out.end();
}

// Of those that it names, as they are now; one that is gone is left out.
void append_tools(JsonWriter& persona, const rules::Persona& owner, const References& references,
                  const rules::ItemScope& scope) {
  auto& out = persona.begin("tools");
  out += '[';
  for (const auto& id : owner.content.tool_ids()) {
    const auto tool = references.items.find(scope, rules::ItemKind::tool, id);
    if (!tool) continue;
    if (out.back() != '[') out += ',';
    append_tool(out, *tool);
  }
  out += ']';
}

// null where there are none, or they can't be read.
void append_share_links(JsonWriter& persona, const rules::Persona& owner,
                        const References& references, const Viewer& viewer) {
  const auto tokens = viewer.share_tokens;
  const auto found =
      references.links.list(viewer.scope, {.search = {},
                                           .persona_id = owner.id,
                                           .skip = 0,
                                           .count = rules::share_links_of_persona_max});
  if (!found || found->links.empty()) {
    persona.json("shareLinks", "null").json("primaryShareLink", "null");
    return;
  }
  append_list(persona.begin("shareLinks"), found->links,
              [&](std::string& out, const auto& link) { append_share_link(out, link, tokens); });
  const auto primary = std::ranges::find_if(
      found->links, [](const rules::ShareLink& link) { return link.terms.is_primary; });
  if (primary == found->links.end()) {
    persona.json("primaryShareLink", "null");
    return;
  }
  JsonWriter one(persona.begin("primaryShareLink"));
  one.text_or_null("token", tokens == ShareTokens::shown ? primary->token.expose() : "");
  one.json("enabled", primary->terms.is_enabled ? "true" : "false").end();
}

// The groups that a tool searches; of another tool none.
void add_searched_groups(const rules::CatalogItem& tool, std::vector<std::string>& ids) {
  base::JsonReader reader;
  const auto json = reader.read(tool.content);
  const auto config = json ? json->member("config") : std::nullopt;
  const auto list = config ? config->member("documentFolderIds") : std::nullopt;
  simdjson::dom::array groups;
  if (!list || list->element().get(groups) != simdjson::SUCCESS) return;
  for (const auto group : groups) {
    const auto id = Json(group).text().value_or("");
    if (std::ranges::find(ids, id) == ids.end()) ids.emplace_back(id);
  }
}

// What the tools that it names search, as it is now; what is gone is left out.
void append_knowledge(JsonWriter& persona, const rules::Persona& owner,
                      const References& references, const rules::ItemScope& scope) {
  std::vector<std::string> ids;
  for (const auto& id : owner.content.tool_ids())
    if (const auto tool = references.items.find(scope, rules::ItemKind::tool, id))
      add_searched_groups(*tool, ids);
  auto& out = persona.begin("knowledge");
  out += '[';
  for (const auto& id : ids) {
    const auto group = references.items.find(scope, rules::ItemKind::knowledge_group, id);
    if (!group) continue;
    if (out.back() != '[') out += ',';
    append_knowledge_group(out, *group, references.knowledge);
  }
  out += ']';
}

void append_brain(JsonWriter& persona, const Content& content) {
  JsonWriter out(persona.begin("brain"));
  content.copy(out, "personality", "null");
  content.copy(out, "systemPrompt", "\"\"");
  out.end();
}

}  // namespace

void append_persona(std::string& text, const rules::Persona& persona, const References& references,
                    const Viewer& viewer) {
  const Content content(persona.content);
  JsonWriter out(text);
  out.text("id", persona.id).text("name", persona.content.name());
  content.copy(out, "description", "null");
  content.copy(out, "personaPreset", "null");
  append_avatar(out, persona, references, viewer.scope);
  content.copy(out, "avatarModel", "null");
  append_voice(out, persona, references);
  content.copy(out, "voiceSpeed", "1");
  const auto& model = persona.content.language_model_id();
  out.text("llmId", model.empty() ? rules::built_in_language_models().front().id : model);
  append_brain(out, content);
  append_tools(out, persona, references, viewer.scope);
  append_knowledge(out, persona, references, viewer.scope);
  append_share_links(out, persona, references, viewer);
  static constexpr base::JsonName flags[] = {"enableAudioPassthrough", "skipGreeting",
                                             "uninterruptibleGreeting", "zeroDataRetention"};
  for (const auto name : flags) content.copy(out, name, "false");
  static constexpr base::JsonName others[] = {"initialMessage", "languageCode",
                                              "voiceDetectionOptions", "voiceGenerationOptions",
                                              "widgetConfig"};
  for (const auto name : others) content.copy(out, name, "null");
  append_times(out, persona.created_at, persona.updated_at);
  out.end();
}

void append_persona_summary(std::string& text, const rules::Persona& persona,
                            const References& references, const rules::ItemScope& scope) {
  const Content content(persona.content);
  JsonWriter out(text);
  out.text("id", persona.id).text("name", persona.content.name());
  content.copy(out, "description", "null");
  content.copy(out, "personaPreset", "null");
  append_avatar(out, persona, references, scope);
  append_voice(out, persona, references);
  content.copy(out, "voiceSpeed", "1");
  out.json("isDefaultPersona", "false");
  content.copy(out, "languageCode", "null");
  append_times(out, persona.created_at, persona.updated_at);
  out.end();
}

}  // namespace stagedoor::anam
