// How long sessions kept their users waiting: percentiles over many turns.
//
// Used by: anam/session_analytics.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "rules/session_report.h"

namespace stagedoor::rules {

inline constexpr std::chrono::days analytics_span_max{31};
inline constexpr std::size_t analytics_sessions_max = 1000;

// In milliseconds. A percentile is by nearest rank: the least of the values that at least so many
// of a hundred do not exceed. So it is a value that was measured.
struct Percentiles {
  std::size_t count = 0;
  std::int64_t least = 0, p50 = 0, p90 = 0, p95 = 0, p99 = 0, most = 0;
};
// nullopt: of nothing.
std::optional<Percentiles> percentiles_of(std::vector<std::int64_t> values);

// What turns waited for, each part by itself; `total` of those that have a response.
struct TurnPercentiles {
  std::optional<Percentiles> transcription, response, total;
};
class TurnTimes {
 public:
  void add(std::span<const ReportedTurn> turns);
  TurnPercentiles percentiles() &&;

 private:
  std::vector<std::int64_t> transcription_, response_, total_;
};

// `malformed`, with a hint, where it ends before it begins, or lasts longer than
// analytics_span_max.
base::Result<base::Done> check_analytics_span(base::Instant from, base::Instant to);

}  // namespace stagedoor::rules
