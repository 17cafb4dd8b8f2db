#include "anam/attendance.h"

#include <gtest/gtest.h>

namespace stagedoor::anam {
namespace {

using namespace std::chrono_literals;
using Verdict = Attendance::Verdict;

constexpr Attendance::Signs nobody{}, socket_alone{.has_socket = true},
    media_alone{.is_connected = true}, both{.has_socket = true, .is_connected = true},
    silent_media{.is_connected = true, .media_silence = 6s},
    silent_media_and_a_socket{.has_socket = true, .is_connected = true, .media_silence = 6s};

// How many seconds it stays while this is all there is; 100: for good.
int seconds_until(Attendance& attendance, const Attendance::Signs& signs, Verdict verdict) {
  for (int seconds = 1; seconds < 100; ++seconds) {
    const auto found = attendance.after_a_second(signs);
    if (found == Verdict::stays) continue;
    EXPECT_EQ(found, verdict);
    return seconds;
  }
  return 100;
}

Attendance attended() {
  Attendance attendance;
  attendance.attached();
  attendance.offered();
  attendance.connected();
  return attendance;
}

// Rule face-session-abandoned.
TEST(Attendance, WhoNeverComesHasHalfAMinuteAndWhoComesAgainToo) {
  Attendance attendance;
  EXPECT_EQ(seconds_until(attendance, nobody, Verdict::abandoned), 30);
  auto again = attended();
  again.after_a_second(nobody);
  again.expect();
  EXPECT_EQ(seconds_until(again, nobody, Verdict::abandoned), 30);
}

// Rule face-session-abandoned.
TEST(Attendance, WhoHasGoneIsNoticedAfterThreeSeconds) {
  auto attendance = attended();
  EXPECT_EQ(seconds_until(attendance, nobody, Verdict::abandoned), 3);
  auto silent = attended();
  EXPECT_EQ(seconds_until(silent, silent_media, Verdict::abandoned), 3);
}

// Rule face-session-abandoned.
TEST(Attendance, MediaThatFlowOrASocketThatSpeaksAreAttendanceAndASilentSocketIsNone) {
  for (const auto& signs : {media_alone, both}) {
    auto attendance = attended();
    EXPECT_EQ(seconds_until(attendance, signs, Verdict::abandoned), 100);
  }
  auto silent = attended();
  EXPECT_EQ(seconds_until(silent, silent_media_and_a_socket, Verdict::abandoned), 6 + 3);
  auto speaking = attended();
  for (int i = 0; i < 100; ++i) {
    speaking.heard();
    EXPECT_EQ(speaking.after_a_second(silent_media_and_a_socket), Verdict::stays);
  }
}

// Rule face-session-abandoned.
TEST(Attendance, WhoReconnectsInTimeStays) {
  auto attendance = attended();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(attendance.after_a_second(nobody), Verdict::stays);
    EXPECT_EQ(attendance.after_a_second(nobody), Verdict::stays);
    attendance.attached();
  }
}

// Rule face-session-abandoned.
TEST(Attendance, WhoOffersAgainAndAgainAndHasNoMediaIsEndedAfterFifteenSeconds) {
  Attendance attendance;
  attendance.attached();
  EXPECT_EQ(seconds_until(attendance, socket_alone, Verdict::abandoned), 100) << "no offer yet";
  for (int i = 0; i < 15; ++i) {
    attendance.offered();
    EXPECT_EQ(attendance.after_a_second(socket_alone), Verdict::stays);
  }
  EXPECT_EQ(attendance.after_a_second(socket_alone), Verdict::never_connected);
}

}  // namespace
}  // namespace stagedoor::anam
