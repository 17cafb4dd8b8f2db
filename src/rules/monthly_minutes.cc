#include "rules/monthly_minutes.h"

#include <algorithm>
#include <chrono>

namespace stagedoor::rules {

using namespace std::chrono;

base::Instant month_of(base::Instant instant) {
  const year_month_day day(floor<days>(instant));
  return base::Instant(sys_days(day.year() / day.month() / 1d).time_since_epoch());
}

std::int64_t whole_seconds(base::Instant began_at, base::Instant until) {
  return std::max<std::int64_t>(ceil<seconds>(until - began_at).count(), 0);
}

bool are_minutes_used_up(const App& app, const MinuteMeter& meter, base::Instant now) {
  const auto& minutes = app.limits.monthly_minutes;
  return minutes && meter.seconds_used(app.id, now) >= *minutes * 60;
}

base::Result<base::Done> check_minutes(const App& app, Environment environment,
                                       const MinuteMeter& meter, base::Instant now) {
  if (environment != Environment::live || !are_minutes_used_up(app, meter, now))
    return base::Done{};
  return base::fail(base::ErrorCode::payment_required, "the minutes of " + app.id + " are used up",
                    "The app's minutes of this month are used up.");
}

}  // namespace stagedoor::rules
