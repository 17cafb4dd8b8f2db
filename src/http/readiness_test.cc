// SPDX-License-Identifier: Apache-2.0

#include "http/readiness.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <string>
#include <vector>

#include "http/descriptor.h"

namespace stagedoor::http {
namespace {

// One end of a pair of sockets on the loop, the other in the test's hand.
class Pair final : public ReadySocket {
 public:
  using Turn = std::function<void(Pair&)>;

  Pair(Readiness& readiness, Turn turn) : readiness_(readiness), turn_(std::move(turn)) {
    int both[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both), 0);
    ours = Descriptor(both[0]);
    theirs = Descriptor(both[1]);
    EXPECT_TRUE(readiness_.add(ours.number(), *this));
  }
  void on_ready(std::uint32_t) noexcept override {
    ++turns;
    turn_(*this);
  }
  void send_held(std::string_view answers) noexcept override { held.emplace_back(answers); }

  void say(std::string_view words) const {
    EXPECT_EQ(::send(theirs.number(), words.data(), words.size(), 0), ssize_t(words.size()));
  }
  std::string read(std::size_t bytes_max = 100) const {
    std::string bytes(bytes_max, '\0');
    bytes.resize(static_cast<std::size_t>(
        std::max<ssize_t>(::recv(ours.number(), bytes.data(), bytes_max, MSG_DONTWAIT), 0)));
    return bytes;
  }
  void leave() { readiness_.remove(ours.number(), *this); }

  Descriptor ours, theirs;
  int turns = 0;
  std::vector<std::string> held;

 private:
  Readiness& readiness_;
  Turn turn_;
};

class Ready : public testing::Test {
 protected:
  using Pointer = boost::intrusive_ptr<Pair>;

  Pointer pair(Pair::Turn turn) { return new Pair(readiness, std::move(turn)); }
  void run() {
    loop.io().restart();
    loop.io().poll();
  }

  Loop loop;
  Readiness readiness{loop};
};

TEST_F(Ready, WhatASocketSaysInItsTurnIsSentAfterAllHaveHadTheirs) {
  std::vector<std::size_t> held_then;
  std::vector<Pointer> pairs;
  for (int i = 0; i < 3; ++i) {
    pairs.push_back(pair([&](Pair& one) {
      readiness.outbox().text() += "to " + one.read();
      readiness.outbox().hold_own(one);
      EXPECT_TRUE(readiness.outbox().own().empty());
      for (const auto& other : pairs) held_then.push_back(other->held.size());
    }));
  }
  for (int i = 0; i < 3; ++i) pairs[i]->say(std::string(1, static_cast<char>('a' + i)));
  run();
  EXPECT_EQ(held_then, std::vector<std::size_t>(9, 0));
  EXPECT_EQ(pairs[0]->held, std::vector<std::string>{"to a"});
  EXPECT_EQ(pairs[1]->held, std::vector<std::string>{"to b"});
  EXPECT_EQ(pairs[2]->held, std::vector<std::string>{"to c"});
  EXPECT_TRUE(readiness.outbox().text().empty());
  for (const auto& one : pairs) one->leave();
}

TEST_F(Ready, OneThatDropsItsWordsTakesNobodyElsesWithThem) {
  const auto good = pair([&](Pair& one) {
    readiness.outbox().text() += one.read();
    readiness.outbox().hold_own(one);
  });
  const auto broken = pair([&](Pair& one) {
    readiness.outbox().text() += one.read();
    readiness.outbox().drop_own();
  });
  good->say("kept");
  broken->say("dropped");
  run();
  EXPECT_EQ(good->held, std::vector<std::string>{"kept"});
  EXPECT_TRUE(broken->held.empty());
  good->leave();
  broken->leave();
}

TEST_F(Ready, WhatOneTakesOutOfTheOutboxIsItsOwnAlone) {
  std::string taken;
  const auto first = pair([&](Pair& one) {
    readiness.outbox().text() += one.read();
    readiness.outbox().hold_own(one);
  });
  const auto second = pair([&](Pair& one) {
    readiness.outbox().text() += one.read();
    taken = readiness.outbox().take_own();
  });
  first->say("first");
  second->say("second");
  run();
  EXPECT_EQ(taken, "second");
  EXPECT_EQ(first->held, std::vector<std::string>{"first"});
  first->leave();
  second->leave();
}

TEST_F(Ready, NobodyIsToldTwiceOfTheSameBytesUnlessItAsks) {
  const auto one = pair([](Pair&) {});
  one->say("unread");
  run();
  run();
  EXPECT_EQ(one->turns, 1);
  readiness.again(one->ours.number(), *one);
  run();
  EXPECT_EQ(one->turns, 2);
  one->say("more");
  run();
  EXPECT_EQ(one->turns, 3);
  EXPECT_EQ(one->read(), "unreadmore");
  one->leave();
}

TEST_F(Ready, OneThatIsRemovedInATurnHasNoneOfItsOwn) {
  std::vector<Pointer> pairs;
  for (int i = 0; i < 2; ++i) {
    pairs.push_back(pair([&](Pair& one) {
      for (auto& other : pairs) {
        if (other && other.get() != &one) std::exchange(other, nullptr)->leave();
      }
    }));
  }
  const Pointer first = pairs[0], second = pairs[1];
  first->say("a");
  second->say("b");
  run();
  EXPECT_EQ(first->turns + second->turns, 1);
  (first->turns == 1 ? first : second)->leave();
}

TEST_F(Ready, OneThatNobodyHoldsLivesUntilItIsRemovedAlsoInItsOwnTurn) {
  int alive_bytes = 0;
  auto* const one = pair([&](Pair& self) {
                      self.leave();
                      alive_bytes = static_cast<int>(self.read().size());
                    }).get();
  one->say("four");
  run();
  EXPECT_EQ(alive_bytes, 4);
}

TEST_F(Ready, ThereIsRoomToWriteOnlyForWhoAsked) {
  const auto one = pair([](Pair&) {});
  run();
  EXPECT_EQ(one->turns, 0);
  readiness.also_writable(one->ours.number(), *one);
  run();
  EXPECT_EQ(one->turns, 1);
  one->leave();
}

TEST_F(Ready, AfterTheLastTurnHeldAnswersHaveLeftHoweverManySpoke) {
  std::vector<Pointer> pairs;
  for (int i = 0; i < 300; ++i) {
    pairs.push_back(pair([&](Pair& one) {
      readiness.outbox().text() += std::string(1000, 'x') + one.read();
      readiness.outbox().hold_own(one);
    }));
    pairs.back()->say(std::to_string(i));
  }
  for (int i = 0; i < 10; ++i) run();
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(pairs[i]->held, std::vector{std::string(1000, 'x') + std::to_string(i)});
    pairs[i]->leave();
  }
}

}  // namespace
}  // namespace stagedoor::http
