#include "rules/jwks_timetable.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace stagedoor::rules {
namespace {

using std::chrono::seconds;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_word(std::string_view text, std::string_view lower) {
  return std::ranges::equal(
      text, lower, [](char x, char y) { return std::tolower(static_cast<unsigned char>(x)) == y; });
}

// delta-seconds (RFC 9111 1.2.2): digits; what is larger than can be told is a very long time.
std::optional<seconds> delta_seconds(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::int32_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
    return jwks_fresh_max;
  return seconds(value);
}

}  // namespace

seconds jwks_freshness(std::string_view cache_control, std::string_view age) {
  std::optional<seconds> fresh_for;
  while (!cache_control.empty()) {
    const auto comma = cache_control.find(',');
    const auto directive = trimmed(cache_control.substr(0, comma));
    cache_control.remove_prefix(comma == cache_control.npos ? cache_control.size() : comma + 1);
    const auto equals = directive.find('=');
    const auto name = trimmed(directive.substr(0, equals));
    if (is_word(name, "no-store") || is_word(name, "no-cache")) return jwks_fresh_min;
    if (!is_word(name, "max-age") || equals == directive.npos) continue;
    const auto value = delta_seconds(directive.substr(equals + 1));
    // What can't be read, or is said twice, is as short as it may be (RFC 9111 4.2.1).
    fresh_for = value ? std::min(*value, fresh_for.value_or(*value)) : seconds(0);
  }
  if (!fresh_for) return jwks_fresh_default;
  const auto gone = delta_seconds(age).value_or(seconds(0));
  return std::clamp<seconds>(*fresh_for - gone, jwks_fresh_min, jwks_fresh_max);
}

bool JwksTimetable::may_fetch(base::Instant now) const {
  if (is_fetching_) return false;
  // A clock that was put back must not stop fetching for as long.
  return !began_at_ || now < *began_at_ || now - *began_at_ >= jwks_cool_down;
}

bool JwksTimetable::has_failed_lately(base::Instant now) const {
  return failed_at_ && now >= *failed_at_ && now - *failed_at_ < 2 * jwks_cool_down;
}

JwksTimetable::Advice JwksTimetable::for_known_key(base::Instant now) const {
  const bool may = may_fetch(now);
  if (!fresh_until_ || now >= *fresh_until_ + jwks_stale_max) {
    if (has_failed_lately(now)) return may ? Advice::unavailable_and_fetch : Advice::unavailable;
    if (is_fetching_) return Advice::wait;
    return may ? Advice::fetch_and_wait : Advice::unavailable;
  }
  if (now < refresh_at_) return Advice::use;
  if (now < *fresh_until_ || has_failed_lately(now))
    return may ? Advice::use_and_fetch : Advice::use;
  if (is_fetching_) return Advice::wait;
  return may ? Advice::fetch_and_wait : Advice::use;
}

JwksTimetable::Advice JwksTimetable::for_unknown_key(const std::string& key_id,
                                                     base::Instant now) const {
  const auto known = for_known_key(now);
  if (known != Advice::use && known != Advice::use_and_fetch) return known;
  const auto is_it = [&](const Unknown& one) { return one.key_id == key_id && now < one.until; };
  if (std::ranges::any_of(unknown_, is_it)) return Advice::no_such_key;
  // Nobody waits again for an issuer that has just failed; who asks meanwhile is told so.
  if (has_failed_lately(now))
    return may_fetch(now) ? Advice::unavailable_and_fetch : Advice::unavailable;
  if (is_fetching_) return Advice::wait;
  return may_fetch(now) ? Advice::fetch_and_wait : Advice::no_such_key;
}

void JwksTimetable::began(base::Instant now) {
  is_fetching_ = true;
  began_at_ = now;
}

void JwksTimetable::succeeded(seconds fresh_for, base::Instant now) {
  is_fetching_ = false;
  failed_at_.reset();
  fresh_until_ = now + fresh_for;
  refresh_at_ = now + fresh_for * 4 / 5;
}

void JwksTimetable::failed(base::Instant now) {
  is_fetching_ = false;
  failed_at_ = now;
}

void JwksTimetable::saw_no(const std::string& key_id, base::Instant now) {
  std::erase_if(unknown_,
                [&](const Unknown& one) { return one.key_id == key_id || now >= one.until; });
  if (unknown_.size() >= jwks_unknown_keys_max) unknown_.pop_front();
  unknown_.push_back({key_id, now + jwks_unknown_key_kept});
}

}  // namespace stagedoor::rules
