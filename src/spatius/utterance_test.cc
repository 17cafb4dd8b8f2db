#include "spatius/utterance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "motion.pb.h"

namespace stagedoor::spatius {
namespace {

// A voice-like buzz whose loudness comes and goes four times a second.
std::string pcm(double seconds, int rate_hz) {
  std::string bytes;
  const auto count = static_cast<std::size_t>(seconds * rate_hz);
  for (std::size_t i = 0; i < count; ++i) {
    const double time = static_cast<double>(i) / rate_hz;
    const double envelope = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * 4 * time);
    double buzz = 0;
    for (int harmonic = 1; harmonic <= 12; ++harmonic)
      buzz += std::sin(2 * std::numbers::pi * 130 * harmonic * time) / harmonic;
    const auto sample = static_cast<std::int16_t>(8000 * envelope * buzz);
    bytes += static_cast<char>(sample & 0xff);
    bytes += static_cast<char>(sample >> 8 & 0xff);
  }
  return bytes;
}

struct Heard {
  std::size_t frames = 0, messages = 0, ends = 0;
  bool end_on_last = false;
  std::vector<message::ServerResponseAnimation> all;
};

class Listener {
 public:
  explicit Listener(int rate_hz, bool named = false)
      : form_{.connection_id = "connection", .with_named_shapes = named},
        utterance_("req-1", std::make_unique<stage::PcmInput>(), rate_hz, 1) {}
  void hear(std::string_view bytes) {
    ASSERT_TRUE(utterance_.hear(bytes));
    collect();
  }
  base::Result<base::Done> end() {
    auto ended = utterance_.hear_end();
    collect();
    return ended;
  }
  Heard heard;
  Utterance& utterance() { return utterance_; }

 private:
  void collect() {
    while (utterance_.perform_slice()) {
      for (auto bytes = utterance_.take_message(form_); !bytes.empty();
           bytes = utterance_.take_message(form_)) {
        message::Message message;
        ASSERT_TRUE(message.ParseFromString(bytes));
        const auto& animation = message.server_response_animation();
        heard.frames += static_cast<std::size_t>(animation.animation().keyframes_size());
        heard.ends += animation.end();
        heard.end_on_last = animation.end();
        heard.all.push_back(animation);
      }
    }
  }
  FrameForm form_;
  Utterance utterance_;
};

// Rule motion-server-frames-add-up.
TEST(Utterance, HasFloorOfDurationTimesTwentyFiveFramesAndOneEndOnTheLastMessage) {
  for (const int rate : {8000, 16000, 22050, 24000, 32000, 44100, 48000}) {
    for (const double seconds : {0.0, 0.01, 0.04, 1.0, 2.02}) {
      Listener listener(rate);
      const auto bytes = pcm(seconds, rate);
      listener.hear(bytes);
      ASSERT_TRUE(listener.end());
      EXPECT_EQ(listener.heard.frames, bytes.size() / 2 * 25 / static_cast<std::size_t>(rate))
          << rate << " " << seconds;
      EXPECT_EQ(listener.heard.ends, 1u);
      EXPECT_TRUE(listener.heard.end_on_last);
      EXPECT_TRUE(listener.utterance().is_over());
    }
  }
}

// Rule motion-server-frames-add-up.
TEST(Utterance, IsTheSameHoweverItsBytesAreCut) {
  const auto bytes = pcm(1.5, 16000);
  Listener whole(16000, true), pieces(16000, true);
  whole.hear(bytes);
  (void)whole.end();
  for (std::size_t at = 0; at < bytes.size(); at += 333)
    pieces.hear(std::string_view(bytes).substr(at, 333));
  (void)pieces.end();
  const auto frames_of = [](const Heard& heard) {
    std::string all;
    for (const auto& animation : heard.all)
      for (const auto& frame : animation.animation().keyframes()) all += frame.SerializeAsString();
    return all;
  };
  EXPECT_EQ(frames_of(whole.heard), frames_of(pieces.heard));
  EXPECT_GT(pieces.heard.all.size(), 1u);
}

TEST(Utterance, NoMessageHoldsMoreThanAHundredFrames) {
  Listener listener(16000);
  listener.hear(pcm(20, 16000));
  (void)listener.end();
  EXPECT_EQ(listener.heard.frames, 500u);
  for (const auto& animation : listener.heard.all)
    EXPECT_LE(animation.animation().keyframes_size(), 100);
}

TEST(Utterance, FlameFramesHaveTheSizesAndRangesOfTheContract) {
  Listener listener(16000);
  listener.hear(pcm(2, 16000));
  (void)listener.end();
  float jaw_most = 0;
  for (const auto& animation : listener.heard.all) {
    EXPECT_EQ(animation.connection_id(), "connection");
    EXPECT_EQ(animation.req_id(), "req-1");
    for (const auto& frame : animation.animation().keyframes()) {
      EXPECT_EQ(frame.translation_size(), 3);
      EXPECT_EQ(frame.rotation_size(), 3);
      EXPECT_EQ(frame.neck_pose_size(), 3);
      EXPECT_EQ(frame.jaw_pose_size(), 3);
      EXPECT_EQ(frame.eye_pose_size(), 6);
      EXPECT_EQ(frame.eye_lid_size(), 2);
      ASSERT_EQ(frame.expression_size(), 100);
      for (int i = 0; i < 100; ++i) {
        EXPECT_GE(frame.expression(i), i < 50 ? -3.0f : 0.0f);
        EXPECT_LE(frame.expression(i), i < 50 ? 2.5f : 0.0f);
      }
      jaw_most = std::max(jaw_most, frame.jaw_pose(0));
      EXPECT_LE(frame.jaw_pose(0), 0.08f);
    }
  }
  EXPECT_GT(jaw_most, 0.005f) << "the jaw moves";
}

TEST(Utterance, NamedShapesComeOnlyWhereTheyWereAskedForWithTheirNamesOnce) {
  Listener plain(16000), named(16000, true);
  const auto bytes = pcm(6, 16000);
  plain.hear(bytes);
  (void)plain.end();
  named.hear(bytes);
  (void)named.end();
  for (const auto& animation : plain.heard.all) EXPECT_FALSE(animation.has_named_animation());
  std::size_t next = 0;
  for (const auto& animation : named.heard.all) {
    EXPECT_EQ(animation.named_animation().names_size(), next == 0 ? 57 : 0);
    EXPECT_EQ(animation.named_animation().first_frame(), next);
    EXPECT_EQ(animation.named_animation().frames_size(), animation.animation().keyframes_size());
    for (const auto& frame : animation.named_animation().frames())
      EXPECT_EQ(frame.values_size(), 57);
    next += static_cast<std::size_t>(animation.named_animation().frames_size());
  }
  EXPECT_EQ(named.heard.all.front().named_animation().names(17), "jawOpen");
}

TEST(Utterance, HalfASampleAtTheEndIsToldAndTheFramesStillCome) {
  Listener listener(16000);
  listener.hear(pcm(1, 16000) + "x");
  const auto ended = listener.end();
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().hint.find("odd number of bytes"), std::string::npos);
  EXPECT_EQ(listener.heard.frames, 25u);
  EXPECT_EQ(listener.heard.ends, 1u);
}

}  // namespace
}  // namespace stagedoor::spatius
