#include "anam/persona_reply.h"

#include <optional>
#include <string_view>

#include "base/iso_time.h"
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

void append_times(JsonWriter& out, base::Instant created_at, base::Instant updated_at) {
  out.text("createdAt", base::iso_time(created_at)).text("updatedAt", base::iso_time(updated_at));
}

// Some of the vendor's clients can't bear null in the first three addresses.
void append_avatar(JsonWriter& persona, const rules::Persona& owner,
                   const rules::Catalog& catalog) {
  std::string id = owner.content.avatar_id();
  if (id.empty()) id = rules::built_in_avatars().front().id;
  const auto* built_in = rules::built_in_avatar(id);
  std::string name(built_in != nullptr ? built_in->name : "");
  if (const auto avatar = catalog.avatar(id)) name = avatar->name;
  JsonWriter out(persona.begin("avatar"));
  out.text("id", id).text("displayName", name).text("variantName", "");
  out.text("imageUrl", "").text("videoUrl", "");
  out.json("landscapeImageUrl", "null").json("portraitImageUrl", "null");
  out.json("idleVideoUrl", "null").json("description", "null");
  out.text_or_null("createdByOrganizationId", built_in != nullptr ? "" : owner.workspace_id);
  out.json("displayTags", "[]").json("availableVersions", "[]").json("activeVersion", "null");
  out.text("renderStyle", "unknown");
  append_times(out, owner.created_at, owner.created_at);
  out.end();
}

void append_voice(JsonWriter& persona, const rules::Persona& owner) {
  const auto* voice = rules::built_in_voice(owner.content.voice_id());
  if (voice == nullptr) voice = &rules::built_in_voices().front();
  JsonWriter out(persona.begin("voice"));
  out.text("id", voice->id).text("displayName", voice->name);
  static constexpr base::JsonName none[] = {
      "provider",         "providerVoiceId", "providerModelId", "sampleUrl",
      "previewSampleUrl", "country",         "description",     "createdByOrganizationId"};
  for (const auto name : none) out.json(name, "null");
  out.text("gender", "NEUTRAL").json("displayTags", "[]").json("isZdr", "true");
  append_times(out, owner.created_at, owner.created_at);
  out.end();
}

void append_brain(JsonWriter& persona, const Content& content) {
  JsonWriter out(persona.begin("brain"));
  content.copy(out, "personality", "null");
  content.copy(out, "systemPrompt", "\"\"");
  out.end();
}

}  // namespace

void append_persona(std::string& text, const rules::Persona& persona,
                    const rules::Catalog& catalog) {
  const Content content(persona.content);
  JsonWriter out(text);
  out.text("id", persona.id).text("name", persona.content.name());
  content.copy(out, "description", "null");
  content.copy(out, "personaPreset", "null");
  append_avatar(out, persona, catalog);
  content.copy(out, "avatarModel", "null");
  append_voice(out, persona);
  content.copy(out, "voiceSpeed", "1");
  const auto& model = persona.content.language_model_id();
  out.text("llmId", model.empty() ? rules::built_in_language_models().front().id : model);
  append_brain(out, content);
  out.json("tools", "[]").json("knowledge", "[]");
  out.json("shareLinks", "null").json("primaryShareLink", "null");
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
                            const rules::Catalog& catalog) {
  const Content content(persona.content);
  JsonWriter out(text);
  out.text("id", persona.id).text("name", persona.content.name());
  content.copy(out, "description", "null");
  content.copy(out, "personaPreset", "null");
  append_avatar(out, persona, catalog);
  append_voice(out, persona);
  content.copy(out, "voiceSpeed", "1");
  out.json("isDefaultPersona", "false");
  content.copy(out, "languageCode", "null");
  append_times(out, persona.created_at, persona.updated_at);
  out.end();
}

}  // namespace stagedoor::anam
