// SPDX-License-Identifier: Apache-2.0

#include "server/json_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/clock.h"

namespace stagedoor::server {
namespace {

struct StillClock : base::Clock {
  base::Instant now() const override { return base::from_unix_seconds(1'800'000'000); }
};

// Standard error goes to a file for as long as this lives.
class HeardErrors {
 public:
  HeardErrors() {
    const int file = ::open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
  }
  ~HeardErrors() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    std::filesystem::remove(path_);
  }
  std::ptrdiff_t lines() const {
    std::ifstream file(path_);
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  }

 private:
  const std::string path_ = testing::TempDir() + "json_log_test." + std::to_string(::getpid());
  const int before_ = ::dup(STDERR_FILENO);
};

TEST(JsonLog, WhatWasSaidLastIsWrittenWhenItIsGone) {
  const StillClock clock;
  const HeardErrors heard;
  for (int i = 1; i <= 50; ++i) {
    {
      JsonLog log(clock, base::LogLevel::info);
      log.write(base::LogLevel::info, "first", {});
      log.write(base::LogLevel::info, "last", {});
    }
    ASSERT_EQ(heard.lines(), 2 * i);
  }
}

}  // namespace
}  // namespace stagedoor::server
