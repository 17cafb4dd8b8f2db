// The log: one JSON object a line on standard error, written by a thread of its own so that no
// event loop waits for a terminal or a disk.
//
// Rule log-holds-no-credential: a LogField can't be made from a Secret, URLs are redacted where
// they are read (http/request.h), and bodies are never logged.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace stagedoor::server {

// Safe for concurrent use. When more than 8,192 lines wait the oldest are given up; a line that
// standard error does not take within a second is given up as well, so nobody who stops reading
// the log can stop the server or its end.
class JsonLog : public base::Log {
 public:
  JsonLog(const base::Clock& clock, base::LogLevel least);
  ~JsonLog() override;
  bool writes(base::LogLevel level) const override { return level >= least_; }
  void write(base::LogLevel level, std::string_view event,
             std::initializer_list<base::LogField> fields) override;

  // Lines given up so far.
  std::uint64_t lines_lost() const;

 private:
  struct Sink;
  const base::Clock& clock_;
  base::LogLevel least_;
  std::unique_ptr<Sink> sink_;
};

base::LogLevel log_level_of(std::string_view name);

}  // namespace stagedoor::server
