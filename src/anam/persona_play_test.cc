#include "anam/persona_play.h"

#include <gtest/gtest.h>

#include <chrono>

namespace stagedoor::anam {
namespace {

using namespace std::chrono_literals;
using stage::ConversationTool;

PersonaPlay play(std::string_view snapshot) {
  const EngineNames names{
      .voice = [](std::string_view id) { return "voice of " + std::string(id); },
      .model = [](std::string_view) { return std::string("model"); }};
  auto played = play_of(snapshot, names);
  EXPECT_TRUE(played) << snapshot;
  return *std::move(played);
}

TEST(PersonaPlay, ShowsTheCharacterOfTheSnapshotOrTheFirstOneWhereThereIsNone) {
  EXPECT_EQ(play(R"({"character":"bruno","persona":{}})").character, "bruno");
  EXPECT_EQ(play(R"({"persona":{}})").character, "ada");
  EXPECT_EQ(play(R"({"character":"nobody","persona":{}})").character, "ada");
}

TEST(PersonaPlay, TellsWhichLanguageModelItNames) {
  EXPECT_EQ(play(R"({"persona":{"llmId":"ours"}})").language_model_id, "ours");
  EXPECT_EQ(play(R"({"persona":{"brainType":"older"}})").language_model_id, "older");
  EXPECT_EQ(play(R"({"persona":{}})").language_model_id, "");
}

TEST(PersonaPlay, SpeaksWithTheVoiceThatItsIdMeans) {
  EXPECT_EQ(play(R"({"persona":{"voiceId":"v"}})").conversation.voice, "voice of v");
}

// Rule kept-tool-in-snapshot.
TEST(PersonaPlay, TakesWhatASystemToolDoesFromItsActionAndElseFromItsName) {
  const auto played = play(
      R"({"persona":{"tools":[{"name":"stop","type":"system","action":"interrupt"},)"
      R"({"name":"interrupt","type":"system"},{"name":"bye","type":"system","action":"end_call"},)"
      R"({"name":"hook","type":"server","subtype":"webhook","url":"https://a.example",)"
      R"("headers":{"X-Key":"hush"},"awaitResponse":true}]}})");
  const auto& tools = played.conversation.tools;
  ASSERT_EQ(tools.size(), 4u);
  EXPECT_EQ(tools[0].action, ConversationTool::Action::interrupt);
  EXPECT_EQ(tools[1].action, ConversationTool::Action::interrupt);
  EXPECT_EQ(tools[2].action, ConversationTool::Action::end_call);
  EXPECT_EQ(tools[3].kind, ConversationTool::Kind::webhook);
  EXPECT_EQ(tools[3].webhook.headers.front().second, "hush");
  EXPECT_EQ(tools[3].result, ConversationTool::Result::awaited);
}

TEST(PersonaPlay, WhatTheSessionsOptionsLeaveUnsaidStaysAsThePersonaHasIt) {
  constexpr auto persona = R"("persona":{"voiceDetectionOptions":{"endOfSpeechSensitivity":0.8,)"
                           R"("silenceBeforeSkipTurnSeconds":7}})";
  const auto with = [&](std::string options) {
    return play("{" + std::string(persona) + R"(,"sessionOptions":{"voiceDetection":)" + options +
                "}}");
  };
  EXPECT_EQ(with("{}").conversation.voice_detection.end_of_speech_sensitivity, 0.8);
  auto said = with(R"({"endOfSpeechSensitivity":0.1})");
  EXPECT_EQ(said.conversation.voice_detection.end_of_speech_sensitivity, 0.1);
  EXPECT_EQ(said.conversation.voice_detection.silence_before_skip_turn, 7s);
  prefer(R"({"endOfSpeechSensitivity":0.3})", said);
  EXPECT_EQ(said.conversation.voice_detection.end_of_speech_sensitivity, 0.3)
      << "the client itself comes first";
  prefer("", said);
  EXPECT_EQ(said.conversation.voice_detection.end_of_speech_sensitivity, 0.3);
}

TEST(PersonaPlay, AChangeLeavesWhatItDoesNotNameAsItIs) {
  auto played = play(R"({"persona":{"voiceDetectionOptions":{"endOfSpeechSensitivity":0.8,)"
                     R"("silenceBeforeSessionEndSeconds":60,"silenceBeforeSkipTurnSeconds":7}}})");
  const auto change =
      change_of(R"({"voiceDetectionOptions":{"silenceBeforeSkipTurnSeconds":0}})").conversation;
  EXPECT_FALSE(change.language);
  EXPECT_FALSE(change.speed);
  auto& detection = played.conversation.voice_detection;
  apply(change.voice_detection, detection);
  EXPECT_EQ(detection.end_of_speech_sensitivity, 0.8);
  EXPECT_EQ(detection.silence_before_session_end, 60s);
  EXPECT_EQ(detection.silence_before_skip_turn, 0s);
  EXPECT_EQ(change_of(R"({"languageCode":"de"})").conversation.language, "de");
}

TEST(PersonaPlay, TellsOfEachThingThatIsNotDoneHere) {
  using enum Unsupported;
  using List = std::vector<Unsupported>;
  const auto told = [](const std::string& snapshot) { return play(snapshot).unsupported; };
  EXPECT_EQ(told(R"({"persona":{"voiceGenerationOptions":{"speed":1.1}}})"), List{});
  EXPECT_EQ(told(R"({"persona":{"voiceGenerationOptions":{"emotion":"sad","volume":2}}})"),
            List{voice_generation});
  EXPECT_EQ(told(R"({"persona":{"voiceDetectionOptions":{"speechEnhancementLevel":0.5}}})"),
            List{speech_enhancement});
  EXPECT_EQ(told(R"({"persona":{},"sessionOptions":{"videoQuality":"high",)"
                 R"("sessionReplay":{"enableSessionReplay":false}}})"),
            List{});
  EXPECT_EQ(told(R"({"persona":{},"sessionOptions":{"videoQuality":"auto",)"
                 R"("sessionReplay":{"enableSessionReplay":true}}})"),
            (List{video_quality, session_replay}));
  EXPECT_EQ(change_of(R"({"voiceGenerationOptions":{"stability":0.5}})").unsupported,
            List{voice_generation});
}

TEST(PersonaPlay, TellsWhatAChangeHasMadeOther) {
  stage::ConversationSettings before, after;
  before.language = "en";
  EXPECT_TRUE(changed_fields(before, before).empty());
  after.language = "de";
  after.speed = 1.25;
  after.voice_detection.end_of_speech_sensitivity = 0;
  after.voice_detection.silence_before_skip_turn = 3s;
  after.voice_detection.silence_before_session_end = 1500ms;
  after.voice_detection.silence_before_auto_end_turn = 1s;
  EXPECT_EQ(
      persona_changed_message("s", changed_fields(before, after)),
      R"({"messageType":"personaConfigUpdateApplied","data":{"session_id":"s","changed_fields":{)"
      R"("languageCode":{"before":"en","after":"de"},)"
      R"("voiceGenerationOptions.speed":{"before":1,"after":1.25},)"
      R"("voiceDetectionOptions.endOfSpeechSensitivity":{"before":0.5,"after":0},)"
      R"("voiceDetectionOptions.silenceBeforeSkipTurnSeconds":{"before":0,"after":3},)"
      R"("voiceDetectionOptions.silenceBeforeSessionEndSeconds":{"before":0,"after":1.5},)"
      R"("voiceDetectionOptions.silenceBeforeAutoEndTurnSeconds":{"before":5,"after":1}}}})");
}

// Rule face-idle.
TEST(PersonaPlay, LetsAClientShortenTheSilenceThatEndsItAndNotLengthenOrLiftIt) {
  const auto after = [](std::string_view minted, std::string_view preferred) {
    auto played = play(R"({"persona":{"voiceDetectionOptions":{)" + std::string(minted) + "}}}");
    prefer("{" + std::string(preferred) + R"(,"endOfSpeechSensitivity":0.25})", played);
    EXPECT_EQ(played.conversation.voice_detection.end_of_speech_sensitivity, 0.25);
    return std::pair(played.conversation.voice_detection.silence_before_session_end.count() / 1000,
                     !played.unsupported.empty());
  };
  constexpr std::string_view ten = R"("silenceBeforeSessionEndSeconds":10)",
                             nine = R"("silenceBeforeSessionEndSeconds":9)",
                             eleven = R"("silenceBeforeSessionEndSeconds":11)",
                             none = R"("silenceBeforeSessionEndSeconds":0)";
  using Outcome = std::pair<long, bool>;
  EXPECT_EQ(after(ten, nine), Outcome(9, false));
  EXPECT_EQ(after(ten, ten), Outcome(10, false));
  EXPECT_EQ(after(ten, eleven), Outcome(10, true));
  EXPECT_EQ(after(ten, none), Outcome(10, true));
  EXPECT_EQ(after(none, eleven), Outcome(11, false));
  EXPECT_EQ(after(none, none), Outcome(0, false));
}

TEST(PersonaPlay, WaitsForAWebhookUnlessItSaysOtherwise) {
  const auto played = play(
      R"({"persona":{"tools":[{"name":"a","type":"server","subtype":"webhook","url":"https://a.b"},)"
      R"({"name":"b","type":"server","subtype":"webhook","url":"https://a.b",)"
      R"("awaitResponse":false}]}})");
  const auto& tools = played.conversation.tools;
  EXPECT_EQ(tools.at(0).result, ConversationTool::Result::awaited);
  EXPECT_EQ(tools.at(1).result, ConversationTool::Result::ignored);
}

TEST(PersonaPlay, SendsNumbersAndFlagsOfAWebhooksQueryAsTheyStand) {
  const auto played = play(
      R"({"persona":{"tools":[{"name":"a","type":"server","subtype":"webhook","url":"https://a.b",)"
      R"("queryParameters":{"days":3,"exact":false,"list":["x",1],"none":null,"share":0.5,)"
      R"("town":"Bern"}}]}})");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(played.conversation.tools.at(0).webhook.query, (Pairs{{"days", "3"},
                                                                  {"exact", "false"},
                                                                  {"list", R"(["x",1])"},
                                                                  {"share", "0.5"},
                                                                  {"town", "Bern"}}));
}

TEST(PersonaPlay, AsksAKnowledgeToolForAQuery) {
  const auto played =
      play(R"({"persona":{"tools":[{"name":"find","type":"server","subtype":"knowledge",)"
           R"("documentFolderIds":["a","b"]}]}})");
  const auto& tool = played.conversation.tools.at(0);
  EXPECT_EQ(tool.kind, ConversationTool::Kind::knowledge);
  EXPECT_EQ(tool.source_ids, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(tool.result, ConversationTool::Result::awaited);
  EXPECT_TRUE(tool.tool.parameters.contains("\"query\""));
}

}  // namespace
}  // namespace stagedoor::anam
