// Engines that stand in for others: stage/fallback_chat.h, stage/fallback_recognizer.h. Speech has
// its own in stage/words_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "stage/engines_for_test.h"
#include "stage/fallback_chat.h"
#include "stage/fallback_recognizer.h"
#include "stage/scripted_chat.h"

namespace stagedoor::stage {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const base::Error trouble{base::ErrorCode::unavailable, "test trouble", {}};

struct Answer {
  std::string text;
  bool is_by_stand_in = false, has_ended = false, has_failed = false;
};

class FallbackChatTest : public testing::Test {
 protected:
  void ask(ChatRequest request = {}) {
    job = chat.answer(std::move(request), [this](ChatEvent event) {
      if (const auto* delta = std::get_if<ChatDelta>(&event)) answer.text += delta->text;
      answer.is_by_stand_in |= std::holds_alternative<ChatStandIn>(event);
      answer.has_ended |= std::holds_alternative<ChatEnd>(event);
      answer.has_failed |= std::holds_alternative<base::Error>(event);
    });
  }
  void fail() { engine->sinks.back()(trouble); }

  std::shared_ptr<PuppetChat> engine = std::make_shared<PuppetChat>(),
                              other = std::make_shared<PuppetChat>();
  std::vector<std::string> failures;
  FallbackChat chat{engine, other,
                    [this](const base::Error& why) { failures.push_back(why.detail); }};
  Answer answer;
  std::unique_ptr<Job> job;
};

// Rule chat-falls-back.
TEST_F(FallbackChatTest, WhereTheModelFailsBeforeItsFirstWordTheStandInAnswers) {
  ChatRequest request;
  request.model = "big-one";
  request.system_prompt = "Be kind.";
  ask(request);
  EXPECT_EQ(engine->requests[0].model, "big-one");
  EXPECT_FALSE(engine->requests[0].is_for_stand_in);
  engine->sinks[0](ChatReasoning{"hm"});
  fail();
  EXPECT_FALSE(*engine->wanted[0]);
  EXPECT_TRUE(answer.is_by_stand_in);
  ASSERT_THAT(other->requests, SizeIs(1));
  EXPECT_EQ(other->requests[0].system_prompt, "Be kind.");
  EXPECT_EQ(other->requests[0].model, "") << "the name is the other engine's";
  EXPECT_TRUE(other->requests[0].is_for_stand_in);
  EXPECT_THAT(failures, ElementsAre("test trouble"));
  other->say("Hello.");
  other->end();
  engine->say("too late");
  EXPECT_EQ(answer.text, "Hello.");
  EXPECT_TRUE(answer.has_ended);
  EXPECT_FALSE(answer.has_failed);
}

// Rule chat-falls-back.
TEST_F(FallbackChatTest, WhatHasBegunIsNotSaidTwice) {
  ask();
  engine->say("Once upon");
  fail();
  EXPECT_THAT(other->requests, IsEmpty());
  EXPECT_TRUE(answer.has_failed);
  answer = {};
  ask();
  engine->call("t", "open_door", "{}");
  fail();
  EXPECT_THAT(other->requests, IsEmpty()) << "what was called is called once";
  EXPECT_TRUE(answer.has_failed);
  EXPECT_THAT(failures, SizeIs(2));
}

TEST_F(FallbackChatTest, WhereTheModelAnswersNobodyStandsInAndOneWhoHasGoneIsToldNothing) {
  ask();
  engine->say("Hi.");
  engine->end();
  EXPECT_TRUE(answer.has_ended);
  EXPECT_FALSE(answer.is_by_stand_in);
  EXPECT_THAT(other->requests, IsEmpty());
  ask();
  job.reset();
  EXPECT_FALSE(*engine->wanted[1]);
  fail();
  EXPECT_THAT(other->requests, IsEmpty());
}

// Rule chat-falls-back.
TEST(Conversation, AScriptedPartnerThatStandsInSaysSoOnceAndTheClientIsTold) {
  Play play(silent_persona());
  play.settings.system_prompt = "Q: When do you open?\nA: At nine.";
  const auto engine = std::make_shared<PuppetChat>();
  FallbackChat chat(engine, std::make_shared<ScriptedChat>());
  play.engine = &chat;
  auto& conversation = play.begin();
  for (std::size_t turn = 0; turn < 2; ++turn) {
    conversation.user_text("When do you open?");
    engine->sinks.at(turn)(trouble);
    play.turn_loop();
    play.run(6s);
    EXPECT_THAT(play.warnings, SizeIs(turn + 1));
    EXPECT_THAT(play.text_of(Speaker::persona), HasSubstr("At nine."));
  }
  const auto said = play.text_of(Speaker::persona);
  const auto first = said.find("I am scripted");
  ASSERT_NE(first, said.npos) << said;
  EXPECT_EQ(said.find("I am scripted", first + 1), said.npos) << said;
  EXPECT_THAT(play.warnings[0], HasSubstr("language model did not answer"));
}

struct Words {
  std::optional<RecognizedText> text;
  std::optional<base::Error> error;
};

class FallbackRecognizerTest : public testing::Test {
 protected:
  // Says something, and ends.
  void say(std::string language = "en") {
    words = {};
    recognition = recognizer.listen(std::move(language), [this](RecognitionEvent event) {
      if (const auto* text = std::get_if<RecognizedText>(&event)) words.text = *text;
      if (const auto* error = std::get_if<base::Error>(&event)) words.error = *error;
    });
    recognition->push(std::vector<std::int16_t>{1, 2});
    recognition->push(std::vector<std::int16_t>{3});
    recognition->finish();
  }

