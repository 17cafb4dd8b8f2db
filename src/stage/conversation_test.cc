#include "stage/conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "stage/engines_for_test.h"

namespace stagedoor::stage {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Conversation, WhatTheUserTypesIsAnsweredSentenceBySentence) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.user_text("How are you?");
  ASSERT_THAT(play.chat.requests, SizeIs(1));
  EXPECT_THAT(said(play.chat.requests[0].messages), ElementsAre("user: How are you?"));
  play.chat.say("I am well. And");
  play.turn_loop();
  ASSERT_THAT(play.speech.requests, SizeIs(1)) << "the first sentence waits for no other";
  EXPECT_EQ(play.speech.requests[0].text, "I am well.");
  play.chat.say(" you?");
  play.chat.end();
  play.turn_loop();
  EXPECT_GT(play.run(1200ms), 45);
  EXPECT_EQ(play.text_of(Speaker::persona), "I am well. And you?");
  EXPECT_TRUE(play.texts.back().is_end_of_speech);
  EXPECT_FALSE(play.texts.back().is_interrupted);
  EXPECT_THAT(said(conversation.history()),
              ElementsAre("user: How are you?", "persona: I am well. And you?"));
}

// Rule captions-as-spoken.
TEST(Conversation, EachWordIsToldWhenItsSoundIsSent) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.talk("one two three", "c1");
  play.turn_loop();
  play.run(100ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "one");
  play.run(200ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "one two");
  play.run(200ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "one two three");
  EXPECT_FALSE(play.texts.back().is_end_of_speech);
  play.run(200ms);
  EXPECT_TRUE(play.texts.back().is_end_of_speech);
  for (const auto& text : play.texts) {
    EXPECT_EQ(text.message_id, play.texts[0].message_id);
    EXPECT_EQ(text.correlation_id, "c1");
  }
  EXPECT_THAT(play.chat.requests, IsEmpty()) << "talk bypasses the chat";
}

// Content, and whether it closes, of each piece of thought.
std::vector<std::pair<std::string, bool>> thoughts_of(const Play& play) {
  std::vector<std::pair<std::string, bool>> all;
  for (const auto& thought : play.thoughts) {
    EXPECT_EQ(thought.content_index, static_cast<int>(all.size()));
    EXPECT_EQ(thought.message_id, play.thoughts[0].message_id);
    all.emplace_back(thought.content, thought.is_end_of_speech);
  }
  return all;
}

// Rule thoughts-end.
TEST(Conversation, AThoughtIsToldPieceByPieceAndClosedBeforeTheFirstWord) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.user_text("Why?");
  play.chat.sinks.back()(ChatReasoning{"Hm, "});
  play.chat.sinks.back()(ChatReasoning{"why."});
  play.turn_loop();
  using Thoughts = std::vector<std::pair<std::string, bool>>;
  EXPECT_EQ(thoughts_of(play), (Thoughts{{"Hm, ", false}, {"why.", false}}));
  play.chat.say("Because.");
  play.chat.say(" And so on.");
  play.chat.end();
  play.turn_loop();
  EXPECT_EQ(thoughts_of(play), (Thoughts{{"Hm, ", false}, {"why.", false}, {"", true}}));
}

// Rule thoughts-end.
TEST(Conversation, AThoughtIsClosedByAToolCallByTheEndOfARoundAndByAnInterruption) {
  using Thoughts = std::vector<std::pair<std::string, bool>>;
  const auto closed_by = [](const std::function<void(Play&)>& what) {
    Play play(silent_persona());
    play.begin().user_text("Why?");
    play.chat.sinks.back()(ChatReasoning{"Hm."});
    play.turn_loop();
    what(play);
    play.turn_loop();
    return thoughts_of(play);
  };
  const Thoughts closed{{"Hm.", false}, {"", true}};
  EXPECT_EQ(closed_by([](Play& play) { play.chat.call("1", "unknown", "{}"); }), closed);
  EXPECT_EQ(closed_by([](Play& play) { play.chat.end(); }), closed);
  EXPECT_EQ(closed_by([](Play& play) { play.conversation->interrupt(); }), closed);
  EXPECT_EQ(closed_by([](Play& play) { play.conversation->stop(); }), closed);
  EXPECT_EQ(closed_by([](Play&) {}), (Thoughts{{"Hm.", false}}));
}

