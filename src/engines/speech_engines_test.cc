// The built-in speech, with real sound: engines/flite_speech.h, engines/espeak_speech.h.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "engines/espeak_speech.h"
#include "engines/events_for_test.h"
#include "engines/flite_speech.h"

namespace stagedoor::engines {
namespace {

using stage::SpeechChunk;
using stage::SpeechEnd;
using stage::SpeechEvent;
using stage::SpeechMark;

bool is_last(const SpeechEvent& event) {
  return !std::holds_alternative<SpeechChunk>(event);
}

struct Spoken {
  std::vector<std::int16_t> samples;
  std::vector<SpeechMark> words, phonemes;
  int rate_hz = 0;
  bool has_ended = false;
  std::optional<base::Error> error;
  double seconds() const { return static_cast<double>(samples.size()) / rate_hz; }
};

Spoken speak(stage::Speech& speech, stage::SpeechRequest request) {
  const auto events = std::make_shared<Events<SpeechEvent>>();
  const auto job = speech.speak(std::move(request),
                                [events](SpeechEvent event) { events->add(std::move(event)); });
  Spoken spoken;
  for (const auto& event :
       events->wait_for([](const auto& all) { return !all.empty() && is_last(all.back()); })) {
    if (const auto* chunk = std::get_if<SpeechChunk>(&event)) {
      spoken.rate_hz = chunk->rate_hz;
      spoken.samples.insert(spoken.samples.end(), chunk->samples.begin(), chunk->samples.end());
      for (const auto& mark : chunk->marks)
        (mark.kind == SpeechMark::Kind::word ? spoken.words : spoken.phonemes).push_back(mark);
    }
    spoken.has_ended |= std::holds_alternative<SpeechEnd>(event);
    if (const auto* error = std::get_if<base::Error>(&event)) spoken.error = *error;
  }
  return spoken;
}

stage::SpeechRequest request(std::string text, std::string voice = {}, std::string language = {},
                             double speed = 1) {
  stage::SpeechRequest made;
  made.text = std::move(text);
  made.voice = std::move(voice);
  made.language = std::move(language);
  made.speed = speed;
  return made;
}

double loudness(const std::vector<std::int16_t>& samples, std::int64_t begin, std::int64_t end) {
  double sum = 0;
  for (auto at = begin; at < end; ++at) sum += std::pow(samples[static_cast<std::size_t>(at)], 2.0);
  return std::sqrt(sum / static_cast<double>(std::max<std::int64_t>(end - begin, 1)));
}

TEST(FliteSpeech, EachVoiceSpeaksAndTellsWhenEachWordIsHeard) {
  FliteSpeech speech({});
  const std::string text = "Hello, I paid $5.20 (today).";
  for (const auto* voice : {"slt", "rms", "awb", "kal"}) {
    const auto spoken = speak(speech, request(text, voice, "en"));
    ASSERT_TRUE(spoken.has_ended) << voice;
    EXPECT_EQ(spoken.rate_hz, 16000);
    EXPECT_GT(spoken.seconds(), 2);
    EXPECT_LT(spoken.seconds(), 6);
    std::vector<std::string> words;
    std::int64_t before = 0;
    for (const auto& mark : spoken.words) {
      words.push_back(text.substr(mark.text_begin, mark.text_end - mark.text_begin));
      EXPECT_GE(mark.begin_sample, before);
      EXPECT_LE(mark.end_sample, static_cast<std::int64_t>(spoken.samples.size()));
      EXPECT_GT(loudness(spoken.samples, mark.begin_sample, mark.end_sample), 200) << words.back();
      before = mark.begin_sample;
    }
    EXPECT_THAT(words, ::testing::ElementsAre("Hello,", "I", "paid", "$5.20", "(today)."));
    EXPECT_LE(spoken.words[0].begin_sample, 16000 * 6 / 100) << "it begins at once";
    EXPECT_GT(spoken.phonemes.size(), 20U);
  }
}

TEST(FliteSpeech, SpeedTextsWithoutWordsAndForeignVoices) {
  FliteSpeech speech({});
  const auto slow = speak(speech, request("This is a sentence.", {}, {}, 0.5));
  const auto fast = speak(speech, request("This is a sentence.", {}, {}, 2));
  EXPECT_GT(slow.seconds(), fast.seconds() * 2.5);
  EXPECT_TRUE(speak(speech, request(" ... \n")).has_ended);
  EXPECT_TRUE(speak(speech, request("caf\xc3\xa9 \xff\xfe \xe4\xbd\xa0 ok")).has_ended);
  EXPECT_EQ(speak(speech, request("hallo", {}, "de")).error->code, base::ErrorCode::unsupported);
  EXPECT_EQ(speak(speech, request("hi", "nobody")).error->code, base::ErrorCode::unsupported);
  EXPECT_EQ(speak(speech, request(std::string(5000, 'a'))).error->code, base::ErrorCode::malformed);
}

TEST(FliteSpeech, ManyAtOnceAllSpeakAndACancelledOneIsQuiet) {
  FliteSpeech speech({.default_voice = "kal"});
  const auto events = std::make_shared<Events<SpeechEvent>>();
  std::vector<std::unique_ptr<stage::Job>> jobs;
  const auto dropped = std::make_shared<Events<SpeechEvent>>();
  for (int i = 0; i < 20; ++i) {
    jobs.push_back(speech.speak(request("One of twenty sentences."), [events](SpeechEvent event) {
      if (is_last(event)) events->add(std::move(event));
    }));
  }
  auto cancelled = speech.speak(request("Nobody hears this.", "slt"),
                                [dropped](SpeechEvent event) { dropped->add(std::move(event)); });
  cancelled.reset();
  const auto ends = events->wait_for([](const auto& all) { return all.size() == 20; });
  EXPECT_EQ(std::ranges::count_if(
                ends, [](const auto& event) { return std::holds_alternative<SpeechEnd>(event); }),
            20);
  speak(speech, request("The queue is empty behind this."));
  EXPECT_TRUE(dropped->so_far().empty());
}

TEST(FliteSpeech, WhatWaitsTooLongOrInTooLongAQueueIsTold) {
  FliteSpeech late(
      {.default_voice = "slt", .waiting_max = 8, .timeout = std::chrono::milliseconds(0)});
  EXPECT_EQ(speak(late, request("Too late.")).error->code, base::ErrorCode::unavailable);
  FliteSpeech full({.default_voice = "slt", .waiting_max = 0, .timeout = std::chrono::seconds(1)});
  EXPECT_EQ(speak(full, request("No place.")).error->code, base::ErrorCode::rate_limited);
}

// Rule espeak-apart.
TEST(EspeakSpeech, OtherLanguagesAreSpokenAndTextIsNeverAnArgument) {
  EspeakSpeech speech({});
  ASSERT_TRUE(speech.can_speak("", "de")) << "espeak-ng is not installed";
  const auto german = speak(speech, request("Guten Morgen, wie geht es?", {}, "de"));
  EXPECT_TRUE(german.has_ended);
  EXPECT_EQ(german.rate_hz, 22050);
  EXPECT_GT(german.seconds(), 1);
  EXPECT_TRUE(speak(speech, request("--version")).seconds() > 0.5);
  EXPECT_TRUE(speak(speech, request("$(touch /tmp/x); `id`", "en-gb+f3")).has_ended);
  EXPECT_TRUE(speech.can_speak("", "zh"));
  for (const auto* voice : {"slt", "--help", "../../etc/passwd", "en;id", "-v", "x x"}) {
    EXPECT_FALSE(speech.can_speak(voice, "")) << voice;
    EXPECT_EQ(speak(speech, request("hi", voice)).error->code, base::ErrorCode::unsupported);
  }
}

// A program that tells its process id and then hangs.
class HangingProgram {
 public:
  HangingProgram() {
    char name[] = "/tmp/stagedoor-espeak-XXXXXX";
    folder_ = ::mkdtemp(name);
    std::ofstream(path()) << "#!/bin/sh\n[ \"$2\" = --voices ] || [ \"$1\" = --voices ] && "
                             "{ echo ' 5 en --/M English gmw/en'; exit 0; }\n"
                             "echo $$ > "
                          << pid_file() << ".new\nmv " << pid_file() << ".new " << pid_file()
                          << "\nexec sleep 1000\n";
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
  }
  ~HangingProgram() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/espeak-ng"; }
  std::string pid_file() const { return folder_ + "/pid"; }
  // Waits until it has started.
  std::string process() const {
    std::string text;
    while (text.empty()) {
      std::ifstream(pid_file()) >> text;
      std::this_thread::yield();
    }
    return text;
  }