  PuppetRecognizer first, second;
  std::vector<std::string> failures;
  FallbackRecognizer recognizer{{&first, &second},
                                [this](const base::Error& why) { failures.push_back(why.detail); }};
  Words words;
  std::unique_ptr<Recognition> recognition;
};

// Rule recognition-falls-back.
TEST_F(FallbackRecognizerTest, WhereAnEngineFailsTheNextOneGetsTheSameSound) {
  say();
  ASSERT_THAT(first.heard, SizeIs(1));
  EXPECT_TRUE(first.heard[0]->is_finished);
  EXPECT_THAT(second.heard, IsEmpty());
  first.heard[0]->sink(trouble);
  ASSERT_THAT(second.heard, SizeIs(1));
  EXPECT_THAT(second.heard[0]->samples, ElementsAre(1, 2, 3));
  EXPECT_TRUE(second.heard[0]->is_finished);
  second.heard[0]->sink(RecognizedText{"hello"});
  ASSERT_TRUE(words.text);
  EXPECT_EQ(words.text->text, "hello");
  EXPECT_TRUE(words.text->is_by_stand_in);
  EXPECT_THAT(failures, ElementsAre("test trouble"));
  say();
  first.heard[1]->sink(trouble);
  second.heard[1]->sink(trouble);
  EXPECT_TRUE(words.error) << "nobody has understood";
}

// Rule recognition-falls-back.
TEST_F(FallbackRecognizerTest, WhereNothingWasSaidNobodyElseIsAsked) {
  say();
  first.heard[0]->sink(RecognizedText{});
  ASSERT_TRUE(words.text);
  EXPECT_FALSE(words.text->is_by_stand_in);
  EXPECT_THAT(second.heard, IsEmpty());
}

TEST_F(FallbackRecognizerTest, AnEngineIsAskedForItsOwnLanguagesOnly) {
  EXPECT_FALSE(recognizer.understands("de"));
  say("de");
  EXPECT_TRUE(words.error);
  EXPECT_THAT(first.heard, IsEmpty());
  second.languages = {"en", "de"};
  EXPECT_TRUE(recognizer.understands("de"));
  say("de");
  EXPECT_THAT(first.heard, IsEmpty());
  second.heard.at(0)->sink(RecognizedText{"hallo"});
  EXPECT_FALSE(words.text->is_by_stand_in) << "nobody was asked before";
}

TEST_F(FallbackRecognizerTest, ALongUtteranceIsCutOff) {
  recognition = recognizer.listen("en", [](RecognitionEvent) {});
  const std::vector<std::int16_t> minute(60 * listening_rate_hz, 1);
  for (int i = 0; i < 3; ++i) recognition->push(minute);
  recognition->finish();
  EXPECT_EQ(first.heard.at(0)->samples.size(), minute.size());
}

// Rule recognition-falls-back.
TEST(Conversation, AClientIsToldThatAnotherRecogniserHasListened) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  play.hear(300ms, 8000);
  play.hear(1s, 0);
  play.recognizer.heard.at(0)->sink(RecognizedText{.text = "good day", .is_by_stand_in = true});
  play.turn_loop();
  EXPECT_THAT(said(conversation.history()), ElementsAre("user: good day"));
  EXPECT_THAT(play.warnings, ElementsAre(HasSubstr("another one has listened")));
}

TEST(Conversation, AClientWhoseMicrophoneNobodyUnderstandsIsToldSoOnceItSpeaks) {
  Play play(silent_persona());
  play.has_recognizer = false;
  play.begin();
  EXPECT_THAT(play.warnings, IsEmpty()) << "who only types needs none";
  for (int i = 0; i < 3; ++i) {
    play.hear(300ms, 8000);
    play.hear(1s, 0);
  }
  EXPECT_THAT(play.warnings, ElementsAre(HasSubstr("no speech recogniser")));
}

TEST(Conversation, ALanguageThatTheRecogniserLacksIsToldAtTheStart) {
  Play play(silent_persona());
  play.settings.language = "en";
  play.recognizer.languages = {"de"};
  play.begin();
  EXPECT_THAT(play.warnings, ElementsAre(HasSubstr("recogniser does not understand")));
}

}  // namespace
}  // namespace stagedoor::stage
