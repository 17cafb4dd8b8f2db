#include "media/sctp.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

#include "media/client_for_test.h"

namespace stagedoor::media {
namespace {

using namespace std::chrono_literals;
using Packet = std::vector<std::uint8_t>;

// One end, whose packets wait until the test carries them.
struct End : SctpListener {
  void on_sctp_packet(Bytes packet) override { out.emplace_back(packet.begin(), packet.end()); }
  void on_sctp_message(const SctpMessage& message) override {
    EXPECT_FALSE(message.is_too_long);
    messages.push_back(message.bytes);
  }
  void on_sctp_stream_closed(std::uint16_t) override {}
  void on_sctp_lost() override { is_lost = true; }

  std::vector<Packet> take() { return std::exchange(out, {}); }
  void hear(const std::vector<Packet>& packets) {
    for (const auto& packet : packets) association->on_packet(packet);
  }

  std::unique_ptr<SctpAssociation> association;
  std::vector<Packet> out;
  std::vector<Packet> messages;
  bool is_lost = false;
};

class Sctp : public testing::Test {
 protected:
  Sctp() {
    for (auto* end : {&here, &there})
      end->association = SctpAssociation::open(test_stack(), *end, {}).value();
    const Packet hello{1};
    while (!here.association->send(0, 51, hello)) carry();
    while (there.messages.empty()) carry();
    there.messages.clear();
    carry();
  }
  void carry() {
    const auto now = std::chrono::steady_clock::now();
    for (auto* end : {&here, &there}) end->association->on_tick(now);
    there.hear(here.take());
    here.hear(there.take());
  }

  End here, there;
};

// One lost packet holds back all that came after it, and what fills the gap hands over all of them.
TEST_F(Sctp, NoMessageIsLostHoweverManyOnePacketHandsOver) {
  // So that the sender may have so much on its way.
  const Packet bulk(60'000, 7);
  for (std::size_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(here.association->send(0, 53, bulk));
    while (there.messages.size() == i) carry();
  }
  there.messages.clear();
  carry();
  std::vector<Packet> sent;
  for (int i = 0; i < 500; ++i) {
    sent.push_back({static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)});
    ASSERT_TRUE(here.association->send(0, 51, sent.back()));
  }
  auto packets = here.take();
  ASSERT_GE(packets.size(), 2u);
  const auto first = std::move(packets.front());
  packets.erase(packets.begin());
  there.hear(packets);
  EXPECT_TRUE(there.messages.empty());
  there.association->on_packet(first);
  EXPECT_GT(there.messages.size(), 256u) << "many at once";
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (there.messages.size() < sent.size() && std::chrono::steady_clock::now() < end) carry();
  EXPECT_TRUE(there.messages == sent) << there.messages.size();
  EXPECT_FALSE(there.is_lost);
}

// With usrsctp 0.9.5 such a packet would end neither its call nor, by the mutex, any other loop's.
TEST_F(Sctp, AnInitWithAParameterOfNoLengthStopsNothing) {
  Packet init{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0,  // ports 5000, no tag, checksum
              1,    0,    0,    24,   0, 0, 0, 9, 0, 2, 0, 0,  // INIT: tag, window
              0,    64,   0,    64,   0, 0, 0, 1,              // streams, TSN
              0,    0,    0,    0};                            // a parameter of length 0
  std::uint32_t crc = ~0u;
  for (const auto byte : init) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  for (int i = 0; i < 4; ++i) init[8 + i] = static_cast<std::uint8_t>(~crc >> 8 * i);
  there.association->on_packet(init);
  ASSERT_TRUE(here.association->send(0, 51, Packet{7}));
  while (there.messages.empty()) carry();
  EXPECT_EQ(there.messages.front(), Packet{7});
}

}  // namespace
}  // namespace stagedoor::media