 private:
  std::string folder_;
};

// Rule espeak-apart.
TEST(EspeakSpeech, AProgramThatHangsIsKilledWhenItsTimeIsOverOrNobodyWaits) {
  HangingProgram program;
  {
    EspeakSpeech::Options options;
    options.program = program.path();
    options.timeout = std::chrono::milliseconds(300);
    EspeakSpeech speech(options);
    EXPECT_EQ(speak(speech, request("hello")).error->code, base::ErrorCode::unavailable);
    EXPECT_FALSE(std::filesystem::exists("/proc/" + program.process()));
  }
  std::filesystem::remove(program.pid_file());
  EspeakSpeech::Options options;
  options.program = program.path();
  options.timeout = std::chrono::hours(1);
  auto speech = std::make_unique<EspeakSpeech>(options);
  auto job = speech->speak(request("hello"), [](SpeechEvent) { ADD_FAILURE(); });
  const auto process = program.process();
  job.reset();
  speech.reset();  // Waits for its threads.
  EXPECT_FALSE(std::filesystem::exists("/proc/" + process));
}

TEST(EspeakSpeech, WhereTheProgramIsAbsentNothingCanBeSpoken) {
  EspeakSpeech::Options options;
  options.program = "/nonexistent/espeak-ng";
  EspeakSpeech speech(options);
  EXPECT_FALSE(speech.can_speak("", "en"));
  EXPECT_EQ(speak(speech, request("hi")).error->code, base::ErrorCode::unsupported);
}

}  // namespace
}  // namespace stagedoor::engines
