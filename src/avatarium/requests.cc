#include "avatarium/requests.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/json.h"

namespace stagedoor::avatarium {
namespace {

using base::ErrorCode;
using base::FieldFault;
using base::Json;
using base::JsonShape;
using base::Presence;

constexpr std::size_t message_characters_max = 5000;

JsonShape text(std::size_t least, std::size_t most) {
  return JsonShape::text({.characters_min = least, .characters_max = most});
}
JsonShape language_provider() {
  return JsonShape::choice({"groq", "openai", "gemini", "anthropic"});
}
JsonShape speech_provider() {
  return JsonShape::choice({"google", "elevenlabs", "browser"});
}

bool is_slug(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

std::unexpected<BodyRefusal> refuse(std::vector<FieldFault> faults) {
  const auto& first = faults.front();
  auto hint = first.path.empty() ? first.message : first.path + ": " + first.message;
  const auto code = first.code == "unsupported" ? ErrorCode::unsupported : ErrorCode::malformed;
  return std::unexpected(
      BodyRefusal{{code, "body refused: " + first.path, std::move(hint)}, std::move(faults)});
}

// The body in canonical form. An empty body is an object without members.
ReadBody<std::string> read_body(std::string_view text, const JsonShape& shape) {
  thread_local base::JsonReader reader;
  const auto json = reader.read(text.empty() ? "{}" : text);
  if (!json) return std::unexpected(BodyRefusal{json.error(), {}});
  std::vector<FieldFault> faults;
  if (!json->is_object())
    base::add_fault(faults, "", "invalid_type", "The body must be an object.");
  std::string canonical;
  if (faults.empty()) canonical = shape.read(*json, "", faults);
  if (!faults.empty()) return refuse(std::move(faults));
  return canonical;
}

// What was canonical a moment ago.
class Members {
 public:
  explicit Members(std::string_view canonical) {
    if (auto json = reader_.read(canonical)) json_ = *json;
  }
  std::string text(std::string_view name) const {
    const auto member = json_ ? json_->member(name) : std::nullopt;
    return std::string(member ? member->text().value_or("") : "");
  }
  std::optional<std::string> json(std::string_view name) const {
    const auto member = json_ ? json_->member(name) : std::nullopt;
    if (!member) return std::nullopt;
    std::string text;
    base::append_canonical(text, *member);
    return text;
  }

 private:
  base::JsonReader reader_;
  std::optional<Json> json_;
};

void no_key_of_the_callers(const Json& body, const std::string&, std::vector<FieldFault>& faults) {
  const auto own = body.member("byokAI");
  if (own && !own->is_null()) {
    base::add_fault(faults, "byokAI", "unsupported",
                    "This server does not keep your key of another provider.");
  }
}

const JsonShape& conversation_shape() {
  static const auto shape = JsonShape::object(
      {
          {"ai_provider", language_provider()},
          {"avatarId", text(1, 128)},
          {"avatar_id", text(1, 128)},
          {"byokAI", JsonShape::object({{"apiKey", text(1, 1024), Presence::required},
                                        {"baseUrl", text(1, 2048)},
                                        {"model", text(1, 128)},
                                        {"provider", language_provider(), Presence::required}})},
          {"provider", language_provider()},
          {"systemPrompt", text(0, 50'000)},
          {"system_prompt", text(0, 2000)},
          {"ttsProvider", speech_provider()},
          {"tts_provider", speech_provider()},
      },
      JsonShape::Others::ignored, &no_key_of_the_callers);
  return shape;
}

}  // namespace

ReadBody<NewConversation> read_new_conversation(std::string_view text) {
  const auto canonical = read_body(text, conversation_shape());
  if (!canonical) return std::unexpected(canonical.error());
  const Members members(*canonical);
  NewConversation conversation;
  conversation.avatar_id = members.text("avatarId");
  if (conversation.avatar_id.empty()) conversation.avatar_id = members.text("avatar_id");
  conversation.settings = "{";
  for (const auto& [name, older] :
       {std::pair("provider", "ai_provider"), std::pair("systemPrompt", "system_prompt"),
        std::pair("ttsProvider", "tts_provider")}) {
    auto value = members.json(name);
    if (!value) value = members.json(older);
    if (!value) continue;
    if (conversation.settings.size() > 1) conversation.settings += ',';
    base::append_json_string(conversation.settings, name);
    conversation.settings.append(":").append(*value);
  }
  conversation.settings += '}';
  return conversation;
}

ReadBody<std::string> read_new_message(std::string_view body) {
  static const auto shape = JsonShape::object({
      {"content", text(1, message_characters_max), Presence::required},
      {"generateTTS", JsonShape::flag()},
      {"stream", JsonShape::flag()},
      {"ttsProvider", speech_provider()},
      {"voice", text(1, 128)},
  });
  return read_body(body, shape);
}

ReadBody<std::string> read_speech(std::string_view body, Speech kind) {
  const auto shape_of = [](Presence presence) {
    return JsonShape::object({{"provider", speech_provider()},
                              {"text", text(1, message_characters_max), presence},
                              {"voice", text(1, 128)}});
  };
  static const auto wanted = shape_of(Presence::required);
  static const auto preview = shape_of(Presence::optional);
  return read_body(body, kind == Speech::wanted ? wanted : preview);
}

ReadBody<NewAvatar> read_new_avatar(std::string_view body) {
  static const auto shape = JsonShape::object({
      {"aiModel", text(1, 128)},
      {"aiProvider", language_provider()},
      {"avatarBody", text(1, 16)},
      {"avatarModelUrl", text(1, 2048), Presence::required},
      {"avatarPreset", text(1, 128)},
      {"greeting", text(0, 2000)},
      {"isPublic", JsonShape::flag()},
      {"name", text(1, 256), Presence::required},
      {"personality", text(0, 50'000)},
      {"slug",
       JsonShape::text({.characters_min = 1,
                        .characters_max = 64,
                        .is_good = &is_slug,
                        .must_be = "of small letters, digits and hyphens"}),
       Presence::required},
      {"tagline", text(0, 256)},
      {"tone", text(1, 64)},
      {"traits", JsonShape::list(text(1, 64), 32)},
      {"ttsProvider", JsonShape::choice({"google", "elevenlabs", "browser", "groq"})},
      {"voiceChatEnabled", JsonShape::flag()},
      {"voiceGender", text(1, 32)},
  });
  auto canonical = read_body(body, shape);
  if (!canonical) return std::unexpected(canonical.error());
  const Members members(*canonical);
  return NewAvatar{.slug = members.text("slug"),
                   .content = *canonical,
                   .is_public = members.json("isPublic") != "false"};
}

}  // namespace stagedoor::avatarium
