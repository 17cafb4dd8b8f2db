#include "base/iso_time.h"

#include <fmt/chrono.h>

namespace stagedoor::base {

std::string iso_time(Instant instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())),
                     (instant - seconds).count());
}

}  // namespace stagedoor::base
