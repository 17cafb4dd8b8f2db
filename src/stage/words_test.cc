// Text on its way to speech and back: stage/sentences.h, stage/captions.h, stage/scripted_chat.h,
// stage/fallback_speech.h, and when a voice begins and ends: stage/listening.h.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "stage/captions.h"
#include "stage/engines_for_test.h"
#include "stage/fallback_speech.h"
#include "stage/listening.h"
#include "stage/scripted_chat.h"
#include "stage/sentences.h"

namespace stagedoor::stage {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<std::string> pieces_of(std::string_view text, std::size_t step) {
  Sentences sentences;
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size(); at += step)
    sentences.push(text.substr(at, step), pieces);
  sentences.finish(pieces);
  return pieces;
}

TEST(Sentences, TextIsCutAtItsSentencesHoweverItComes) {
  const std::string text =
      "Dr. Who paid $5.20 today. Did J. Smith? Yes!\nReally… 好的。再见 \"No.\" Good";
  const auto whole = pieces_of(text, text.size());
  EXPECT_THAT(whole, ElementsAre("Dr. Who paid $5.20 today.", " Did J. Smith?", " Yes!",
                                 "\nReally…", " 好的。", "再见 \"No.\"", " Good"));
  EXPECT_EQ(pieces_of(text, 1), whole);
  EXPECT_EQ(pieces_of(text, 7), whole);
}

TEST(Sentences, AnEndlessSentenceIsCutAtABlankAndNothingIsLost) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "wörd" + std::to_string(i) + (i % 9 ? " " : "");
  std::string joined;
  for (const auto& piece : pieces_of(text, 13)) {
    EXPECT_LE(piece.size(), Sentences::piece_bytes_max);
    joined += piece;
  }
  EXPECT_EQ(joined, text);
}

TEST(Captions, WithoutMarksWordsAreSpreadOverTheSoundAndAllAreGivenOnce) {
  Captions captions("one two three");
  SpeechChunk chunk;
  chunk.rate_hz = 16000;
  chunk.samples.resize(16000);
  captions.add(chunk);
  captions.finish();
  EXPECT_EQ(captions.spoken(0), "one");
  EXPECT_EQ(captions.spoken(2000), "");
  EXPECT_EQ(captions.spoken(4000), " two");
  EXPECT_EQ(captions.rest(), " three");
  EXPECT_EQ(captions.rest(), "");
}

TEST(Captions, AWordWithoutAMarkGoesWithTheOneBeforeIt) {
  Captions captions("go - now");
  SpeechChunk chunk;
  chunk.rate_hz = 16000;
  for (const auto& [begin, at] : {std::pair(0, 0), std::pair(5, 8000)}) {
    SpeechMark mark;
    mark.text_begin = static_cast<std::size_t>(begin);
    mark.begin_sample = at;
    chunk.marks.push_back(mark);
  }
  captions.add(chunk);
  EXPECT_EQ(captions.spoken(100), "go -");
  EXPECT_EQ(captions.spoken(8000), " now");
}

std::string scripted(std::string_view asked, std::string prompt, std::string name = "Ada") {
  ScriptedChat chat;
  ChatRequest request;
  request.persona_name = std::move(name);
  request.system_prompt = std::move(prompt);
  request.is_unasked = asked.empty();
  ChatMessage message;
  message.text = asked;
  if (!asked.empty()) request.messages.push_back(message);
  std::string text;
  bool has_ended = false;
  const auto job = chat.answer(std::move(request), [&](ChatEvent event) {
    if (const auto* delta = std::get_if<ChatDelta>(&event)) text += delta->text;
    has_ended |= std::holds_alternative<ChatEnd>(event);
  });
  EXPECT_TRUE(has_ended);
  return text;
}

constexpr auto prompt =
    "You sell tickets.\n"
    "Q: When do you open?\nA: At nine, every day but Sunday.\n"
    "question: How much is a ticket?\nAnswer: Twelve francs.\n";

// Rule scripted-chat-is-honest.
TEST(ScriptedChat, ItAnswersFromItsPairsAndElseSaysThatItIsScripted) {
  EXPECT_EQ(scripted("when do you open, please?", prompt), "At nine, every day but Sunday.");
  EXPECT_EQ(scripted("What is the price? How much does a ticket cost?", prompt), "Twelve francs.");
  const auto unknown = scripted("Who won the war?", prompt);
  EXPECT_THAT(unknown, HasSubstr("I am scripted"));
  EXPECT_THAT(unknown, HasSubstr("When do you open?"));
  EXPECT_THAT(scripted("", prompt), HasSubstr("I am Ada, a scripted partner"));
  EXPECT_THAT(scripted("Who are you?", ""), HasSubstr("scripted"));
  EXPECT_THAT(scripted("x", "", ""), HasSubstr("scripted"));
}

struct Outcome {
  int chunks = 0;
  bool has_ended = false;
  std::optional<base::Error> error;
};

Outcome speak(Speech& speech, SpeechRequest request) {
  Outcome outcome;
  const auto job = speech.speak(std::move(request), [&](SpeechEvent event) {
    outcome.chunks += std::holds_alternative<SpeechChunk>(event) ? 1 : 0;
    outcome.has_ended |= std::holds_alternative<SpeechEnd>(event);
    if (const auto* error = std::get_if<base::Error>(&event)) outcome.error = *error;
  });
  return outcome;
}

