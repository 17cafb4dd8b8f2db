// Broadcasts on a loop and a clock that the test turns: no thread, no time of the machine.
//
// SPDX-License-Identifier: Apache-2.0

#include "live/broadcast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <vector>

#include "stage/engines_for_test.h"

using namespace stagedoor;
using namespace stagedoor::live;
using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;

namespace {

class CountingCamera : public stage::Camera {
 public:
  std::span<const std::uint8_t> picture(const stage::Face&, std::int64_t number,
                                        stage::KeyFrame key) override {
    numbers.push_back(number);
    keys.push_back(key == stage::KeyFrame::now);
    return frame;
  }
  void set_kilobits_per_second(int kilobits) override { rates.push_back(kilobits); }

  std::vector<std::int64_t> numbers;
  std::vector<bool> keys;
  std::vector<int> rates;
  std::vector<std::uint8_t> frame{1, 2, 3};
};

class CountingEncoder : public stage::SoundEncoder {
 public:
  std::span<const std::uint8_t> packet(
      std::span<const std::int16_t, stage::packet_samples>) override {
    return bytes;
  }
  void set_loss(float share) override { losses.push_back(share); }

  std::vector<std::uint8_t> bytes{7};
  std::vector<float> losses;
};

class CountingPeer : public media::Peer {
 public:
  base::Result<std::string> answer(std::string_view) override { return std::string(); }
  base::Result<base::Done> send_picture(media::Bytes, media::SampleTime at) override {
    if (!takes_pictures) return base::fail(base::ErrorCode::unavailable, "test");
    pictures.push_back(at.count());
    return base::Done{};
  }
  base::Result<base::Done> send_sound(media::Bytes, media::SampleTime at) override {
    sounds.push_back(at.count());
    return base::Done{};
  }
  base::Result<base::Done> send_message(media::ChannelId, std::string_view) override {
    return base::Done{};
  }
  void close() override {}
  bool is_connected() const override { return true; }
  std::chrono::milliseconds silence() const override { return 0ms; }
  const media::PathReport& path() const override { return report; }
  const media::PeerCounts& counts() const override { return peer_counts; }

  void reports(double fraction_lost) {
    ++report.reports;
    report.fraction_lost = fraction_lost;
  }

  bool takes_pictures = true;
  std::vector<std::int64_t> pictures, sounds;  // their times, in samples
  media::PathReport report;
  media::PeerCounts peer_counts;
};

// A loop whose steps the test takes one by one.
struct Steps {
  std::deque<std::move_only_function<void()>> waiting;
  PictureQueue queue{
      [this](std::move_only_function<void()> step) { waiting.push_back(std::move(step)); }};

  bool take_one() {
    if (waiting.empty()) return false;
    auto step = std::move(waiting.front());
    waiting.pop_front();
    step();
    return true;
  }
  void take_all() {
    while (take_one()) {
    }
  }
};

struct Session {
  explicit Session(Steps& steps) {
    stage::ConversationSettings settings;
    settings.greeting = stage::ConversationSettings::Greeting::skipped;
    play = std::make_unique<stage::Play>(settings);
    auto& conversation = play->begin();
    broadcast.emplace(Broadcast::Parts{.conversation = conversation,
                                       .camera = camera,
                                       .sound_encoder = encoder,
                                       .peer = peer,
                                       .pictures = steps.queue,
                                       .counts = counts},
                      600);
  }
  void beat(std::uint64_t periods = 1) {
    now += 20ms * periods;
    broadcast->on_beat({.due = now, .now = now, .periods = periods});
  }

  media::Moment now{};
  std::unique_ptr<stage::Play> play;
  CountingCamera camera;
  CountingEncoder encoder;
  CountingPeer peer;
  FaceCounts counts;
  std::optional<Broadcast> broadcast;
};

}  // namespace

TEST(Broadcast, EachBeatHasASoundAndEachSecondOneAPictureOfTheSameTime) {
  Steps steps;
  Session session(steps);
  for (int i = 0; i < 100; ++i) {
    session.beat();
    steps.take_all();
  }
  ASSERT_EQ(session.peer.sounds.size(), 100u);
  ASSERT_EQ(session.peer.pictures.size(), 50u);
  for (std::size_t i = 0; i < 50; ++i)
    EXPECT_EQ(session.peer.pictures[i], session.peer.sounds[2 * i]) << "picture " << i;
  EXPECT_EQ(session.peer.sounds[1] - session.peer.sounds[0], 960);
  EXPECT_EQ(session.counts.pictures_left_out, 0u);
}

// Rule overload-costs-pictures.
TEST(Broadcast, ALoopThatIsTooBusyForPicturesSendsAllItsSoundAndCountsThePicturesThatItLeavesOut) {
  Steps steps;
  Session session(steps);
  for (int i = 0; i < 100; ++i) {
    session.beat();
    // There is time for one picture in five.
    if (i % 10 == 9) steps.take_one();
  }
  EXPECT_EQ(session.peer.sounds.size(), 100u);
  EXPECT_EQ(session.counts.sound_packets, 100u);
  EXPECT_EQ(session.peer.pictures.size(), 10u);
  EXPECT_EQ(session.counts.pictures_left_out, 40u);
  // What is shown is the newest face, with its own time.
  EXPECT_EQ(session.peer.pictures.back(), 98 * 960);
  EXPECT_THAT(session.camera.numbers, ElementsAre(4, 9, 14, 19, 24, 29, 34, 39, 44, 49));
}

