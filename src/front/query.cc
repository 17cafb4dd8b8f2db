#include "front/query.h"

#include <charconv>
#include <string>

namespace stagedoor::front {

base::Result<std::optional<std::int64_t>> number_in_query(const http::Request& request,
                                                          std::string_view name, std::int64_t least,
                                                          std::int64_t most) {
  const auto text = request.query(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto* end = text->data() + text->size();
  const auto [stop, trouble] = std::from_chars(text->data(), end, number);
  if (trouble == std::errc() && stop == end && number >= least && number <= most) return number;
  return base::fail(base::ErrorCode::malformed, "query " + std::string(name),
                    "`" + std::string(name) + "` must be a whole number from " +
                        std::to_string(least) + " to " + std::to_string(most) + ".");
}

base::Result<std::int64_t> limit_in_query(const http::Request& request, std::int64_t otherwise,
                                          std::int64_t most) {
  const auto limit = number_in_query(request, "limit", 1, most);
  if (!limit) return base::fail(limit.error());
  return limit->value_or(otherwise);
}

base::Result<std::optional<rules::Environment>> environment_in_query(const http::Request& request) {
  const auto text = request.query("environment");
  if (!text) return std::nullopt;
  if (*text == "live") return rules::Environment::live;
  if (*text == "test") return rules::Environment::test;
  return base::fail(base::ErrorCode::malformed, "query environment",
                    "`environment` must be \"live\" or \"test\".");
}

base::Result<std::optional<base::Instant>> time_in_query(const http::Request& request,
                                                         std::string_view name) {
  constexpr std::int64_t year_10000 = 253'402'300'800;
  const auto seconds = number_in_query(request, name, 0, year_10000);
  if (!seconds) return base::fail(seconds.error());
  if (!*seconds) return std::nullopt;
  return base::from_unix_seconds(**seconds);
}

}  // namespace stagedoor::front
