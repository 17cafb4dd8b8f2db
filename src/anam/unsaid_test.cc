// SPDX-License-Identifier: Apache-2.0

#include "anam/unsaid.h"

#include <gtest/gtest.h>

namespace stagedoor::anam {
namespace {

using base::ErrorCode;

// Takes as many as it has room for; nothing of more than ten bytes, ever.
struct Channel {
  base::Result<base::Done> operator()(std::string_view text) {
    if (!is_open || sent.size() >= room) return base::fail(ErrorCode::unavailable, "full");
    if (text.size() > 10) return base::fail(ErrorCode::malformed, "long");
    sent.emplace_back(text);
    return base::Done{};
  }
  bool is_open = true;
  std::size_t room = 100;
  std::vector<std::string> sent;
};

using Texts = std::vector<std::string>;

TEST(Unsaid, WaitsForAChannelAndKeepsTheOrder) {
  Channel channel{.is_open = false, .sent = {}};
  Unsaid unsaid(5, std::ref(channel));
  EXPECT_EQ(unsaid.say("one"), 0u);
  EXPECT_EQ(unsaid.say("two"), 0u);
  channel.is_open = true;
  EXPECT_EQ(unsaid.say("three"), 0u);
  EXPECT_EQ(channel.sent, (Texts{"one", "two", "three"}));
  EXPECT_EQ(unsaid.size(), 0u);
}

TEST(Unsaid, AMessageThatCanNeverBeSentIsLeftOutAndHoldsUpNoOther) {
  Channel channel;
  Unsaid unsaid(5, std::ref(channel));
  EXPECT_EQ(unsaid.say("far too long for this channel"), 1u);
  EXPECT_EQ(unsaid.say("next"), 0u);
  EXPECT_EQ(channel.sent, Texts{"next"});
  channel.is_open = false;
  EXPECT_EQ(unsaid.say("far too long for this channel"), 0u);
  EXPECT_EQ(unsaid.say("after"), 0u);
  channel.is_open = true;
  EXPECT_EQ(unsaid.go_on(), 1u);
  EXPECT_EQ(channel.sent, (Texts{"next", "after"}));
}

TEST(Unsaid, WhatAFullChannelDoesNotTakeIsTriedAgain) {
  Channel channel{.room = 1, .sent = {}};
  Unsaid unsaid(5, std::ref(channel));
  EXPECT_EQ(unsaid.say("one"), 0u);
  EXPECT_EQ(unsaid.say("two"), 0u);
  EXPECT_EQ(unsaid.go_on(), 0u);
  EXPECT_EQ(channel.sent, Texts{"one"});
  channel.room = 2;
  EXPECT_EQ(unsaid.go_on(), 0u);
  EXPECT_EQ(channel.sent, (Texts{"one", "two"}));
}

TEST(Unsaid, WhatIsTooMuchIsLeftOutAndTold) {
  Channel channel{.is_open = false, .sent = {}};
  Unsaid unsaid(2, std::ref(channel));
  EXPECT_EQ(unsaid.say("1"), 0u);
  EXPECT_EQ(unsaid.say("2"), 0u);
  EXPECT_EQ(unsaid.say("3"), 1u);
  channel.is_open = true;
  EXPECT_EQ(unsaid.say("4"), 0u);
  EXPECT_EQ(channel.sent, (Texts{"1", "2", "4"}));
}

}  // namespace
}  // namespace stagedoor::anam
