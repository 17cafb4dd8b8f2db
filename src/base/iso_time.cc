#include "base/iso_time.h"

#include <fmt/chrono.h>

namespace stagedoor::base {
namespace {

// Takes characters off the front of a text; once something is not there, nothing is any more.
class Reading {
 public:
  explicit Reading(std::string_view text) : rest_(text) {}

  bool is_good() const { return is_good_; }
  bool is_at_end() const { return rest_.empty(); }
  bool next_is(char c) const { return rest_.starts_with(c); }
  void take(char c) {
    is_good_ = is_good_ && rest_.starts_with(c);
    if (is_good_) rest_.remove_prefix(1);
  }
  // So many digits, as a number up to `most`.
  int number(std::size_t digits, int most) {
    int value = 0;
    is_good_ = is_good_ && rest_.size() >= digits;
    for (std::size_t at = 0; is_good_ && at < digits; ++at) {
      is_good_ = rest_[at] >= '0' && rest_[at] <= '9';
      value = value * 10 + (rest_[at] - '0');
    }
    is_good_ = is_good_ && value <= most;
    if (is_good_) rest_.remove_prefix(digits);
    return value;
  }
  // What follows a point, one to nine digits; the rest of them than three does not matter.
  std::chrono::milliseconds fraction() {
    constexpr std::size_t digits_max = 9;
    int millis = 0;
    std::size_t at = 0;
    for (; at < rest_.size() && rest_[at] >= '0' && rest_[at] <= '9'; ++at)
      if (at < 3) millis = millis * 10 + (rest_[at] - '0');
    is_good_ = is_good_ && at > 0 && at <= digits_max;
    if (is_good_) rest_.remove_prefix(at);
    for (; at < 3; ++at) millis *= 10;
    return std::chrono::milliseconds(millis);
  }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

std::chrono::milliseconds time_of_day(Reading& text) {
  std::chrono::milliseconds time = std::chrono::hours(text.number(2, 23));
  text.take(':');
  time += std::chrono::minutes(text.number(2, 59));
  text.take(':');
  time += std::chrono::seconds(text.number(2, 59));
  if (!text.next_is('.')) return time;
  text.take('.');
  return time + text.fraction();
}

// How far the zone is ahead of UTC.
std::chrono::minutes zone(Reading& text) {
  if (text.next_is('Z')) {
    text.take('Z');
    return {};
  }
  const bool is_behind = text.next_is('-');
  text.take(is_behind ? '-' : '+');
  std::chrono::minutes ahead = std::chrono::hours(text.number(2, 23));
  text.take(':');
  ahead += std::chrono::minutes(text.number(2, 59));
  return is_behind ? -ahead : ahead;
}

}  // namespace

std::string iso_time(Instant instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())),
                     (instant - seconds).count());
}

std::optional<Instant> parse_iso_time(std::string_view whole) {
  Reading text(whole);
  const std::chrono::year year(text.number(4, 9999));
  text.take('-');
  const std::chrono::month month(static_cast<unsigned>(text.number(2, 12)));
  text.take('-');
  const std::chrono::day day(static_cast<unsigned>(text.number(2, 31)));
  const std::chrono::year_month_day date(year, month, day);
  if (!text.is_good() || !date.ok()) return std::nullopt;
  Instant instant = std::chrono::sys_days(date);
  if (!text.is_at_end()) {
    text.take('T');
    instant += time_of_day(text);
    instant -= zone(text);
  }
  constexpr Instant end{std::chrono::sys_days(std::chrono::year(9999) / 12 / 31) +
                        std::chrono::days(1)};
  if (!text.is_good() || !text.is_at_end() || instant < Instant() || instant >= end)
    return std::nullopt;
  return instant;
}

}  // namespace stagedoor::base
