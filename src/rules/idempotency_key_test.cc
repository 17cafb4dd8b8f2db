#include "rules/idempotency_key.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;
using Call = NamedMints::Call;

struct World {
  // What the call gets in the end, as the engine does it: "t1", "t2", ... as they are minted.
  std::string start(const Call& call) {
    const auto known = mints.find(call, now);
    if (!known) return "refused";
    if (*known) return std::string((*known)->expose());
    return std::string(
        mints.keep(call, base::Secret("t" + std::to_string(++minted)), now)->expose());
  }
  NamedMints mints;
  base::Instant now = base::from_unix_seconds(1'800'000'000);
  int minted = 0;
};

// Rule idempotency-key.
TEST(NamedMints, TheSameNameOfTheSameCallerStandsForTheSameTokenForTwoMinutes) {
  World w;
  const Call call{"key_1", "one", "{}"};
  EXPECT_EQ(w.start(call), "t1");
  w.now += 2min - 1s;
  EXPECT_EQ(w.start(call), "t1");
  EXPECT_EQ(w.start({"key_2", "one", "{}"}), "t2") << "another caller's name is another name";
  EXPECT_EQ(w.start({"key_1", "two", "{}"}), "t3");
  w.now += 1s;
  EXPECT_EQ(w.start(call), "t4");
}

// Rule idempotency-key.
TEST(NamedMints, ANameIsNotTakenForAnotherBody) {
  World w;
  EXPECT_EQ(w.start({"key_1", "one", "{}"}), "t1");
  EXPECT_EQ(w.start({"key_1", "one", "{ }"}), "refused");
  EXPECT_EQ(w.mints.keep({"key_1", "one", "{ }"}, base::Secret(std::string_view("t")), w.now)
                .error()
                .code,
            ErrorCode::malformed);
  EXPECT_EQ(w.start({"key_1", "one", "{}"}), "t1");
}

TEST(NamedMints, OfTwoThatMintAtTheSameTimeOneTokenStandsForBoth) {
  World w;
  const Call call{"key_1", "one", "{}"};
  ASSERT_FALSE(*w.mints.find(call, w.now));
  ASSERT_FALSE(*w.mints.find(call, w.now));
  EXPECT_EQ(w.mints.keep(call, base::Secret(std::string_view("a")), w.now)->expose(), "a");
  EXPECT_EQ(w.mints.keep(call, base::Secret(std::string_view("b")), w.now)->expose(), "a");
}

TEST(NamedMints, ANameInNoFormIsRefused) {
  World w;
  for (const auto& name :
       {std::string(), std::string(256, 'n'), std::string("a b"), std::string("\x80")})
    EXPECT_EQ(w.start({"key_1", name, "{}"}), "refused");
  EXPECT_EQ(w.start({"key_1", std::string(255, 'n'), "{}"}), "t1");
}

TEST(NamedMints, TheOldestAreForgottenSoThatNobodyFillsTheMemory) {
  World w;
  std::vector<std::string> names;
  for (std::size_t number = 0; number <= NamedMints::count_max; ++number)
    names.push_back(std::to_string(number));
  for (const auto& name : names) w.start({"key_1", name, "{}"});
  EXPECT_EQ(w.start({"key_1", names[1], "{}"}), "t2");
  EXPECT_EQ(w.start({"key_1", names[0], "{}"}), "t4098") << "forgotten";
}

}  // namespace
}  // namespace stagedoor::rules
