// The built-in listening, with recordings of voices: engines/webrtc_voice_detector.h,
// engines/pocketsphinx_recognizer.h.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>

#include "engines/events_for_test.h"
#include "engines/pocketsphinx_recognizer.h"
#include "engines/wav_stream.h"
#include "engines/webrtc_voice_detector.h"

namespace stagedoor::engines {
namespace {

using stage::RecognitionEvent;

const std::string recordings = "/usr/share/pocketsphinx/test/data/";

std::vector<std::int16_t> recording(const std::string& name) {
  std::ifstream file(recordings + name, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  std::vector<std::int16_t> samples;
  if (name.ends_with(".wav")) {
    WavStream wav;
    EXPECT_TRUE(wav.push(bytes, samples));
    EXPECT_EQ(wav.rate_hz(), stage::listening_rate_hz);
    return samples;
  }
  for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2) {
    samples.push_back(static_cast<std::int16_t>(static_cast<unsigned char>(bytes[at]) |
                                                static_cast<unsigned char>(bytes[at + 1]) << 8));
  }
  return samples;
}

// Which frames hold a voice.
std::vector<bool> voiced(const std::vector<std::int16_t>& samples) {
  WebRtcVoiceDetector detector;
  std::vector<bool> frames;
  for (std::size_t at = 0; at + stage::voice_frame_samples <= samples.size();
       at += stage::voice_frame_samples)
    frames.push_back(detector.hears_voice(std::span<const std::int16_t, stage::voice_frame_samples>(
        samples.data() + at, stage::voice_frame_samples)));
  return frames;
}

double share(const std::vector<bool>& frames, std::size_t begin, std::size_t end) {
  double sum = 0;
  for (auto at = begin; at < end; ++at) sum += frames[at] ? 1 : 0;
  return sum / static_cast<double>(end - begin);
}

TEST(WebRtcVoiceDetector, ItTellsAVoiceFromSilenceAndFromSoftNoise) {
  // "go forward ten meters", from 0.5 s to 2.1 s.
  const auto frames = voiced(recording("goforward.raw"));
  ASSERT_GT(frames.size(), 250U);
  EXPECT_GT(share(frames, 60, 210), 0.8);
  EXPECT_LT(share(frames, 230, 270), 0.2);
  EXPECT_EQ(share(voiced(std::vector<std::int16_t>(32000)), 0, 200), 0);
  std::mt19937 chance(1);
  std::normal_distribution<float> noise(0, 300);
  std::vector<std::int16_t> hiss(32000);
  for (auto& sample : hiss) sample = static_cast<std::int16_t>(noise(chance));
  EXPECT_LT(share(voiced(hiss), 0, 200), 0.05);
}

// How often speech begins in it, as a conversation would be interrupted.
int beginnings(const std::vector<std::int16_t>& samples) {
  stage::VoiceActivity activity({});
  int count = 0;
  for (const bool is_voice : voiced(samples))
    count += activity.push(is_voice) == stage::VoiceActivity::Change::begun ? 1 : 0;
  return count;
}

// Rule speech-onset.
TEST(WebRtcVoiceDetector, ABeepIsNoVoiceHoweverOftenItComes) {
  // Loudness of each 10 ms as it arrives from Chromium's fake microphone, by its own clean-up; over
  // the hiss of a room.
  constexpr std::array<float, 14> beep = {500, 12800, 14000, 6370, 2370, 1190, 730,
                                          520, 415,   340,   262,  205,  160,  104};
  std::mt19937 chance(1);
  std::normal_distribution<float> noise(0, 20);
  std::vector<std::int16_t> room(16000 * 10);
  for (std::size_t i = 0; i < room.size(); ++i) {
    const auto frame = i / stage::voice_frame_samples % 50;
    const float loudness = frame < beep.size() ? beep[frame] : 0;
    room[i] = static_cast<std::int16_t>((i / 20 % 2 ? loudness : -loudness) + noise(chance));
  }
  EXPECT_EQ(beginnings(room), 0);
  EXPECT_EQ(beginnings(recording("goforward.raw")), 1);
}

class Sphinx : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto opened = PocketSphinxRecognizer::open({});
    ASSERT_TRUE(opened) << "pocketsphinx-en-us is not installed";
    recognizer = std::move(*opened);
  }
  static void TearDownTestSuite() { recognizer.reset(); }

  static std::unique_ptr<PocketSphinxRecognizer> recognizer;
};
std::unique_ptr<PocketSphinxRecognizer> Sphinx::recognizer;

std::string text_of(const std::vector<RecognitionEvent>& events) {
  if (events.size() != 1) return "(no event)";
  const auto* text = std::get_if<stage::RecognizedText>(&events[0]);
  return text ? text->text : "(error)";
}

TEST_F(Sphinx, ClearSpeechIsUnderstood) {
  const auto events = std::make_shared<Events<RecognitionEvent>>();
  const auto recognition =
      recognizer->listen("en", [events](RecognitionEvent event) { events->add(std::move(event)); });
  const auto samples = recording("goforward.raw");
  for (std::size_t at = 0; at < samples.size(); at += 160)
    recognition->push(
        std::span(samples).subspan(at, std::min<std::size_t>(160, samples.size() - at)));
  recognition->finish();
  EXPECT_EQ(text_of(events->wait_for([](const auto& all) { return !all.empty(); })),
            "go forward ten meters");
}

TEST_F(Sphinx, SilenceHasNoWordsAndOtherLanguagesAreRefused) {
  const auto events = std::make_shared<Events<RecognitionEvent>>();
  const auto recognition =
      recognizer->listen("", [events](RecognitionEvent event) { events->add(std::move(event)); });
  recognition->push(std::vector<std::int16_t>(8000));
  recognition->finish();
  recognition->finish();
  EXPECT_EQ(text_of(events->wait_for([](const auto& all) { return !all.empty(); })), "");
  EXPECT_FALSE(recognizer->understands("de"));
  const auto refused = std::make_shared<Events<RecognitionEvent>>();
  const auto foreign = recognizer->listen(
      "de", [refused](RecognitionEvent event) { refused->add(std::move(event)); });
  foreign->push(std::vector<std::int16_t>(160));
  foreign->finish();
  EXPECT_EQ(text_of(refused->so_far()), "(error)");
}

TEST_F(Sphinx, ACancelledRecognitionSaysNothing) {
  const auto events = std::make_shared<Events<RecognitionEvent>>();
  auto recognition =
      recognizer->listen("en", [events](RecognitionEvent event) { events->add(std::move(event)); });
  recognition->push(recording("goforward.raw"));
  recognition->finish();
  recognition.reset();
  const auto next = std::make_shared<Events<RecognitionEvent>>();
  const auto other =
      recognizer->listen("en", [next](RecognitionEvent event) { next->add(std::move(event)); });
  other->finish();
  EXPECT_EQ(text_of(next->wait_for([](const auto& all) { return !all.empty(); })), "");
  EXPECT_TRUE(events->so_far().empty());
}

TEST(PocketSphinxRecognizer, WithoutItsModelItIsNotThere) {
  PocketSphinxRecognizer::Options options;
  options.model_path = "/nonexistent";
  const auto opened = PocketSphinxRecognizer::open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, base::ErrorCode::unavailable);
}

}  // namespace
}  // namespace stagedoor::engines
