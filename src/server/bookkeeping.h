// The audit log, usage and the ledger of a server that serves: their doors, and what is done every
// second and nobody waits for. That hands what was noted of refusals and of key use to the writer,
// and now and then writes a checkpoint of the audit log into the JSON log.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "api/audit.h"
#include "api/sessions.h"
#include "api/usage.h"
#include "base/log.h"
#include "front/guard.h"
#include "http/router.h"
#include "server/workspace.h"
#include "store/sqlite_usage.h"

namespace stagedoor::server {

class Bookkeeping {
 public:
  Bookkeeping(Workspace& workspace, base::Log& log);
  // `close` must have been called.
  ~Bookkeeping() = default;
  Bookkeeping(const Bookkeeping&) = delete;
  Bookkeeping& operator=(const Bookkeeping&) = delete;

  // `shared`: for paths that a dialect's clients ask as well.
  void add_to(http::Router& router, const front::Guard& guard, const front::Guard& shared) const {
    audit_.add_to(router, guard);
    usage_.add_to(router, guard);
    sessions_.add_to(router, shared);
  }
  // Hands over the rest, stops the writer and writes the last checkpoint.
  void close();

 private:
  // So many entries are between two checkpoints.
  static constexpr std::int64_t entries_between = 1000;
  static constexpr int seconds_between_usage = 5;
  static constexpr int seconds_between_forgettings = 30;

  void run();
  void write_checkpoint(std::int64_t entries_least);

  Workspace& workspace_;
  base::Log& log_;
  api::Audit audit_;
  store::SqliteUsage usage_report_;
  api::Usage usage_;
  api::Sessions sessions_;
  std::int64_t last_checkpoint_ = 0;
  bool is_broken_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace stagedoor::server
