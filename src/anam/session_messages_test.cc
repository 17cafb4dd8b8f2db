#include "anam/session_messages.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace stagedoor::anam {
namespace {

TEST(SessionMessage, SpeechIsAText) {
  const auto message =
      read_session_message(R"({"message_type":"speech","content":"Hi","session_id":"s"})");
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<UserSpeech>(*message).content, "Hi");
  for (const auto* text :
       {R"({"message_type":"speech"})", R"({"message_type":"speech","content":""})",
        R"({"message_type":"speech","content":7})"})
    EXPECT_FALSE(read_session_message(text)) << text;
}

TEST(SessionMessage, AToolsResultMayBeAnyJsonAndAnErrorIsAFailure) {
  const auto object = read_session_message(
      R"({"message_type":"tool_result","tool_call_id":"t","result":{"b":1,"a":2}})");
  ASSERT_TRUE(object);
  EXPECT_EQ(std::get<ToolResult>(*object).result, R"({"a":2,"b":1})");
  const auto failed =
      read_session_message(R"({"message_type":"tool_result","tool_call_id":"t","error":"no"})");
  ASSERT_TRUE(failed);
  EXPECT_TRUE(std::get<ToolResult>(*failed).failed);
  EXPECT_EQ(std::get<ToolResult>(*failed).result, "no");
  EXPECT_FALSE(read_session_message(R"({"message_type":"tool_result","result":"x"})"));
}

TEST(SessionMessage, StatisticsAndUnknownTypesAskNothingOfUs) {
  for (const auto* text : {R"({"message_type":"remote_rtp_stats","data":{}})", R"({"x":1})"}) {
    const auto message = read_session_message(text);
    ASSERT_TRUE(message) << text;
    EXPECT_TRUE(std::holds_alternative<NothingToDo>(*message)) << text;
  }
  EXPECT_FALSE(read_session_message("garbage"));
}

TEST(SessionMessage, AChangeOfThePersonaKeepsItsBoundsOrIsRefusedWithTheMemberNamed) {
  const auto change = [](std::string data) {
    return read_session_message(R"({"message_type":"persona_config","data":)" + data + "}");
  };
  const auto good = change(
      R"({"voiceDetectionOptions":{"silenceBeforeAutoEndTurnSeconds":0.5},"languageCode":"de",)"
      R"("voiceGenerationOptions":{"speed":2},"other":1})");
  ASSERT_TRUE(good);
  EXPECT_EQ(std::get<PersonaUpdate>(*good).change,
            R"({"languageCode":"de",)"
            R"("voiceDetectionOptions":{"silenceBeforeAutoEndTurnSeconds":0.5},)"
            R"("voiceGenerationOptions":{"speed":2}})");
  for (const auto& [data, words] :
       {std::pair(R"({"voiceDetectionOptions":{"silenceBeforeAutoEndTurnSeconds":-1}})",
                  "persona_config: voiceDetectionOptions.silenceBeforeAutoEndTurnSeconds must be "
                  "from 0.5 to 10"),
        std::pair(R"({"voiceDetectionOptions":{"endOfSpeechSensitivity":"high"}})",
                  "persona_config: voiceDetectionOptions.endOfSpeechSensitivity must be a number"),
        std::pair(R"({"voiceGenerationOptions":{"speed":9}})",
                  "persona_config: voiceGenerationOptions.speed must be from 0.5 to 2"),
        std::pair(R"({"voiceGenerationOptions":"loud"})",
                  "persona_config: voiceGenerationOptions must be an object"),
        std::pair(R"({"languageCode":"English"})",
                  "persona_config: languageCode must be a language of ISO 639-1 in two small "
                  "letters, such as en"),
        std::pair(R"(7)", "persona_config: data must be an object")}) {
    const auto refused = change(data);
    ASSERT_FALSE(refused) << data;
    EXPECT_EQ(refused.error().hint, words);
  }
}

TEST(SessionMessage, ACueIsOneOfTheTags) {
  EXPECT_TRUE(read_session_message(
      R"({"message_type":"director_note_cue","cue":{"tag":"happy"},"in_seconds":1})"));
  EXPECT_FALSE(
      read_session_message(R"({"message_type":"director_note_cue","cue":{"tag":"bored"}})"));
}

TEST(SessionMessage, ASearchThatIsOverNamesTheDocumentsOfItsResult) {
  ToolCall call{.name = "find", .type = "server", .subtype = "knowledge", .result = "[]"};
  call.documents = {"a.md", "b.md"};
  const auto done = tool_call_message(ToolCallState::completed, call, base::Instant{});
  EXPECT_TRUE(done.contains(R"("documents_accessed":["a.md","b.md"])")) << done;
  EXPECT_FALSE(tool_call_message(ToolCallState::started, call, base::Instant{})
                   .contains("documents_accessed"));
  call.subtype = "webhook";
  EXPECT_FALSE(tool_call_message(ToolCallState::completed, call, base::Instant{})
                   .contains("documents_accessed"));
}

TEST(SessionMessage, APieceOfSpeechSaysWhoseItIsAndWhetherItEnds) {
  const auto text = speech_text_message({.message_id = "m",
                                         .content = " there",
                                         .role = "persona",
                                         .correlation_id = "c",
                                         .content_index = 1,
                                         .ends = true},
                                        base::Instant{});
  base::JsonReader reader;
  const auto json = reader.read(text);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->member("messageType")->text(), "speechText");
  const auto data = *json->member("data");
  EXPECT_EQ(data.member("content")->text(), " there");
  EXPECT_EQ(data.member("end_of_speech")->flag(), true);
  EXPECT_EQ(data.member("interrupted")->flag(), false);
  EXPECT_EQ(data.member("user_action_correlation_id")->text(), "c");
  EXPECT_FALSE(data.member("utterance_id"));
}

}  // namespace
}  // namespace stagedoor::anam