// Rule interruption-stops-conversation.
TEST(Conversation, TheUsersVoiceStopsTheSoundWithin100Milliseconds) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.user_text("Tell me a long story.");
  play.chat.say("Once upon a time there was a king who had a very long name. It went on and on.");
  play.turn_loop();
  EXPECT_EQ(play.run(1000ms), 50);
  EXPECT_LE(play.hear(300ms, 8000), 5) << "ticks of sound after the voice began";
  EXPECT_THAT(play.notes, ElementsAre("user started"));
  EXPECT_FALSE(*play.chat.wanted[0]) << "the model writes no more of it";
  EXPECT_TRUE(play.texts.back().is_interrupted);
  EXPECT_TRUE(play.texts.back().is_end_of_speech);
  play.chat.say(" and on");
  play.turn_loop();
  EXPECT_EQ(play.run(1000ms), 0) << "what comes late is not spoken";
}

// Rule interruption-stops-conversation.
TEST(Conversation, AGreetingThatMayNotBeInterruptedIsSpokenToItsEnd) {
  ConversationSettings settings;
  settings.greeting = ConversationSettings::Greeting::uninterruptible;
  settings.initial_message = "Welcome to the very old theatre.";
  Play play(settings);
  auto& conversation = play.begin();
  play.run(200ms);
  play.hear(200ms, 8000);
  conversation.interrupt();
  play.run(1500ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "Welcome to the very old theatre.");
  EXPECT_FALSE(play.texts.back().is_interrupted);
}

// Rule history-keeps-what-was-spoken.
TEST(Conversation, AfterAnInterruptionTheModelIsToldOnlyWhatWasHeard) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.user_text("Count.");
  play.chat.say("One two three four five six seven eight.");
  play.chat.end();
  play.turn_loop();
  play.run(500ms);
  conversation.user_text("Stop.");
  EXPECT_THAT(said(play.chat.requests.back().messages),
              ElementsAre("user: Count.", "persona: One two three", "user: Stop."));
  EXPECT_EQ(play.text_of(Speaker::persona), "One two three");
}

TEST(Conversation, WhatIsSaidAloudIsRecognisedWithItsBeginningAndAnswered) {
  Play play(silent_persona());
  play.begin();
  play.hear(400ms, 0);
  play.hear(600ms, 8000);
  ASSERT_THAT(play.recognizer.heard, SizeIs(1));
  EXPECT_FALSE(play.recognizer.heard[0]->is_finished);
  play.hear(1000ms, 0);
  EXPECT_TRUE(play.recognizer.heard[0]->is_finished);
  EXPECT_THAT(play.notes, ElementsAre("user started", "user ended"));
  EXPECT_GT(play.recognizer.heard[0]->samples.size(), 16000 * 13 / 10) << "with what came before";
  play.recognizer.heard[0]->sink(RecognizedText{"good morning"});
  play.turn_loop();
  EXPECT_EQ(play.text_of(Speaker::user), "good morning");
  EXPECT_THAT(play.chat.requests, SizeIs(1));
}

TEST(Conversation, AGreetingComesFromTheSettingsOrFromTheChat) {
  ConversationSettings settings;
  settings.initial_message = "Hello there.";
  Play with_words(settings);
  with_words.begin();
  with_words.run(1000ms);
  EXPECT_EQ(with_words.text_of(Speaker::persona), "Hello there.");
  EXPECT_THAT(with_words.chat.requests, IsEmpty());
  Play without{ConversationSettings{}};
  without.begin();
  ASSERT_THAT(without.chat.requests, SizeIs(1));
  EXPECT_TRUE(without.chat.requests[0].is_unasked);
  settings.greeting = ConversationSettings::Greeting::skipped;
  Play skipped(settings);
  skipped.begin();
  EXPECT_EQ(skipped.run(500ms), 0);
}

TEST(Conversation, AContextIsKnownToTheNextAnswerAndIsNotAnswered) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.add_context("The user is in the garden.");
  EXPECT_THAT(play.chat.requests, IsEmpty());
  conversation.user_text("Where am I?");
  EXPECT_THAT(said(play.chat.requests[0].messages),
              ElementsAre("system: The user is in the garden.", "user: Where am I?"));
}

