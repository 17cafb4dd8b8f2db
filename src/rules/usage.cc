#include "rules/usage.h"

#include <charconv>

#include "base/text.h"

namespace stagedoor::rules {
namespace {

constexpr char between = '\x1F';
constexpr std::size_t cursor_bytes_max = 2048;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, trouble] = std::from_chars(text.data(), end, number);
  if (trouble != std::errc() || stop != end) return std::nullopt;
  return number;
}

// Up to the next separator, which is taken off as well.
std::string_view take_part(std::string_view& rest) {
  const auto end = rest.find(between);
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return part;
}

}  // namespace

std::string text_of(const UsageCursor& cursor) {
  return base::base64url(std::to_string(cursor.period_seconds) + between + cursor.app_id + between +
                         std::to_string(cursor.environment) + between + cursor.who);
}

base::Result<UsageCursor> parse_usage_cursor(std::string_view text) {
  const auto bytes = text.size() > cursor_bytes_max ? std::nullopt : base::from_base64url(text);
  std::string_view rest = bytes ? *bytes : std::string_view{};
  UsageCursor cursor;
  const auto period = number_of(take_part(rest));
  cursor.app_id = take_part(rest);
  const auto environment = number_of(take_part(rest));
  cursor.who = rest;
  if (!period || !environment || *environment < 0 || *environment > 1) {
    return base::fail(base::ErrorCode::malformed, "usage cursor",
                      "`cursor` must be what `next` of the page before said.");
  }
  cursor.period_seconds = *period;
  cursor.environment = static_cast<int>(*environment);
  return cursor;
}

}  // namespace stagedoor::rules
