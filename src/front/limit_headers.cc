#include "front/limit_headers.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <chrono>

namespace stagedoor::front {

using namespace std::chrono;

void tell_limit(http::Response& response, const rules::RateVerdict& verdict) {
  const auto& limit = verdict.limit;
  if (limit.is_unlimited()) return;
  const auto all_back = ceil<seconds>(limit.window()).count();
  const auto reset = base::unix_seconds(ceil<seconds>(verdict.full_at));
  const auto next = ceil<seconds>(verdict.next_in).count();
  fmt::memory_buffer text;
  const auto header = [&](std::string_view name, auto format, const auto&... values) {
    text.clear();
    fmt::format_to(std::back_inserter(text), format, values...);
    response.header(name, {text.data(), text.size()});
  };
  header("X-RateLimit-Limit", FMT_COMPILE("{}"), limit.burst);
  header("X-RateLimit-Remaining", FMT_COMPILE("{}"), verdict.remaining);
  header("X-RateLimit-Reset", FMT_COMPILE("{}"), reset);
  const auto name = rules::name_of(verdict.kind);
  header("RateLimit-Policy", FMT_COMPILE("\"{}\";q={};w={}"), name, limit.burst, all_back);
  header("RateLimit", FMT_COMPILE("\"{}\";r={};t={}"), name, verdict.remaining, next);
  if (!verdict.is_allowed) header("Retry-After", FMT_COMPILE("{}"), next);
}

void tell_forced_limit(http::Response& response, const base::Error& error) {
  if (error.code == base::ErrorCode::rate_limited) response.header("Retry-After", "1");
}

}  // namespace stagedoor::front
