#include "anam/attendance.h"

namespace stagedoor::anam {

using namespace std::chrono_literals;

void Attendance::attached() {
  was_attended_ = true;
  unattended_seconds_ = 0;
}

void Attendance::expect() {
  was_attended_ = false;
  unattended_seconds_ = 0;
}

// A socket alone proves little once media have flowed: a network that is gone closes nothing.
bool Attendance::is_attended(const Signs& signs) const {
  constexpr auto silence_max = 6s;
  constexpr int heartbeat_seconds_max = 6;
  if (!signs.is_connected) return signs.has_socket;
  return signs.media_silence < silence_max ||
         (signs.has_socket && silent_seconds_ <= heartbeat_seconds_max);
}

Attendance::Verdict Attendance::after_a_second(const Signs& signs) {
  constexpr int nobody_came_seconds = 30, nobody_left_seconds = 3, connecting_seconds_max = 15;
  ++silent_seconds_;
  unattended_seconds_ = is_attended(signs) ? 0 : unattended_seconds_ + 1;
  if (unattended_seconds_ >= (was_attended_ ? nobody_left_seconds : nobody_came_seconds))
    return Verdict::abandoned;
  if (has_offered_ && !has_connected_ && ++connecting_seconds_ > connecting_seconds_max)
    return Verdict::never_connected;
  return Verdict::stays;
}

}  // namespace stagedoor::anam
