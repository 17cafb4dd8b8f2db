#include "anam/signalling_messages.h"

#include <gtest/gtest.h>

namespace stagedoor::anam {
namespace {

TEST(Signalling, AnOfferIsReadWhateverTheCaseOfItsAction) {
  const auto message = read_signalling_message(
      R"({"actionType":"OFFER","sessionId":"s","payload":{"connectionDescription":)"
      R"({"type":"offer","sdp":"v=0"},"userUid":"s"}})");
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<Offer>(*message).sdp, "v=0");
}

TEST(Signalling, AnOfferWithoutItsSdpIsRefusedWithTheMemberNamed) {
  for (const auto* payload : {R"({})", R"({"connectionDescription":{"type":"answer","sdp":"v=0"}})",
                              R"({"connectionDescription":{"type":"offer","sdp":""}})"}) {
    const auto message =
        read_signalling_message(std::string(R"({"actionType":"offer","payload":)") + payload + "}");
    ASSERT_FALSE(message) << payload;
    EXPECT_NE(message.error().hint.find("connectionDescription"), std::string::npos);
  }
}

TEST(Signalling, WhatIsNoMessageIsAFaultAndAnUnknownActionIsNone) {
  for (const auto* text : {"", "x", "[]", "{}", R"({"actionType":7})"})
    EXPECT_FALSE(read_signalling_message(text)) << text;
  const auto unknown = read_signalling_message(R"({"actionType":"dance","payload":1})");
  ASSERT_TRUE(unknown);
  EXPECT_EQ(std::get<UnknownAction>(*unknown).name, "dance");
}

TEST(Signalling, AgentSoundIsWholeSamplesMixedToOneChannel) {
  const auto read = [](std::string_view data, int channels, int rate) {
    return read_signalling_message(R"({"actionType":"agentaudioinput","payload":{"audioData":")" +
                                   std::string(data) + R"(","encoding":"pcm_s16le","sampleRate":)" +
                                   std::to_string(rate) + R"(,"channels":)" +
                                   std::to_string(channels) + "}}");
  };
  const auto mono = read("AQD//w==", 1, 24000);
  ASSERT_TRUE(mono);
  EXPECT_EQ(std::get<AgentSound>(*mono).samples, (std::vector<std::int16_t>{1, -1}));
  EXPECT_EQ(std::get<AgentSound>(*mono).rate_hz, 24000);
  const auto stereo = read("ZAAAAA==", 2, 48000);
  ASSERT_TRUE(stereo);
  EXPECT_EQ(std::get<AgentSound>(*stereo).samples, (std::vector<std::int16_t>{50}));
  EXPECT_FALSE(read("AQ==", 1, 24000)) << "half a sample";
  EXPECT_FALSE(read("AQD//w", 1, 24000)) << "no base64";
  EXPECT_FALSE(read("AQD//w==", 3, 24000));
  EXPECT_FALSE(read("AQD//w==", 1, 4000));
}

TEST(Signalling, ATalkChunkBeyondItsLimitsIsRefused) {
  const auto read = [](const std::string& content, const std::string& id) {
    return read_signalling_message(R"({"actionType":"talkstream","payload":{"content":")" +
                                   content + R"(","startOfSpeech":true,"correlationId":")" + id +
                                   R"("}})");
  };
  const auto good = read("Hello", "c1");
  ASSERT_TRUE(good);
  const auto& chunk = std::get<TalkChunk>(*good);
  EXPECT_TRUE(chunk.starts);
  EXPECT_FALSE(chunk.ends);
  EXPECT_EQ(chunk.correlation_id, "c1");
  EXPECT_FALSE(read(std::string(talk_characters_max + 1, 'a'), "c1"));
  EXPECT_FALSE(read("Hello", std::string(correlation_characters_max + 1, 'a')));
}

TEST(Signalling, OurMessagesHaveTheirKeysInTheOrderOfTheStrictestClient) {
  EXPECT_EQ(answer_message("s", "v=0"),
            R"({"actionType":"answer","sessionId":"s","payload":{"type":"answer","sdp":"v=0"}})");
  EXPECT_EQ(end_session_message("s", "bye"),
            R"({"actionType":"endsession","sessionId":"s","payload":"bye"})");
  EXPECT_EQ(talk_interrupted_message("s", "c"),
            R"({"actionType":"talkinputstreaminterrupted","sessionId":"s","payload":)"
            R"({"correlationId":"c"}})");
}

}  // namespace
}  // namespace stagedoor::anam
