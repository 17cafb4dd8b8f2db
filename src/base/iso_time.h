// Times as text: ISO 8601 (RFC 3339 5.6) with milliseconds, in UTC.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "base/clock.h"

namespace stagedoor::base {

// "2026-11-24T15:27:01.250Z".
std::string iso_time(Instant instant);

}  // namespace stagedoor::base
