// Live sessions of this process.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <mutex>
#include <string>

#include "rules/live_session.h"

namespace stagedoor::store {

// Safe for concurrent use; must outlive every Place that it gave.
class MemoryLiveSessions : public rules::LiveSessions {
 public:
  base::Result<rules::Place> enter(std::string_view app_id, int sessions_max) override;
  std::size_t count() const override;
  rules::Place announce(rules::LiveSession session, End end) override;
  std::size_t end_where(const std::function<bool(const rules::LiveSession&)>& is_meant,
                        rules::SessionEnd why) override;

 private:
  struct Known {
    rules::LiveSession session;
    End end;
  };
  mutable std::mutex mutex_;
  std::map<std::string, int, std::less<>> by_app_;
  std::size_t count_ = 0;
  std::map<std::string, Known> known_;
};

}  // namespace stagedoor::store
