#include "rules/persona_shape.h"

#include <algorithm>
#include <string_view>

#include "rules/picture_size.h"

namespace stagedoor::rules {
namespace {

using base::add_fault;
using base::Json;
using base::JsonShape;
using base::member_path;
using base::Presence;
using Members = std::vector<JsonShape::Member>;

// ISO 639-1, each code with a space behind it.
constexpr std::string_view language_codes =
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
    "da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu "
    "hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb "
    "lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om "
    "or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw "
    "ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ";

bool is_language_code(std::string_view text) {
  return text.size() == 2 &&
         std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; }) &&
         language_codes.contains(std::string(text) + ' ');
}

bool is_tool_name(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

bool has(const Json& object, std::string_view name) {
  const auto member = object.member(name);
  return member && !member->is_null();
}

bool is(const Json& object, std::string_view name, std::string_view text) {
  const auto member = object.member(name);
  return member && member->text() == text;
}

JsonShape text(std::size_t characters_max) {
  return JsonShape::text({.characters_max = characters_max});
}

JsonShape id() {
  return JsonShape::text({.characters_min = 1, .characters_max = 128});
}

JsonShape voice_detection() {
  return JsonShape::object({
      {"endOfSpeechSensitivity", JsonShape::number(0, 1)},
      {"silenceBeforeAutoEndTurnSeconds", JsonShape::number(0.5, 10)},
      {"silenceBeforeSessionEndSeconds", JsonShape::number(0, 7200)},
      {"silenceBeforeSkipTurnSeconds", JsonShape::number(0, 900)},
      {"speechEnhancementLevel", JsonShape::number(0, 1)},
  });
}

// The widest of what the providers allow.
JsonShape voice_generation() {
  return JsonShape::object({
      {"emotion", JsonShape::choice({"neutral", "calm", "angry", "content", "sad", "scared"})},
      {"model", text(128)},
      {"similarityBoost", JsonShape::number(0, 1)},
      {"speed", JsonShape::number(0.5, 2)},
      {"stability", JsonShape::number(0, 1)},
      {"style", JsonShape::number(0, 1)},
      {"useSpeakerBoost", JsonShape::flag()},
      {"volume", JsonShape::number(0.5, 2)},
  });
}

JsonShape director_notes() {
  const auto one_style = [](const Json& notes, const std::string& path, Faults& faults) {
    if (has(notes, "presetStyle") && has(notes, "customStylePrompt")) {
      add_fault(faults, member_path(path, "customStylePrompt"), "conflict",
                "Give presetStyle or customStylePrompt, not both.");
    }
  };
  return JsonShape::object(
      {
          {"customStylePrompt", JsonShape::text({.characters_min = 1, .characters_max = 2000})},
          {"expressivity", JsonShape::number(0, 1)},
          {"presetStyle", JsonShape::choice({"happy", "warm", "playful", "supportive", "sad",
                                             "angry", "distressed"})},
      },
      JsonShape::Others::ignored, one_style);
}

void check_tool(const Json& tool, const std::string& path, Faults& faults) {
  const auto needs = [&](std::string_view name, std::string_view why) {
    if (!has(tool, name)) add_fault(faults, member_path(path, name), "missing", std::string(why));
  };
  if (!is(tool, "type", "server")) return;
  needs("subtype", "A server tool has the subtype knowledge or webhook.");
  const bool is_webhook = is(tool, "subtype", "webhook");
  if (has(tool, "subtype") && !is_webhook && !is(tool, "subtype", "knowledge"))
    add_fault(faults, member_path(path, "subtype"), "invalid_choice",
              "must be one of knowledge, webhook");
  if (is_webhook) needs("url", "A webhook needs an address.");
  if (is(tool, "subtype", "knowledge"))
    needs("documentFolderIds", "It searches document folders: name them.");
}

JsonShape tool() {
  constexpr std::size_t parameters_bytes_max = 10'000;
  return JsonShape::object(
      {
          {"awaitResponse", JsonShape::flag()},
          {"awaitResult", JsonShape::flag()},
          {"description", JsonShape::text({.characters_min = 1, .characters_max = 1024})},
          {"disableInterruptions", JsonShape::flag()},
          {"documentFolderIds", folder_ids_shape()},
          {"headers", JsonShape::map(text(4096), 32)},
          {"method", JsonShape::choice({"GET", "POST", "PUT", "DELETE", "PATCH"})},
          {"name", tool_name_shape(), Presence::required},
          {"parameters", JsonShape::any_object(parameters_bytes_max)},
          {"queryParameters", JsonShape::any_object(parameters_bytes_max)},
          {"subtype", text(64)},
          {"toolTimeoutSeconds", JsonShape::number(1, 600)},
          {"type", JsonShape::choice({"client", "server", "system"}), Presence::required},
          {"url", JsonShape::text({.characters_max = 2048,
                                   .is_good = &is_web_address,
                                   .must_be = "an address that begins with https:// or http://"})},
      },
      JsonShape::Others::ignored, &check_tool);
}

JsonShape widget() {
  return JsonShape::object({
      {"allowEverywhere", JsonShape::flag()},
      {"allowedOrigins", JsonShape::list(text(256), 64)},
      {"callToAction", text(256)},
      {"initialState", JsonShape::choice({"minimized", "expanded"})},
      {"layout", JsonShape::choice({"inline", "floating"})},
      {"position", text(64)},
      {"showMuteButton", JsonShape::flag()},
      {"showTextInput", JsonShape::flag()},
      {"showTranscript", JsonShape::flag()},
  });
}

JsonShape language_code() {
  return JsonShape::text({.characters_max = 64,
                          .is_good = &is_language_code,
                          .must_be = "a language of ISO 639-1 in two small letters, such as en"});
}

Members common_members() {
  return {
      {"avatarId", id()},
      {"avatarModel", JsonShape::choice({"cara-3", "cara-4", "cara-4-latest"})},
      {"enableAudioPassthrough", JsonShape::flag()},
      {"initialMessage", text(5000)},
      {"languageCode", language_code()},
      {"llmId", id()},
      {"personaPreset", text(128)},
      {"personality", text(persona_prompt_characters_max)},
      {"skipGreeting", JsonShape::flag()},
      {"systemPrompt", text(persona_prompt_characters_max)},
      {"toolIds", JsonShape::list(id(), persona_tools_max)},
      {"uninterruptibleGreeting", JsonShape::flag()},
      {"voiceDetectionOptions", voice_detection()},
      {"voiceGenerationOptions", voice_generation()},
      {"voiceId", id()},
      {"voiceSpeed", JsonShape::number(0.5, 2)},
      {"zeroDataRetention", JsonShape::flag()},
  };
}

Members inline_members() {
  auto members = common_members();
  members.insert(members.end(),
                 {
                     {"brainType", id()},
                     {"directorNotes", director_notes()},
                     {"disableBrains", JsonShape::flag()},
                     {"maxSessionLengthSeconds", JsonShape::whole(1, persona_length_max.count())},
                     {"metadata", JsonShape::any_object(10'000)},
                     {"name", text(256)},
                     {"tools", JsonShape::list(tool(), persona_tools_max)},
                 });
  return members;
}

Members kept_members() {
  auto members = common_members();
  members.insert(members.end(),
                 {
                     {"description", text(2000)},
                     {"name", JsonShape::text({.characters_min = 1, .characters_max = 256}),
                      Presence::required},
                     {"widgetConfig", widget()},
                 });
  return members;
}

// What makes a config one of a persona: the vendor's service takes anything else for a token
// without one, which its client then refuses.
void names_something(const Json& config, const std::string& path, Faults& faults) {
  for (const auto* name : {"avatarId", "voiceId", "llmId", "systemPrompt", "brainType"})
    if (has(config, name)) return;
  add_fault(faults, path, "missing",
            "Give personaId, or at least one of avatarId, voiceId, llmId and systemPrompt.");
}

}  // namespace

bool is_web_address(std::string_view text) {
  const auto has_host = [&](std::string_view scheme) {
    return text.starts_with(scheme) && text.size() > scheme.size() && text[scheme.size()] != '/';
  };
  return has_host("https://") || has_host("http://");
}

std::string_view origin_of(std::string_view web_address) {
  const auto host = web_address.find("://");
  if (host == web_address.npos) return web_address;
  return web_address.substr(0, web_address.find_first_of("/?#", host + 3));
}

JsonShape folder_ids_shape() {
  return JsonShape::list(id(), 32);
}

JsonShape tool_name_shape() {
  return JsonShape::text({.characters_min = 1,
                          .characters_max = 64,
                          .is_good = &is_tool_name,
                          .must_be = "of letters, digits, underscores, dots and hyphens"});
}

const JsonShape& persona_shape(PersonaForm form) {
  static const auto inline_content =
      JsonShape::object(inline_members(), JsonShape::Others::ignored, &names_something);
  static const auto kept = JsonShape::object(kept_members());
  return form == PersonaForm::inline_content ? inline_content : kept;
}

const JsonShape& changed_persona_shape() {
  static const auto shape = JsonShape::object(kept_members(), JsonShape::Others::refused);
  return shape;
}

const JsonShape& played_change_shape() {
  static const auto shape = JsonShape::object({
      {"languageCode", language_code()},
      {"voiceDetectionOptions", voice_detection()},
      {"voiceGenerationOptions", voice_generation()},
  });
  return shape;
}

const JsonShape& session_voice_detection_shape() {
  static const auto shape =
      JsonShape::object({{"endOfSpeechSensitivity", JsonShape::number(0, 1)}});
  return shape;
}

const JsonShape& session_options_shape() {
  const auto both_or_neither = [](const Json& options, const std::string& path, Faults& faults) {
    for (const auto& [given, other] :
         {std::pair("videoWidth", "videoHeight"), std::pair("videoHeight", "videoWidth")}) {
      if (has(options, given) && !has(options, other)) {
        add_fault(faults, member_path(path, other), "missing",
                  "Give both videoWidth and videoHeight, or neither.");
      }
    }
    const auto number = [&](std::string_view name) {
      const auto member = options.member(name);
      return static_cast<int>(member ? member->integer().value_or(0) : 0);
    };
    if (has(options, "videoWidth") && has(options, "videoHeight")) {
      const auto size = picture_size(number("videoWidth"), number("videoHeight"));
      if (!size)
        add_fault(faults, member_path(path, "videoWidth"), "unsupported", size.error().hint);
    }
    if (has(options, "egress")) {
      add_fault(faults, member_path(path, "egress"), "unsupported",
                "This server does not send media into other services' rooms.");
    }
  };
  static const auto shape = JsonShape::object(
      {
          {"egress", JsonShape::any_object(10'000)},
          {"sessionReplay", JsonShape::object({{"enableSessionReplay", JsonShape::flag()}})},
          {"videoHeight", JsonShape::whole(16, 4096)},
          {"videoQuality", JsonShape::choice({"high", "auto"})},
          {"videoWidth", JsonShape::whole(16, 4096)},
          {"voiceDetection", session_voice_detection_shape()},
      },
      JsonShape::Others::ignored, both_or_neither);
  return shape;
}

}  // namespace stagedoor::rules