TEST(Conversation, TalksFollowEachOtherAndAStreamIsSpokenAsItComes) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.talk("first", "a");
  conversation.talk_stream({.content = "Then this. And",
                            .is_start = true,
                            .is_end = false,
                            .correlation_id = "s",
                            .utterance_id = "u"});
  play.turn_loop();
  play.run(1500ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "firstThen this.");
  EXPECT_EQ(play.texts.back().utterance_id, "u");
  conversation.talk_stream({.content = " that.",
                            .is_start = false,
                            .is_end = true,
                            .correlation_id = "s",
                            .utterance_id = "u"});
  play.turn_loop();
  play.run(1500ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "firstThen this. And that.");
  EXPECT_TRUE(play.texts.back().is_end_of_speech);
}

TEST(Conversation, AnInterruptedStreamIsToldAndWhatStillComesOfItIsNotSpoken) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.talk_stream({.content = "A long stream of words. ",
                            .is_start = true,
                            .is_end = false,
                            .correlation_id = "s",
                            .utterance_id = ""});
  play.turn_loop();
  play.run(300ms);
  conversation.interrupt();
  EXPECT_THAT(play.notes, ElementsAre("stream interrupted s"));
  conversation.talk_stream({.content = "More of it. ",
                            .is_start = false,
                            .is_end = false,
                            .correlation_id = "s",
                            .utterance_id = ""});
  play.turn_loop();
  EXPECT_LE(play.run(1000ms), 1);
}

TEST(Conversation, AStreamThatItsClientAbandonsEndsAfterTenSeconds) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.talk_stream({.content = "Half a",
                            .is_start = true,
                            .is_end = false,
                            .correlation_id = "s",
                            .utterance_id = ""});
  conversation.talk("next", "n");
  play.run(9000ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "");
  play.run(3000ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "Half anext");
}

TEST(Conversation, TheClientsOwnSoundIsPlayedAndEndsWithItsSequence) {
  auto settings = silent_persona();
  settings.words = ConversationSettings::Words::sound;
  Play play(settings);
  auto& conversation = play.begin();
  const auto hum = HummingSpeech::chunk_of("a b c d e");
  conversation.play_sound(hum.samples, hum.rate_hz);
  conversation.end_sound();
  EXPECT_NEAR(play.run(2000ms), 50, 2);
  conversation.play_sound(hum.samples, 4000);
  EXPECT_THAT(play.warnings, SizeIs(1));
  conversation.play_sound(hum.samples, hum.rate_hz);
  play.run(300ms);
  conversation.interrupt();
  EXPECT_LE(play.run(1000ms), 1);
}

// Rule silence-ends-turns.
TEST(Conversation, ThePersonaSpeaksAgainAfterASilenceThreeTimesAndThenWaits) {
  auto settings = silent_persona();
  settings.voice_detection.silence_before_skip_turn = 5s;
  Play play(settings);
  auto& conversation = play.begin();
  play.run(4900ms);
  EXPECT_THAT(play.chat.requests, IsEmpty());
  for (std::size_t turn = 1; turn <= 3; ++turn) {
    play.run(200ms);
    ASSERT_THAT(play.chat.requests, SizeIs(turn));
    play.chat.say("Well?");
    play.chat.end();
    play.turn_loop();
    play.run(5100ms);
  }
  play.run(20s);
  EXPECT_THAT(play.chat.requests, SizeIs(3));
  conversation.user_text("Here.");
  EXPECT_THAT(play.chat.requests, SizeIs(4));
}

// Rule silence-ends-turns.
TEST(Conversation, TheSessionEndsAfterTheUsersSilenceButNotWhileSomebodySpeaks) {
  auto settings = silent_persona();
  settings.voice_detection.silence_before_session_end = 10s;
  Play play(settings);
  auto& conversation = play.begin();
  play.run(9s);
  conversation.talk(std::string(200, 'a') + " b c d e f g h i j k l m n o p q r s t u v w x y z",
                    "t");
  play.turn_loop();
  play.run(9s);
  EXPECT_THAT(play.end_reasons, IsEmpty());
  play.run(8s);
  EXPECT_THAT(play.end_reasons, ElementsAre(EndReason::silence));
  EXPECT_TRUE(conversation.is_ended());
}

