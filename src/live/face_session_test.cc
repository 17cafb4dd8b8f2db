// A face session with engines that do as the test tells them, over a real UDP socket of loopback.
//
// SPDX-License-Identifier: Apache-2.0

#include "live/face_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "live/engines_for_test.h"
#include "live/face_loops.h"
#include "media/client_for_test.h"
#include "media/rtp.h"
#include "media/udp_socket_for_test.h"
#include "stage/engines_for_test.h"

using namespace stagedoor;
using namespace stagedoor::live;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

class Door : public FaceSessionListener {
 public:
  void connected() override { notes.emplace_back("connected"); }
  void channel_open() override { notes.emplace_back("channel open"); }
  void message(std::string_view text) override { messages.emplace_back(text); }
  void message_refused() override { notes.emplace_back("message refused"); }
  void lost(media::LostReason reason) override {
    notes.push_back("lost " + std::string(media::word_of(reason)));
  }
  void speech_text(const stage::SpokenText& text) override { said += text.content; }
  void reasoning_text(const stage::SpokenText&) override {}
  void user_speech_started(const std::string&) override { notes.emplace_back("user started"); }
  void user_speech_ended(const std::string&) override { notes.emplace_back("user ended"); }
  void tool_call_started(const stage::ToolCallNotice&) override {}
  void tool_call_completed(const stage::ToolCallNotice&) override {}
  void tool_call_failed(const stage::ToolCallNotice&) override {}
  void talk_stream_interrupted(const std::string&) override {}
  void warning(const std::string&) override {}
  void ended(stage::EndReason) override { notes.emplace_back("ended"); }

  std::vector<std::string> notes, messages;
  std::string said;
};

// A session on a loop that the test runs, and a client of it.
class FaceSessions : public testing::Test {
 protected:
  std::unique_ptr<FaceLoop> open_loop() {
    media::PortOptions options;
    options.bind_address = address_;
    return FaceLoop::open({.stack = media::test_stack(),
                           .identity = media::test_identity(),
                           .random = random,
                           .wall_clock = clock},
                          options)
        .value();
  }
  base::Result<std::unique_ptr<FaceSession>> make() { return make(door); }
  base::Result<std::unique_ptr<FaceSession>> make(Door& listener) {
    stage::ConversationSettings settings;
    settings.initial_message = "Good evening.";
    return FaceSession::make(
        {.speech = speech,
         .voice_detector = [] { return std::make_unique<stage::LoudnessDetector>(); },
         .camera = [this](std::string_view, const stage::CameraOptions&)
             -> base::Result<std::unique_ptr<stage::Camera>> {
           if (!has_camera) return base::fail(base::ErrorCode::not_found, "test");
           return std::make_unique<PuppetCamera>(keys);
         },
         .sound_encoder = [this]() -> base::Result<std::unique_ptr<stage::SoundEncoder>> {
           if (!has_encoder) return base::fail(base::ErrorCode::unavailable, "test");
           return std::make_unique<PuppetEncoder>();
         },
         .sound_decoder = [](int) -> base::Result<std::unique_ptr<stage::SoundDecoder>> {
           return std::make_unique<PuppetDecoder>();
         },
         .clock = clock,
         .random = random,
         .counts = counts},
        {.conversation = settings, .character = "ada", .size = {720, 480}}, *loop, listener);
  }
  void hear() {
    for (auto bytes = socket.receive(); !bytes.empty(); bytes = socket.receive())
      client->on_datagram(bytes);
    client->on_tick(std::chrono::steady_clock::now());
  }
  // False: it did not come true within ten seconds.
  template <class Condition>
  bool run_until(Condition holds) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (hear(), !holds() && std::chrono::steady_clock::now() < end)
      loop->loop().io().run_one_for(10ms);
    return holds();
  }
  void shake_hands() {
    client->take_answer(session->answer(client->offer()).value());
    client->check();
    ASSERT_TRUE(run_until([&] { return !client->stun.empty(); }));
    client->start_dtls();
    const auto before = std::ranges::count(door.notes, "connected");
    ASSERT_TRUE(run_until(
        [&] { return client->is_open && std::ranges::count(door.notes, "connected") > before; }));
  }
  void connect() {
    session = make().value();
    shake_hands();
  }
  void open_channel() {
    ASSERT_TRUE(run_until([&] {
      if (door.notes.back() != "channel open") client->open_channel(0, "session");
      return door.notes.back() == "channel open";
    }));
  }
  std::unique_ptr<media::TestClient> new_client() {
    return std::make_unique<media::TestClient>(
        media::Endpoint{address_, 1},
        [this](media::Bytes bytes, const media::Endpoint&) { socket.send(bytes); });
  }
  // Another client on the same socket; what was on its way to the one before is gone.
  void come_anew() {
    while (!socket.receive().empty()) {
    }
    client = new_client();
  }
  // How many packets the client has of a stream; 96 is the picture's type, 111 the sound's.
  std::ptrdiff_t packets(int payload_type) const {
    return std::ranges::count_if(
        client->rtp, [&](const auto& packet) { return (packet[1] & 0x7f) == payload_type; });
  }
  bool has_heard_sound() const {
    return std::ranges::any_of(client->rtp, [](const auto& packet) {
      return (packet[1] & 0x7f) == 111 && packet.back() == 1;
    });
  }
  void speak(std::uint8_t loudness) {
    media::Buffer packet(13);
    media::RtpHeader header;
    header.payload_type = 111;
    header.sequence_number = ++spoken_;
    header.timestamp = std::uint32_t{spoken_} * 960U;
    header.source = 77;
    media::write_rtp_header(packet, header);
    packet.back() = loudness;
    client->send_rtp(packet);
  }

  base::Address address_ = *base::parse_address("127.0.0.1");
  base::SystemClock clock;
  crypto::SystemRandom random;
  stage::HummingSpeech speech;
  std::vector<bool> keys;
  bool has_camera = true, has_encoder = true;
  FaceCounts counts;
  Door door;
  std::unique_ptr<FaceLoop> loop = open_loop();
  media::UdpSocket socket{address_, loop->port().port()};
  std::unique_ptr<media::TestClient> client = new_client();
  std::unique_ptr<FaceSession> session;
  std::uint16_t spoken_ = 0;
};

}  // namespace

