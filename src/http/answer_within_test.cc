#include "http/answer_within.h"

#include <gtest/gtest.h>

#include <thread>

using namespace stagedoor;
using namespace std::chrono_literals;

namespace {
using Callback = std::move_only_function<void(base::Result<int>)>;
}

TEST(AnswerWithin, TheAnswerOfAnotherThreadIsGiven) {
  std::thread other;
  const auto answer = http::answer_within<base::Result<int>>(10s, [&](Callback callback) {
    other = std::thread([callback = std::move(callback)]() mutable { callback(7); });
  });
  other.join();
  EXPECT_EQ(*answer, 7);
}

TEST(AnswerWithin, ACallbackThatIsDroppedUncalledIsAnAnswerAtOnce) {
  const auto began = std::chrono::steady_clock::now();
  const auto answer = http::answer_within<base::Result<int>>(60s, [](Callback) {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::unavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s) << "nobody waits for who is gone";
}

TEST(AnswerWithin, ALoopThatEndsWithTheStepStillInItAnswersWhoWaits) {
  auto io = std::make_unique<std::move_only_function<void()>>();
  std::thread other;
  const auto answer = http::answer_within<base::Result<int>>(60s, [&](Callback callback) {
    *io = [callback = std::move(callback)]() mutable { callback(1); };
    other = std::thread([&] { io.reset(); });
  });
  other.join();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().detail, "nobody is left to answer");
}

TEST(AnswerWithin, WhoDoesNotAnswerIsNotWaitedForLonger) {
  Callback kept;
  const auto answer = http::answer_within<base::Result<int>>(
      0s, [&](Callback callback) { kept = std::move(callback); });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().detail, "no answer in time");
  kept(1);  // too late, and harmless
}