// Rule overload-costs-pictures.
TEST(Broadcast, SoundOfASessionIsSentWhileThePicturesOfOthersWait) {
  Steps steps;
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(std::make_unique<Session>(steps));
  for (const auto& session : sessions) session->beat(2);
  EXPECT_EQ(steps.waiting.size(), 1u) << "one picture at a time";
  for (const auto& session : sessions) EXPECT_EQ(session->peer.sounds.size(), 2u);
  // Between two pictures the loop serves what has become due.
  steps.take_one();
  for (const auto& session : sessions) session->beat();
  for (const auto& session : sessions) EXPECT_EQ(session->peer.sounds.size(), 3u);
  steps.take_all();
  for (const auto& session : sessions) EXPECT_EQ(session->peer.pictures.size(), 1u);
}

// Rule overload-costs-pictures.
TEST(Broadcast, SessionsOfABusyLoopLosePicturesAlike) {
  Steps steps;
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < 5; ++i) sessions.push_back(std::make_unique<Session>(steps));
  for (int i = 0; i < 200; ++i) {
    for (const auto& session : sessions) session->beat(2);
    // There is time for three of five.
    for (int drawn = 0; drawn < 3; ++drawn) steps.take_one();
  }
  for (const auto& session : sessions) {
    EXPECT_EQ(session->peer.sounds.size(), 400u);
    EXPECT_NEAR(static_cast<double>(session->peer.pictures.size()), 120, 1);
    EXPECT_NEAR(static_cast<double>(session->counts.pictures_left_out), 80, 1);
  }
}

TEST(Broadcast, AfterAStallASecondLongTheSoundGoesOnWhereItShouldBe) {
  Steps steps;
  Session session(steps);
  session.beat();
  session.beat(50);
  EXPECT_EQ(session.peer.sounds.size(), 6u) << "100 ms are made up for";
  EXPECT_EQ(session.peer.sounds.back(), 50 * 960);
  EXPECT_EQ(session.counts.pictures_left_out, 24u) << "of 25 that were due one is shown";
}

TEST(Broadcast, ASessionThatIsGivenUpLeavesTheQueue) {
  Steps steps;
  auto first = std::make_unique<Session>(steps);
  Session second(steps);
  first->beat(2);
  second.beat(2);
  first->broadcast.reset();
  steps.take_all();
  EXPECT_EQ(first->peer.pictures.size(), 0u);
  EXPECT_EQ(second.peer.pictures.size(), 1u);
}

TEST(Broadcast, APictureThatTheReceiverWantsWholeOrThatWasNotTakenIsFollowedByAKeyFrame) {
  Steps steps;
  Session session(steps);
  const auto show = [&] {
    session.beat(2);
    steps.take_all();
    return session.camera.keys.back();
  };
  EXPECT_TRUE(show()) << "the first";
  EXPECT_FALSE(show());
  session.broadcast->want_key_frame();
  EXPECT_TRUE(show());
  EXPECT_FALSE(show());
  session.peer.takes_pictures = false;
  EXPECT_FALSE(show());
  session.peer.takes_pictures = true;
  EXPECT_TRUE(show()) << "a later picture would build on one that nobody has";
}

// Rule bit-rate-follows-loss.
TEST(Broadcast, TheBitRateFallsByAThirdWithEachReportOfMuchLossAndClimbsBackByATwentieth) {
  Steps steps;
  Session session(steps);
  const auto rate_after = [&](double fraction_lost) {
    session.peer.reports(fraction_lost);
    session.beat();
    return session.camera.rates.back();
  };
  session.beat();
  EXPECT_TRUE(session.camera.rates.empty()) << "no report, no change";
  EXPECT_EQ(rate_after(0.11), 400);
  EXPECT_EQ(rate_after(0.5), 266);
  EXPECT_EQ(rate_after(0.05), 266) << "between the two it stays";
  EXPECT_EQ(rate_after(0.3), 177);
  EXPECT_EQ(rate_after(0.3), 150) << "the least";
  EXPECT_EQ(rate_after(0.3), 150);
  EXPECT_EQ(rate_after(0), 157);
  for (int i = 0; i < 40; ++i) rate_after(0.01);
  EXPECT_EQ(session.camera.rates.back(), 600) << "the most";
  EXPECT_THAT(session.camera.rates, Each(Ge(150)));
  EXPECT_EQ(session.encoder.losses.size(), session.camera.rates.size());
  EXPECT_FLOAT_EQ(session.encoder.losses.front(), 0.11F);
}

// Rule bit-rate-follows-loss.
TEST(Broadcast, AReportCountsOnceHoweverManyBeatsPass) {
  Steps steps;
  Session session(steps);
  session.peer.reports(0.2);
  for (int i = 0; i < 100; ++i) session.beat();
  EXPECT_THAT(session.camera.rates, ElementsAre(400));
}