TEST_F(FaceSessions, WhoConnectsIsGreetedSeesAndHears) {
  connect();
  EXPECT_TRUE(run_until([&] { return packets(96) >= 10 && has_heard_sound(); }));
  EXPECT_EQ(door.said.substr(0, 4), "Good");
  EXPECT_THAT(door.notes, ElementsAre("connected"));
  EXPECT_TRUE(keys.front()) << "the first picture is whole";
  EXPECT_EQ(counts.sessions_begun, 1u);
  EXPECT_EQ(counts.sessions_connected, 1u);
  EXPECT_GE(packets(111), packets(96)) << "sound comes twice as often";
}

TEST_F(FaceSessions, NothingIsPerformedForWhoHasNotConnected) {
  session = make().value();
  client->take_answer(session->answer(client->offer()).value());
  client->check();
  ASSERT_TRUE(run_until([&] { return !client->stun.empty(); }));
  EXPECT_THAT(keys, IsEmpty());
  EXPECT_THAT(speech.requests, IsEmpty());
  EXPECT_EQ(counts.sessions_connected, 0u);
}

TEST_F(FaceSessions, MessagesOfTheSessionsChannelReachTheDoorAndThoseOfOthersDoNot) {
  connect();
  EXPECT_EQ(session->send("early").error().code, base::ErrorCode::unavailable);
  open_channel();
  ASSERT_TRUE(session->send("to the client"));
  client->open_channel(2, "another");
  client->send_message(2, 51, media::buffer_of("of another"));
  client->send_message(0, 51, media::buffer_of("to the door"));
  ASSERT_TRUE(run_until([&] { return !door.messages.empty() && client->messages.size() >= 2; }));
  EXPECT_THAT(door.messages, ElementsAre("to the door"));
  EXPECT_TRUE(std::ranges::any_of(client->messages, [](const auto& message) {
    return media::text_of_bytes(message.bytes) == "to the client";
  }));
}

TEST_F(FaceSessions, AMessageOfAMebibyteIsRefusedAndCountedWhileTheFaceGoesOn) {
  connect();
  open_channel();
  ASSERT_TRUE(client->send_message(0, 51, media::Buffer(1 << 20, 'x')));
  ASSERT_TRUE(run_until([&] { return counts.messages_refused == 1; }));
  EXPECT_EQ(std::ranges::count(door.notes, "message refused"), 1);
  EXPECT_THAT(door.messages, IsEmpty());
  client->rtp.clear();
  client->send_message(0, 51, media::buffer_of("after"));
  EXPECT_TRUE(run_until([&] { return !door.messages.empty() && packets(96) > 0; }));
  EXPECT_THAT(door.messages, ElementsAre("after"));
}

TEST_F(FaceSessions, TheUsersVoiceIsHeardAndWhatIsNoSoundIsPassedOver) {
  connect();
  ASSERT_TRUE(run_until([&] {
    speak(0xff);
    speak(200);
    return std::ranges::count(door.notes, "user started") == 1;
  }));
}

TEST_F(FaceSessions, AClientThatHangsUpIsToldOfAndGetsNothingMore) {
  connect();
  ASSERT_TRUE(run_until([&] { return packets(96) > 0; }));
  client->hang_up();
  ASSERT_TRUE(run_until([&] { return door.notes.back() == "lost hung_up"; }));
  EXPECT_FALSE(session->is_connected());
  const auto drawn = keys.size();
  int passed = 0;
  auto later = loop->clock().subscribe([&](const media::Beat&) { ++passed; });
  ASSERT_TRUE(run_until([&] { return passed == 5; }));
  EXPECT_LE(keys.size(), drawn + 1) << "but for one that waited";
}

