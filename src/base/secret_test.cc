#include "base/secret.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <ostream>

#include "base/log.h"

namespace stagedoor::base {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
template <class T>
concept Comparable = requires(const T& a, const T& b) { a == b; };
template <class T>
concept Loggable = std::is_constructible_v<LogField, std::string_view, const T&>;

// Rule secret-unprintable.
TEST(Secret, HasNoWayOutButExpose) {
  EXPECT_FALSE(Printable<Secret>);
  EXPECT_FALSE(Comparable<Secret>);
  EXPECT_FALSE(fmt::is_formattable<Secret>::value);
  EXPECT_FALSE(std::is_copy_constructible_v<Secret>);
  EXPECT_FALSE(std::is_copy_assignable_v<Secret>);
  EXPECT_FALSE((std::is_convertible_v<Secret, std::string>));
  EXPECT_FALSE((std::is_convertible_v<Secret, std::string_view>));
}

// Rule log-holds-no-credential.
TEST(Secret, CannotBecomeALogField) {
  EXPECT_FALSE(Loggable<Secret>);
  EXPECT_TRUE(Loggable<std::string_view>);
}

TEST(Secret, IsEmptyAfterItWasMovedFrom) {
  Secret first(std::string_view("a rather long secret that lives on the heap"));
  const Secret second(std::move(first));
  EXPECT_TRUE(first.is_empty());
  EXPECT_EQ(second.expose(), "a rather long secret that lives on the heap");
}

// Rule secret-unprintable.
TEST(Secret, LeavesNothingBehindInWhatItWasMovedFrom) {
  for (const std::string_view text : {"short", "a rather long secret that lives on the heap"}) {
    Secret first(text);
    const char* const before = first.expose().data();
    Secret second(std::move(first));
    Secret third;
    third = std::move(second);
    EXPECT_EQ(third.expose(), text);
    // What is short stands in the object itself, which is still there.
    if (text.size() < 16) {
      EXPECT_EQ(std::string_view(before, 5), std::string_view("\0\0\0\0\0", 5));
    }
  }
}

}  // namespace
}  // namespace stagedoor::base
