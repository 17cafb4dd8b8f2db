// How long this thread has worked: what others do on its core meanwhile is not counted.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <time.h>

namespace stagedoor::bench {

inline double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace stagedoor::bench