// Rule speech-falls-back.
TEST(FallbackSpeech, WhereAnEngineFailsBeforeItsFirstSoundTheNextOneSpeaks) {
  HummingSpeech first, second;
  first.fails = true;
  FallbackSpeech speech({&first, &second});
  EXPECT_TRUE(speak(speech, {.text = "hello", .voice = {}, .language = {}}).has_ended);
  EXPECT_THAT(second.requests, SizeIs(1));
  EXPECT_FALSE(*first.wanted[0]);
  second.fails = true;
  EXPECT_TRUE(speak(speech, {.text = "hello", .voice = {}, .language = {}}).error.has_value());
}

// Speaks any voice, and names some as its own.
class Naming : public HummingSpeech {
 public:
  explicit Naming(std::string own) : own_(std::move(own)) {}
  std::vector<SpeechVoice> voices() const override {
    return {{.name = own_, .title = own_, .language = "en"}};
  }

 private:
  std::string own_;
};

TEST(FallbackSpeech, WhoeverNamesAVoiceAmongItsOwnSpeaksItBeforeThoseThatWouldSpeakAny) {
  Naming any("alloy"), own("slt");
  FallbackSpeech speech({&any, &own});
  EXPECT_TRUE(speak(speech, {.text = "hello", .voice = "slt", .language = {}}).has_ended);
  EXPECT_THAT(any.requests, SizeIs(0));
  EXPECT_EQ(own.requests.at(0).voice, "slt");
  EXPECT_TRUE(speak(speech, {.text = "hello", .voice = "other", .language = {}}).has_ended);
  EXPECT_THAT(any.requests, SizeIs(1));
  own.fails = true;
  EXPECT_TRUE(speak(speech, {.text = "hello", .voice = "slt", .language = {}}).has_ended);
  EXPECT_THAT(any.requests, SizeIs(2));
}

// Fails in the middle.
class Stammering : public HummingSpeech {
 public:
  std::unique_ptr<Job> speak(SpeechRequest request, SpeechSink sink) override {
    sink(chunk_of(request.text));
    sink(base::Error{base::ErrorCode::unavailable, "test", {}});
    return std::make_unique<Job>();
  }
};

// Rule speech-falls-back.
TEST(FallbackSpeech, WhatHasBegunIsNotSaidTwice) {
  Stammering first;
  HummingSpeech second;
  FallbackSpeech speech({&first, &second});
  const auto outcome = speak(speech, {.text = "hello", .voice = {}, .language = {}});
  EXPECT_EQ(outcome.chunks, 1);
  EXPECT_TRUE(outcome.error.has_value());
  EXPECT_THAT(second.requests, SizeIs(0));
}

TEST(FallbackSpeech, AVoiceThatNobodyHasIsSpokenByADefaultAndALanguageThatNobodyHasIsRefused) {
  HummingSpeech engine;
  FallbackSpeech speech({&engine});
  EXPECT_FALSE(speech.can_speak("unknown", "en"));
  EXPECT_TRUE(speak(speech, {.text = "hi", .voice = "unknown", .language = "en"}).has_ended);
  EXPECT_EQ(engine.requests[0].voice, "");
  const auto outcome = speak(speech, {.text = "hi", .voice = {}, .language = "xx"});
  ASSERT_TRUE(outcome.error.has_value());
  EXPECT_EQ(outcome.error->code, base::ErrorCode::unsupported);
}

int frames_until(VoiceActivity& activity, bool is_voice, VoiceActivity::Change change) {
  for (int i = 1; i <= 1000; ++i)
    if (activity.push(is_voice) == change) return i;
  return -1;
}

// Rule speech-onset.
TEST(VoiceActivity, ACoughIsNoSpeechAndAVoiceIsNoticedWithin80Milliseconds) {
  VoiceActivity activity({});
  for (int cough = 0; cough < 20; ++cough)
    for (int i = 0; i < 15; ++i) EXPECT_EQ(activity.push(i < 5), std::nullopt);
  EXPECT_LE(frames_until(activity, true, VoiceActivity::Change::begun), 8);
}

// Rule speech-end-by-sensitivity.
TEST(VoiceActivity, SpeechEndsAfterTheSilenceThatTheSensitivityMeans) {
  for (const auto& [sensitivity, frames] :
       {std::pair(0.0, 140), std::pair(0.5, 80), std::pair(1.0, 20), std::pair(7.0, 20)}) {
    VoiceActivity activity({.end_of_speech_sensitivity = sensitivity, .silence_max = 5s});
    frames_until(activity, true, VoiceActivity::Change::begun);
    EXPECT_EQ(frames_until(activity, false, VoiceActivity::Change::ended), frames);
  }
  VoiceActivity activity({.end_of_speech_sensitivity = 0, .silence_max = 500ms});
  frames_until(activity, true, VoiceActivity::Change::begun);
  EXPECT_EQ(frames_until(activity, false, VoiceActivity::Change::ended), 50);
}

}  // namespace
}  // namespace stagedoor::stage