TEST(Conversation, ASessionEndsAtItsLengthWhateverHappens) {
  auto settings = silent_persona();
  settings.length_max = 3s;
  Play play(settings);
  auto& conversation = play.begin();
  conversation.talk("a b c d e f g h i j k l m n o p q r s t u v w x y z", "t");
  play.turn_loop();
  play.run(2980ms);
  EXPECT_THAT(play.end_reasons, IsEmpty());
  play.run(100ms);
  EXPECT_THAT(play.end_reasons, ElementsAre(EndReason::length_reached));
  EXPECT_LE(play.run(1000ms), 1);
  conversation.user_text("Hello?");
  conversation.stop();
  EXPECT_THAT(play.end_reasons, SizeIs(1)) << "it ends once";
}

TEST(Conversation, AnUpdateThatNoEngineCanDoIsToldByAWarning) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  ConversationUpdate change;
  change.language = "xx";
  conversation.update(change);
  EXPECT_THAT(play.warnings, SizeIs(2)) << "one of speech, one of recognition";
  change = {};
  change.speed = 1.5;
  change.voice = "other";
  conversation.update(change);
  conversation.talk("hello", "t");
  play.turn_loop();
  EXPECT_EQ(play.speech.requests.back().voice, "other");
  EXPECT_EQ(play.speech.requests.back().speed, 1.5);
  EXPECT_EQ(play.speech.requests.back().language, "");
}

TEST(Conversation, AFailureOfAnEngineIsAWarningAndTheConversationGoesOn) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.user_text("One?");
  play.chat.sinks.back()(base::Error{base::ErrorCode::unavailable, "test", {}});
  play.turn_loop();
  play.speech.fails = true;
  conversation.talk("unspoken", "t");
  play.turn_loop();
  play.run(300ms);
  EXPECT_THAT(play.warnings, SizeIs(2));
  EXPECT_EQ(play.text_of(Speaker::persona), "") << "what has no sound was not said";
  play.speech.fails = false;
  conversation.talk("spoken", "t");
  play.turn_loop();
  play.run(500ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "spoken");
}

// Rule conversation-bounded.
TEST(Conversation, HistoryWaitingTurnsAndTextAreBounded) {
  Play play(silent_persona());
  play.has_chat = false;
  auto& conversation = play.begin();
  for (int i = 0; i < 1000; ++i) conversation.user_text(std::string(3000, 'x'));
  EXPECT_LE(conversation.history().size(), history_messages_max);
  EXPECT_LT(conversation.held_bytes(), history_bytes_max + (64u << 10));
  conversation.user_text(std::string(user_text_bytes_max + 1, 'x'));
  EXPECT_THAT(play.warnings, SizeIs(1));
  for (std::size_t i = 0; i < waiting_turns_max + 5; ++i) conversation.talk("words", "t");
  EXPECT_THAT(play.warnings, SizeIs(6));
  for (int i = 0; i < 1000; ++i) {
    conversation.talk_stream({.content = std::string(1000, 'y'),
                              .is_start = false,
                              .is_end = false,
                              .correlation_id = "s",
                              .utterance_id = ""});
  }
  EXPECT_LT(conversation.held_bytes(), 4u << 20);
}

// Rule conversation-bounded.
TEST(Conversation, WhatEnginesSendAfterItIsGoneFindsNobody) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.user_text("Hello?");
  play.chat.say("Hel");
  play.conversation.reset();
  play.chat.say("lo.");
  play.turn_loop();
  EXPECT_THAT(play.speech.requests, IsEmpty());
}

// Rule face-turns-bounded.
TEST(Conversation, AFloodOfTextIsAnsweredTwiceASecondAndTheRestIsToldOf) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  const auto flood = [&] {
    for (int i = 0; i < 200; ++i) conversation.user_text("And now?");
    play.turn_loop();
  };
  flood();
  EXPECT_THAT(play.chat.requests, SizeIs(8));
  EXPECT_THAT(play.texts, SizeIs(8)) << "what is not read is not told as read";
  EXPECT_THAT(conversation.history(), SizeIs(8));
  EXPECT_THAT(play.warnings, SizeIs(192));
  play.run(2s);
  flood();
  EXPECT_THAT(play.chat.requests, SizeIs(8 + 4));
  play.run(10s);
  flood();
  EXPECT_THAT(play.chat.requests, SizeIs(8 + 4 + 8));
}

