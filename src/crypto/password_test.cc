#include "crypto/password.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "crypto/random.h"

namespace stagedoor::crypto {
namespace {

using base::Secret;
using Verdict = PasswordHasher::Verdict;

class Password : public ::testing::Test {
 protected:
  SystemRandom random;
  PasswordHasher hasher{{}, random};
};

// Rule account-password-argon2id.
TEST_F(Password, WhatIsKeptIsArgon2idAtTheCostOfTheSettingsWithASaltOfItsOwn) {
  const auto one = hasher.hash(Secret(std::string("correct horse")));
  const auto two = hasher.hash(Secret(std::string("correct horse")));
  ASSERT_TRUE(one && two);
  EXPECT_TRUE(one->starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(*one, *two);
  EXPECT_EQ(one->find("horse"), std::string::npos);
}

// Rule account-password-argon2id.
TEST_F(Password, OnlyTheVeryPasswordIsRight) {
  const auto kept = hasher.hash(Secret(std::string("correct horse")));
  EXPECT_EQ(hasher.verify(Secret(std::string("correct horse")), *kept), Verdict::right);
  for (const auto* wrong : {"correct horsE", "correct hors", "correct horse ", ""})
    EXPECT_EQ(hasher.verify(Secret(std::string(wrong)), *kept), Verdict::wrong) << wrong;
}

// Rule account-unknown-alike.
TEST_F(Password, AnAccountThatDoesNotExistIsWrongWhateverIsSaid) {
  EXPECT_EQ(hasher.verify(Secret(std::string("correct horse")), ""), Verdict::wrong);
  EXPECT_EQ(hasher.verify(Secret(), ""), Verdict::wrong);
}

// Rule account-password-argon2id.
TEST_F(Password, AHashAtAnotherCostStillVerifiesAndIsToldAsOutdated) {
  PasswordHasher dearer({.memory_kibibytes = 20 * 1024, .passes = 3}, random);
  const auto kept = hasher.hash(Secret(std::string("correct horse")));
  EXPECT_FALSE(hasher.is_outdated(*kept));
  EXPECT_TRUE(dearer.is_outdated(*kept));
  EXPECT_EQ(dearer.verify(Secret(std::string("correct horse")), *kept), Verdict::right);
}

TEST_F(Password, EightTo256BytesAndNoOthers) {
  for (const std::size_t length : {0u, 7u, 257u, 1000u}) {
    const auto refused = hasher.hash(Secret(std::string(length, 'x')));
    ASSERT_FALSE(refused) << length;
    EXPECT_EQ(refused.error().code, base::ErrorCode::malformed);
  }
  for (const std::size_t length : {8u, 256u})
    EXPECT_TRUE(hasher.hash(Secret(std::string(length, 'x')))) << length;
}

TEST_F(Password, OfACrowdOnlySoManyRunAndWaitAndTheOthersAreRefusedAtOnce) {
  PasswordHasher one({.at_once = 1}, random);
  constexpr int crowd = 12;
  std::latch together(crowd);
  std::atomic<int> done = 0, refused = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < crowd; ++i) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      const auto hash = one.hash(Secret(std::string("correct horse")));
      ++(hash ? done : refused);
      if (!hash) {
        EXPECT_EQ(hash.error().code, base::ErrorCode::unavailable);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(done + refused, crowd);
  EXPECT_GE(done, 1);
  EXPECT_GE(refused, 1);
  EXPECT_TRUE(one.hash(Secret(std::string("correct horse")))) << "the places were given back";
}

}  // namespace
}  // namespace stagedoor::crypto
