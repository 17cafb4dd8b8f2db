#include "rules/session_analytics.h"

#include <algorithm>
#include <utility>

namespace stagedoor::rules {

std::optional<Percentiles> percentiles_of(std::vector<std::int64_t> values) {
  if (values.empty()) return std::nullopt;
  std::ranges::sort(values);
  const auto at = [&](std::size_t percent) {
    const auto rank = (values.size() * percent + 99) / 100;
    return values[std::max<std::size_t>(rank, 1) - 1];
  };
  return Percentiles{.count = values.size(),
                     .least = values.front(),
                     .p50 = at(50),
                     .p90 = at(90),
                     .p95 = at(95),
                     .p99 = at(99),
                     .most = values.back()};
}

void TurnTimes::add(std::span<const ReportedTurn> turns) {
  for (const auto& turn : turns) {
    if (turn.transcription) transcription_.push_back(turn.transcription->count());
    if (!turn.response) continue;
    response_.push_back(turn.response->count());
    const auto before = turn.transcription.value_or(std::chrono::milliseconds(0));
    total_.push_back((before + *turn.response).count());
  }
}

TurnPercentiles TurnTimes::percentiles() && {
  return {.transcription = percentiles_of(std::move(transcription_)),
          .response = percentiles_of(std::move(response_)),
          .total = percentiles_of(std::move(total_))};
}

base::Result<base::Done> check_analytics_span(base::Instant from, base::Instant to) {
  if (to <= from)
    return base::fail(base::ErrorCode::malformed, "analytics of no time",
                      "`to` must be later than `from`.");
  if (to - from > analytics_span_max)
    return base::fail(base::ErrorCode::malformed, "analytics of too long a time",
                      "`from` and `to` must be at most 31 days apart.");
  return base::Done{};
}

}  // namespace stagedoor::rules
