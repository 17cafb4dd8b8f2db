// Events for whoever reads the log.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "base/log.h"
#include "rules/event.h"

namespace stagedoor::server {

// Safe for concurrent use.
class LogEvents : public rules::EventSink {
 public:
  explicit LogEvents(base::Log& log) : log_(log) {}
  void send(const rules::Event& event) override {
    log_.write(base::LogLevel::info, "event",
               {{"type", rules::name_of(event)}, {"body", rules::json_of(event)}});
  }

 private:
  base::Log& log_;
};

}  // namespace stagedoor::server
