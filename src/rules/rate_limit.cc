#include "rules/rate_limit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace stagedoor::rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::int64_t nanos_per_milli = 1'000'000;
constexpr std::int64_t most_calls = 1'000'000'000;
// The latest time and the longest window together still fit into 63 bits of nanoseconds.
constexpr std::int64_t latest_millis = 6'000'000'000'000;
constexpr std::int64_t longest_window = 3'150'000'000 * std::int64_t{1'000'000'000};

struct Unit {
  std::string_view name;
  std::int64_t millis;
};
constexpr std::array<Unit, 5> units = {
    {{"day", 86'400'000}, {"hour", 3'600'000}, {"min", 60'000}, {"sec", 1'000}, {"ms", 1}}};
constexpr std::int64_t day_millis = units.front().millis;

std::int64_t nanos_of(base::Instant instant) {
  return std::clamp<std::int64_t>(instant.time_since_epoch().count(), 0, latest_millis) *
         nanos_per_milli;
}

std::int64_t ceil_millis(std::int64_t nanos) {
  return nanos / nanos_per_milli + (nanos % nanos_per_milli > 0 ? 1 : 0);
}

std::int64_t window_of(std::int64_t interval_nanos, std::uint32_t burst) {
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(interval_nanos, std::int64_t{std::max(burst, 1u)}, &nanos))
    return longest_window;
  return std::min(nanos, longest_window);
}

// Takes a number from 1 to `most` off the front; 0: there is none.
std::int64_t take_number(std::string_view& text, std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 1 || number > most) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// "min", "5min" or "5 min", in milliseconds; 0: neither.
std::int64_t take_period(std::string_view& text) {
  std::int64_t times = 1;
  if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    times = take_number(text, day_millis);
    take_word(text, " ");
  }
  for (const auto& unit : units) {
    if (!take_word(text, unit.name)) continue;
    return times <= day_millis / unit.millis ? times * unit.millis : 0;
  }
  return 0;
}

}  // namespace

nanoseconds RateLimit::interval() const {
  if (is_unlimited()) return nanoseconds{0};
  const auto nanos = std::clamp<std::int64_t>(period.count(), 0, longest_window / nanos_per_milli) *
                     nanos_per_milli;
  return nanoseconds(std::max<std::int64_t>(nanos / count + (nanos % count > 0 ? 1 : 0), 1));
}

nanoseconds RateLimit::window() const {
  return nanoseconds(window_of(interval().count(), burst));
}

base::Result<RateLimit> read_rate_limit(std::string_view text) {
  if (text == "unlimited") return RateLimit::unlimited();
  auto rest = text;
  const auto count = take_number(rest, most_calls);
  const bool has_slash = take_word(rest, "/");
  const auto period = has_slash ? take_period(rest) : 0;
  const auto burst = take_word(rest, " burst ") ? take_number(rest, most_calls) : count;
  if (count == 0 || period == 0 || burst == 0 || !rest.empty()) {
    return base::fail(base::ErrorCode::malformed, "rate limit",
                      "must be a limit such as \"10/min burst 20\", \"3/5min\" or \"unlimited\": "
                      "counts from 1 to 1000000000, a period of sec, min, hour or day, at most one "
                      "day long");
  }
  return RateLimit{.count = static_cast<std::uint32_t>(count),
                   .period = milliseconds(period),
                   .burst = static_cast<std::uint32_t>(burst)};
}

bool is_higher(const RateLimit& a, const RateLimit& b) {
  if (b.is_unlimited()) return false;
  if (a.is_unlimited()) return true;
  return a.burst > b.burst || a.interval() < b.interval();
}

std::string text_of(const RateLimit& limit) {
  if (limit.is_unlimited()) return "unlimited";
  const auto unit = *std::ranges::find_if(
      units, [&](const Unit& each) { return limit.period.count() % each.millis == 0; });
  const auto times = limit.period.count() / unit.millis;
  auto text = std::to_string(limit.count) + "/";
  if (times != 1) text += std::to_string(times);
  text += unit.name;
  if (limit.burst != limit.count) text += " burst " + std::to_string(limit.burst);
  return text;
}

std::string_view name_of(RateKind kind) {
  switch (kind) {
    case RateKind::api_key:
      return "api-key";
    case RateKind::person:
      return "person";
    case RateKind::stranger:
      return "stranger";
    case RateKind::password:
      return "password";
    case RateKind::login:
      return "login";
    case RateKind::account_creation:
      return "account-creation";
    case RateKind::app:
      return "app";
    case RateKind::end_user:
      return "end-user";
  }
  std::unreachable();
}

std::optional<RateKind> rate_kind_of(std::string_view name) {
  for (std::size_t i = 0; i < rate_kind_count; ++i)
    if (const auto kind = static_cast<RateKind>(i); name_of(kind) == name) return kind;
  return std::nullopt;
}

RateStep::RateStep(const RateLimit& limit, base::Instant now)
    : limit_(limit),
      now_nanos_(nanos_of(now)),
      interval_(limit.interval().count()),
      window_(window_of(interval_, limit.burst)) {}

RateStep::Taken RateStep::take(std::int64_t& arrival_nanos) const {
  // How much of the window is used; at most a window, so that no sum below overflows.
  auto used =
      std::clamp<std::int64_t>(std::max(arrival_nanos, now_nanos_) - now_nanos_, 0, window_);
  const bool is_allowed = used <= window_ - interval_;
  if (is_allowed) used += interval_;
  if (is_allowed || arrival_nanos > now_nanos_ + window_) arrival_nanos = now_nanos_ + used;
  return {used, is_allowed};
}

RateVerdict RateStep::verdict(const Taken& taken) const {
  RateVerdict verdict;
  verdict.is_allowed = taken.is_allowed;
  verdict.limit = limit_;
  const auto remaining = (window_ - taken.used_nanos) / interval_;
  verdict.remaining = static_cast<std::uint32_t>(remaining);
  verdict.next_in =
      milliseconds(ceil_millis(taken.used_nanos - (window_ - (remaining + 1) * interval_)));
  if (remaining == 0) verdict.retry_after = verdict.next_in;
  verdict.full_at = base::Instant(milliseconds(ceil_millis(now_nanos_ + taken.used_nanos)));
  return verdict;
}

RateVerdict unlimited_verdict(base::Instant now) {
  RateVerdict verdict;
  verdict.is_allowed = true;
  verdict.limit = RateLimit::unlimited();
  verdict.remaining = std::numeric_limits<std::uint32_t>::max();
  verdict.full_at = now;
  return verdict;
}

RateVerdict take(std::int64_t& arrival_nanos, const RateLimit& limit, base::Instant now) {
  if (limit.is_unlimited()) return unlimited_verdict(now);
  const RateStep step(limit, now);
  return step.verdict(step.take(arrival_nanos));
}

}  // namespace stagedoor::rules
