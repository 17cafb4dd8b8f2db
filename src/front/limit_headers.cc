#include "front/limit_headers.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string>

namespace stagedoor::front {

using namespace std::chrono;

void tell_limit(http::Response& response, const rules::RateVerdict& verdict) {
  const auto& limit = verdict.limit;
  if (limit.is_unlimited()) return;
  const auto all_back = ceil<seconds>(limit.window()).count();
  const auto reset = base::unix_seconds(ceil<seconds>(verdict.full_at));
  const auto next = ceil<seconds>(verdict.next_in).count();
  const auto name = rules::name_of(verdict.kind);
  std::array<char, 512> text;
  auto* end = fmt::format_to(
      text.data(),
      FMT_COMPILE("X-RateLimit-Limit: {}\r\nX-RateLimit-Remaining: {}\r\nX-RateLimit-Reset: {}\r\n"
                  "RateLimit-Policy: \"{}\";q={};w={}\r\nRateLimit: \"{}\";r={};t={}\r\n"),
      limit.burst, verdict.remaining, reset, name, limit.burst, all_back, name, verdict.remaining,
      next);
  if (!verdict.is_allowed) end = fmt::format_to(end, FMT_COMPILE("Retry-After: {}\r\n"), next);
  response.fields({text.data(), end});
}

void tell_late_limit(http::Response& response, const base::Error& error) {
  const bool is_full = error.code == base::ErrorCode::concurrency_limited;
  if ((!is_full && error.code != base::ErrorCode::rate_limited) || response.has("Retry-After"))
    return;
  const auto least = is_full ? concurrency_retry_after : seconds(1);
  const auto wait = error.retry_after.count() > 0 ? error.retry_after : least;
  response.header("Retry-After", std::to_string(wait.count()));
}

}  // namespace stagedoor::front