TEST_F(FaceSessions, AnotherClientInTheSamePlaceIsShownAWholePictureAndTheConversationGoesOn) {
  connect();
  ASSERT_TRUE(run_until([&] { return packets(96) > 3; }));
  const auto spoken = speech.requests.size();
  keys.clear();
  come_anew();
  shake_hands();
  ASSERT_TRUE(run_until([&] { return packets(96) > 0; }));
  EXPECT_THAT(keys, Contains(true));
  EXPECT_EQ(speech.requests.size(), spoken) << "nobody is greeted again";
  EXPECT_EQ(counts.sessions_connected, 1u);
}

TEST_F(FaceSessions, WhileOneClientFloodsEveryInputAnotherIsShownEachPictureAndHearsEachSound) {
  connect();
  open_channel();
  // The flood comes from a client of its own, with a session of its own.
  Door other_door;
  auto other = make(other_door).value();
  media::UdpSocket other_socket(address_, loop->port().port());
  media::TestClient flooder(
      {address_, 2}, [&](media::Bytes bytes, const media::Endpoint&) { other_socket.send(bytes); });
  flooder.take_answer(other->answer(flooder.offer()).value());
  flooder.check();
  flooder.start_dtls();
  const auto hear_both = [&] {
    for (auto bytes = other_socket.receive(); !bytes.empty(); bytes = other_socket.receive())
      flooder.on_datagram(bytes);
    flooder.on_tick(std::chrono::steady_clock::now());
  };
  ASSERT_TRUE(run_until([&] {
    hear_both();
    if (flooder.is_open && other_door.notes.back() != "channel open")
      flooder.open_channel(0, "session");
    return !other_door.notes.empty() && other_door.notes.back() == "channel open";
  }));
  client->rtp.clear();
  std::size_t sent = 0;
  ASSERT_TRUE(run_until([&] {
    hear_both();
    flooder.rtp.clear();
    for (int i = 0; i < 10; ++i) {
      flooder.send_message(0, 51, media::buffer_of("rubbish"));
      flooder.send_rtp(media::Buffer(40, static_cast<std::uint8_t>(++sent)));
      flooder.send_rtcp(media::Buffer(24, static_cast<std::uint8_t>(sent * 7)));
      flooder.check({.user = "nobody"});
      other_socket.send(media::Buffer(200, static_cast<std::uint8_t>(sent % 256)));
    }
    return packets(96) >= 25;
  }));
  EXPECT_GT(sent, 100u);
  EXPECT_GE(packets(111), 2 * packets(96) - 2);
  EXPECT_THAT(door.messages, IsEmpty());
  EXPECT_THAT(door.notes, ElementsAre("connected", "channel open"));
  EXPECT_THAT(other_door.messages, Contains("rubbish"));
}

TEST_F(FaceSessions, AnOfferThatIsNoneChangesNothing) {
  connect();
  EXPECT_FALSE(session->answer("v=0\r\nnonsense"));
  client->rtp.clear();
  EXPECT_TRUE(run_until([&] { return packets(96) > 2; }));
}

TEST_F(FaceSessions, WithoutACameraOrACoderThereIsNoSession) {
  has_camera = false;
  EXPECT_EQ(make().error().code, base::ErrorCode::not_found);
  has_camera = true;
  has_encoder = false;
  EXPECT_EQ(make().error().code, base::ErrorCode::unavailable);
  EXPECT_EQ(counts.sessions_begun, 0u);
  EXPECT_EQ(loop->port().peers(), 0u);
}

TEST_F(FaceSessions, ASessionThatIsGivenUpWhileAPictureWaitsLeavesNothingBehind) {
  connect();
  ASSERT_TRUE(run_until([&] { return packets(96) > 0; }));
  session.reset();
  const auto drawn = keys.size();
  loop->loop().io().poll();
  EXPECT_EQ(keys.size(), drawn);
  EXPECT_EQ(loop->port().peers(), 0u);
  EXPECT_EQ(loop->clock().subscribers(), 1u) << "the port's own";
}

// Two hundred sessions one after another: what one leaves would add up.
TEST_F(FaceSessions, ManySessionsOneAfterAnotherLeaveNoPeerNoBeatAndNoAssociation) {
  for (int i = 0; i < 200; ++i) {
    come_anew();
    connect();
    session.reset();
  }
  EXPECT_EQ(counts.sessions_connected, 200u);
  EXPECT_EQ(loop->port().peers(), 0u);
  EXPECT_EQ(loop->clock().subscribers(), 1u) << "the port's own";
  client.reset();
  EXPECT_EQ(media::test_stack().associations(), 0u);
}