// Rule face-turns-bounded.
TEST(Conversation, WhatIsSaidAloudCountsAsATurnAndWhereNobodyAnswersNothingIsCounted) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  for (int i = 0; i < 8; ++i) conversation.user_text("And now?");
  play.turn_loop();
  play.hear(200ms, 8000);
  play.recognizer.heard.back()->sink(RecognizedText{"Hello."});
  play.turn_loop();
  EXPECT_THAT(play.chat.requests, SizeIs(8));
  EXPECT_THAT(play.warnings, SizeIs(1));

  auto settings = silent_persona();
  settings.words = ConversationSettings::Words::client;
  Play other(settings);
  for (auto& its = other.begin(); other.texts.size() < 20;) its.user_text("And now?");
  EXPECT_THAT(other.warnings, IsEmpty());
}

// Rule face-speech-bounded.
TEST(Conversation, WordsThatAreInterruptedOverAndOverAreSpokenNoFasterThanTheyCouldBeHeard) {
  using Say = std::function<void(Conversation&, int)>;
  const Say talk = [](Conversation& to, int) { to.talk("Good morning to all.", ""); };
  const Say stream = [](Conversation& to, int number) {
    to.talk_stream({.content = "Good morning to all.",
                    .is_start = true,
                    .is_end = number % 2 == 0,
                    .correlation_id = std::to_string(number),
                    .utterance_id = {}});
  };
  const Say talk_of_many = [](Conversation& to, int) {
    std::string text;
    for (int i = 0; i < 500; ++i) text += "Good morning to all. ";
    to.talk(text, "");
  };
  constexpr std::size_t bytes_of_one = speech_bytes_of_request + 20;
  for (const auto& say : {talk, stream, talk_of_many}) {
    Play play(silent_persona());
    auto& conversation = play.begin();
    int number = 0;
    const auto loop = [&] {
      for (int i = 0; i < 300; ++i) {
        say(conversation, ++number);
        play.turn_loop();
        conversation.interrupt();
      }
    };
    loop();
    const auto asked_for = play.speech.requests.size();
    EXPECT_LE(asked_for, speech_bytes_burst / bytes_of_one + 1);
    EXPECT_GE(asked_for, speech_bytes_burst / bytes_of_one - 1);
    EXPECT_THAT(play.warnings, ElementsAre(HasSubstr("it waits")));
    play.run(10s);
    loop();
    const auto more = play.speech.requests.size() - asked_for;
    EXPECT_LE(more, 10 * speech_bytes_per_second / bytes_of_one + 1);
    EXPECT_GE(more, 10 * speech_bytes_per_second / bytes_of_one - 1);
    // What waits is spoken in its time.
    conversation.talk("At last.", "");
    play.run(2s);
    EXPECT_EQ(play.speech.requests.back().text, "At last.");
  }
}

// Rule face-speech-bounded.
TEST(Conversation, WhoeverListensIsNeverKeptWaiting) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  std::string text;
  for (int i = 0; i < 60; ++i) text += "It was so. And then some of them came from the hills. ";
  for (int i = 0; i < 20; ++i) {
    conversation.talk(text, "");
    play.run(3s);
    conversation.interrupt();
  }
  conversation.talk(text, "");
  EXPECT_GT(play.run(100s), 4900) << "ticks with sound, without a gap";
  EXPECT_THAT(play.warnings, IsEmpty());
}

// Rule face-speech-bounded.
TEST(Conversation, AClockThatIsSetBackKeepsNoWordsWaitingForLong) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  for (int i = 0; i < 300; ++i) {
    conversation.talk("Good morning to all.", "");
    play.turn_loop();
    conversation.interrupt();
  }
  const auto asked_for = play.speech.requests.size();
  play.clock.advance(-1h);
  conversation.talk("At last.", "");
  play.run(4s);
  EXPECT_EQ(play.speech.requests.size(), asked_for + 1);
}

}  // namespace
}  // namespace stagedoor::stage
