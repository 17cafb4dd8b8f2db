// Times as text: ISO 8601 (RFC 3339 5.6) with milliseconds, in UTC.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace stagedoor::base {

// "2026-11-24T15:27:01.250Z".
std::string iso_time(Instant instant);

// From 1970 to 9999: a day, "2026-11-24", which is its first moment in UTC; or a time with its
// zone, "2026-11-24T15:27:01Z", "2026-11-24T16:27:01.25+01:00". nullopt for all else.
std::optional<Instant> parse_iso_time(std::string_view text);

}  // namespace stagedoor::base
