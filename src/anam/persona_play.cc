#include "anam/persona_play.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "anam/json_members.h"
#include "base/json_shape.h"
#include "rules/built_in.h"
#include "stage/characters.h"

namespace stagedoor::anam {
namespace {

using base::Json;
using stage::ConversationSettings;
using stage::ConversationTool;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

std::optional<double> number_of(const Json& object, std::string_view name) {
  const auto member = object.member(name);
  return member ? member->number() : std::nullopt;
}

std::string json_of(const Json& object, std::string_view name) {
  std::string text;
  if (const auto member = object.member(name)) base::append_canonical(text, *member);
  return text;
}

std::optional<milliseconds> time_of(const Json& object, std::string_view name) {
  const auto seconds = number_of(object, name);
  if (!seconds) return std::nullopt;
  constexpr double seconds_max = 1e6;
  return milliseconds(std::llround(std::clamp(*seconds, 0.0, seconds_max) * 1000));
}

std::optional<int> pixels_of(const Json& object, std::string_view name) {
  constexpr double pixels_max = 1e6;
  const auto pixels = number_of(object, name);
  if (!pixels) return std::nullopt;
  return static_cast<int>(std::clamp(*pixels, 0.0, pixels_max));
}

stage::VoiceDetectionChange voice_detection_of(const Json& options) {
  return {.end_of_speech_sensitivity = number_of(options, "endOfSpeechSensitivity"),
          .silence_before_skip_turn = time_of(options, "silenceBeforeSkipTurnSeconds"),
          .silence_before_session_end = time_of(options, "silenceBeforeSessionEndSeconds"),
          .silence_before_auto_end_turn = time_of(options, "silenceBeforeAutoEndTurnSeconds")};
}

// What of the options that a persona and a change of it share is not done here.
void note_unsupported(const Json& persona, std::vector<Unsupported>& unsupported) {
  const auto detection = persona.member("voiceDetectionOptions");
  if (detection && number_of(*detection, "speechEnhancementLevel").value_or(0) > 0)
    unsupported.push_back(Unsupported::speech_enhancement);
  const auto generation = persona.member("voiceGenerationOptions");
  simdjson::dom::object members;
  if (generation && generation->element().get(members) == simdjson::SUCCESS &&
      std::ranges::any_of(members, [](const auto& member) { return member.key != "speed"; }))
    unsupported.push_back(Unsupported::voice_generation);
}

void note_unsupported_options(const Json& session_options, std::vector<Unsupported>& unsupported) {
  if (text_of(session_options, "videoQuality") == "auto")
    unsupported.push_back(Unsupported::video_quality);
  if (const auto replay = session_options.member("sessionReplay");
      replay && flag_of(*replay, "enableSessionReplay"))
    unsupported.push_back(Unsupported::session_replay);
}

// A text as it is, anything else as JSON.
std::string words_in(const Json& value) {
  if (const auto text = value.text()) return std::string(*text);
  std::string json;
  base::append_canonical(json, value);
  return json;
}

std::vector<std::pair<std::string, std::string>> pairs_of(const Json& tool, std::string_view name) {
  std::vector<std::pair<std::string, std::string>> pairs;
  simdjson::dom::object members;
  const auto object = tool.member(name);
  if (!object || object->element().get(members) != simdjson::SUCCESS) return pairs;
  for (const auto member : members)
    if (const Json value(member.value); !value.is_null())
      pairs.emplace_back(member.key, words_in(value));
  return pairs;
}

void read_webhook(const Json& tool, ConversationTool& out) {
  out.kind = ConversationTool::Kind::webhook;
  out.webhook.url = text_of(tool, "url");
  if (auto method = text_of(tool, "method"); !method.empty()) out.webhook.method = method;
  out.webhook.headers = pairs_of(tool, "headers");
  out.webhook.query = pairs_of(tool, "queryParameters");
  out.webhook.timeout = out.timeout;
  const auto awaits = tool.member("awaitResponse");
  if (!awaits || awaits->flag().value_or(true)) out.result = ConversationTool::Result::awaited;
}

// What the model may say to a tool that says nothing of it itself.
constexpr std::string_view query_parameters =
    R"({"type":"object","properties":{"query":{"type":"string","description":"What to look up."}},)"
    R"("required":["query"]})";

void read_knowledge(const Json& tool, ConversationTool& out) {
  out.kind = ConversationTool::Kind::knowledge;
  out.result = ConversationTool::Result::awaited;
  if (out.tool.parameters.empty()) out.tool.parameters = query_parameters;
  simdjson::dom::array ids;
  if (const auto list = tool.member("documentFolderIds");
      list && list->element().get(ids) == simdjson::SUCCESS)
    for (const auto id : ids) out.source_ids.emplace_back(Json(id).text().value_or(""));
}

ConversationTool tool_of(const Json& tool) {
  ConversationTool out;
  out.tool.name = text_of(tool, "name");
  out.tool.description = text_of(tool, "description");
  out.tool.parameters = json_of(tool, "parameters");
  out.timeout = time_of(tool, "toolTimeoutSeconds").value_or(out.timeout);
  if (flag_of(tool, "disableInterruptions"))
    out.interruptions = ConversationTool::Interruptions::refused;
  const auto type = text_of(tool, "type");
  if (type == "server" && text_of(tool, "subtype") == "knowledge") {
    read_knowledge(tool, out);
  } else if (type == "server") {
    read_webhook(tool, out);
  } else if (type == "system") {
    out.kind = ConversationTool::Kind::system;
    const auto action = text_of(tool, "action");  // of a kept one; otherwise its name tells
    out.action = (action.empty() ? out.tool.name : action) == "interrupt"
                     ? ConversationTool::Action::interrupt
                     : ConversationTool::Action::end_call;
  } else if (flag_of(tool, "awaitResult")) {
    out.result = ConversationTool::Result::awaited;
  }
  return out;
}

void read_tools(const Json& persona, ConversationSettings& settings) {
  simdjson::dom::array tools;
  const auto list = persona.member("tools");
  if (!list || list->element().get(tools) != simdjson::SUCCESS) return;
  for (const auto tool : tools) settings.tools.push_back(tool_of(Json(tool)));
}

void read_greeting(const Json& persona, ConversationSettings& settings) {
  using Greeting = ConversationSettings::Greeting;
  if (const auto message = persona.member("initialMessage"); message && message->text())
    settings.initial_message = std::string(*message->text());
  if (flag_of(persona, "skipGreeting")) {
    settings.greeting = Greeting::skipped;
  } else if (flag_of(persona, "uninterruptibleGreeting")) {
    settings.greeting = Greeting::uninterruptible;
  }
}

void read_words(const Json& persona, ConversationSettings& settings) {
  using Words = ConversationSettings::Words;
  auto model = text_of(persona, "llmId");
  if (model.empty()) model = text_of(persona, "brainType");
  if (flag_of(persona, "enableAudioPassthrough")) {
    settings.words = Words::sound;
  } else if (model == rules::no_language_model_id || flag_of(persona, "disableBrains")) {
    settings.words = Words::client;
  }
  settings.model = std::move(model);
}

void read_persona(const Json& persona, const EngineNames& names, PersonaPlay& play) {
  auto& settings = play.conversation;
  settings.persona_name = text_of(persona, "name");
  settings.system_prompt = text_of(persona, "systemPrompt");
  if (settings.system_prompt.empty()) settings.system_prompt = text_of(persona, "personality");
  read_greeting(persona, settings);
  read_words(persona, settings);
  play.language_model_id = settings.model;
  if (names.model) settings.model = names.model(settings.model);
  const auto voice_id = text_of(persona, "voiceId");
  if (names.voice) settings.voice = names.voice(voice_id);
  settings.language = text_of(persona, "languageCode");
  settings.speed = number_of(persona, "voiceSpeed").value_or(1);
  if (const auto generation = persona.member("voiceGenerationOptions"))
    settings.speed = number_of(*generation, "speed").value_or(settings.speed);
  if (const auto detection = persona.member("voiceDetectionOptions")) {
    apply(voice_detection_of(*detection), settings.voice_detection);
    play.has_silence_rule = detection->member("silenceBeforeSessionEndSeconds").has_value();
  }
  read_tools(persona, settings);
  if (persona.member("directorNotes")) play.unsupported.push_back(Unsupported::director_notes);
  note_unsupported(persona, play.unsupported);
}

}  // namespace

base::Result<PersonaPlay> play_of(std::string_view snapshot, const EngineNames& names) {
  thread_local base::JsonReader reader;
  const auto json = reader.read(snapshot);
  const auto persona = json ? json->member("persona") : std::nullopt;
  if (!persona)
    return base::fail(base::ErrorCode::unavailable, "a persona's snapshot can't be read");
  PersonaPlay play;
  read_persona(*persona, names, play);
  // A snapshot of before may name none, and one of a newer program one that is not here.
  play.character = text_of(*json, "character");
  if (!stage::sheet_of_character(play.character)) play.character = rules::first_character;
  const auto options = json->member("sessionOptions");
  if (!options) return play;
  const auto width = pixels_of(*options, "videoWidth"), height = pixels_of(*options, "videoHeight");
  if (width && height) {
    auto size = rules::picture_size(*width, *height);
    if (!size) return base::fail(size.error());
    play.size = *size;
  }
  if (const auto detection = options->member("voiceDetection"))
    apply(voice_detection_of(*detection), play.conversation.voice_detection);
  note_unsupported_options(*options, play.unsupported);
  return play;
}

PersonaChange change_of(std::string_view update) {
  PersonaChange change;
  base::JsonReader reader;
  const auto json = reader.read(update);
  if (!json) return change;
  auto& conversation = change.conversation;
  if (auto language = text_of(*json, "languageCode"); !language.empty())
    conversation.language = std::move(language);
  if (const auto generation = json->member("voiceGenerationOptions"))
    conversation.speed = number_of(*generation, "speed");
  if (const auto detection = json->member("voiceDetectionOptions"))
    conversation.voice_detection = voice_detection_of(*detection);
  note_unsupported(*json, change.unsupported);
  return change;
}

std::vector<ChangedField> changed_fields(const ConversationSettings& before,
                                         const ConversationSettings& after) {
  std::vector<ChangedField> fields;
  const auto compare = [&](base::JsonName path, std::string was, std::string is) {
    if (was != is) fields.push_back({path, std::move(was), std::move(is)});
  };
  const auto number = [](double value) { return fmt::format("{}", value); };
  const auto seconds = [&](milliseconds time) {
    return number(std::chrono::duration<double>(time).count());
  };
  const auto text = [](std::string_view value) {
    std::string json;
    base::append_json_string(json, value);
    return json;
  };
  const auto &was = before.voice_detection, &is = after.voice_detection;
  compare("languageCode", text(before.language), text(after.language));
  compare("voiceGenerationOptions.speed", number(before.speed), number(after.speed));
  compare("voiceDetectionOptions.endOfSpeechSensitivity", number(was.end_of_speech_sensitivity),
          number(is.end_of_speech_sensitivity));
  compare("voiceDetectionOptions.silenceBeforeSkipTurnSeconds",
          seconds(was.silence_before_skip_turn), seconds(is.silence_before_skip_turn));
  compare("voiceDetectionOptions.silenceBeforeSessionEndSeconds",
          seconds(was.silence_before_session_end), seconds(is.silence_before_session_end));
  compare("voiceDetectionOptions.silenceBeforeAutoEndTurnSeconds",
          seconds(was.silence_before_auto_end_turn), seconds(is.silence_before_auto_end_turn));
  return fields;
}

bool keep_silence(milliseconds held, stage::VoiceDetectionChange& change) {
  auto& wanted = change.silence_before_session_end;
  if (!wanted || held <= 0ms || (*wanted > 0ms && *wanted <= held)) return false;
  wanted.reset();
  return true;
}

void prefer(std::string_view voice_detection, PersonaPlay& play) {
  base::JsonReader reader;
  const auto json = reader.read(voice_detection);
  if (!json) return;
  auto& detection = play.conversation.voice_detection;
  auto change = voice_detection_of(*json);
  if (keep_silence(detection.silence_before_session_end, change))
    play.unsupported.push_back(Unsupported::longer_silence);
  apply(change, detection);
}

std::string_view words_of(Unsupported what) {
  switch (what) {
    case Unsupported::director_notes:
      return "The built-in face does not follow director notes.";
    case Unsupported::director_cues:
      return "The built-in face does not follow cues.";
    case Unsupported::speech_enhancement:
      return "The built-in ear does not enhance speech: speechEnhancementLevel has no effect.";
    case Unsupported::voice_generation:
      return "The voices here follow speed alone; other voiceGenerationOptions have no effect.";
    case Unsupported::video_quality:
      return "The picture has one size and quality: videoQuality has no effect.";
    case Unsupported::session_replay:
      return "Sessions are not recorded: sessionReplay has no effect.";
    case Unsupported::longer_silence:
      return "A client can't make the silence longer after which its session ends: "
             "silenceBeforeSessionEndSeconds stays as it was.";
  }
  std::unreachable();
}

}  // namespace stagedoor::anam
