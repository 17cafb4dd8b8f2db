// The one thread that writes: it gathers what has come meanwhile into one transaction (group
// commit), so that a thousand writes cost one wait for the disk. What a job that fails has done is
// undone, it alone: each has a savepoint of its own. A savepoint costs a copy of each page that
// changes in it, so jobs that can be done twice share one, and are done again one by one where one
// of them fails.
//
// It also notices within 50 ms what other processes have changed in the same data folder.
//
// Safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

class SqliteWriter {
 public:
  struct Job {
    // Runs inside the group's transaction, on the writer's thread. Where it fails, all that it did
    // is undone, and nothing else is.
    std::move_only_function<base::Result<base::Done>(SqliteDatabase&)> work;
    // Runs after it, on the same thread: all is well when the work is on disk; otherwise the work's
    // own error, or `unavailable` where the group was not written. Must be quick.
    std::move_only_function<void(base::Result<base::Done>)> done;
    bool changes_catalog = false;  // then the listeners read again before `done`
    // Its work does the same when it runs again after being undone.
    bool may_repeat = false;
  };
  // What is gathered in memory while a group is worked on, and written once at its end. On the
  // writer's thread.
  class Gatherer {
   public:
    virtual ~Gatherer() = default;
    // A savepoint begins, with `drop` as the way back to it.
    virtual void mark() = 0;
    virtual void drop() = 0;
    // At the group's end, inside its transaction. Where it fails nothing of the group is kept.
    virtual base::Result<base::Done> write(SqliteDatabase&) = 0;
    // The group is over, whatever became of it.
    virtual void clear() = 0;
  };
  // Reads what changed into memory; on the writer's thread. False: it could not, and is asked
  // again soon.
  using Listener = std::function<bool(SqliteDatabase&)>;

  static constexpr std::size_t jobs_waiting_max = 65536;
  static constexpr std::size_t jobs_in_group_max = 4096;

  explicit SqliteWriter(SqliteDatabase database);
  // Finishes what waits, then ends.
  ~SqliteWriter();
  SqliteWriter(const SqliteWriter&) = delete;
  SqliteWriter& operator=(const SqliteWriter&) = delete;

  // Before `start` only.
  void on_change(Listener listener);
  void gather_with(Gatherer& gatherer) { gatherers_.push_back(&gatherer); }
  // `unavailable` where the listeners can't read what is there.
  base::Result<base::Done> start();
  // Finishes what waits and takes nothing more; before the listeners go. Repeated calls do nothing.
  void stop();

  // False, and nothing happens, while too many jobs wait: the caller refuses with `unavailable`.
  [[nodiscard]] bool submit(Job job);

  // Submits and waits. Not from an event loop.
  using Work = std::function<base::Result<base::Done>(SqliteDatabase&)>;
  base::Result<base::Done> run(Work work) { return run(std::move(work), Tells::listeners); }
  // The same for work that only reads, or changes what no listener keeps: none is told.
  base::Result<base::Done> run_quietly(Work work) { return run(std::move(work), Tells::nobody); }

  // Empty while all is well; otherwise what is the matter, for whoever asks whether we are ready.
  std::string_view why_not_writing() const;

 private:
  enum class Tells : bool { nobody, listeners };
  base::Result<base::Done> run(Work work, Tells tells);
  struct Statements {
    SqliteStatement begin, commit, savepoint, undo, release, data_version;
  };
  base::Result<base::Done> prepare();
  void loop();
  void commit_group(std::vector<Job>& group);
  using Outcomes = std::vector<base::Result<base::Done>>;
  Outcomes work_on(std::span<Job> group);
  void work_together(std::span<Job> jobs, Outcomes& outcomes);
  bool work_in_savepoint(std::span<Job> jobs, Outcomes& outcomes);
  base::Result<base::Done> write_gathered();
  void notice_foreign_changes();
  bool tell_listeners();

  SqliteDatabase database_;
  std::optional<Statements> statements_;
  std::vector<Listener> listeners_;
  std::vector<Gatherer*> gatherers_;
  std::int64_t data_version_ = -1;
  bool listeners_lag_ = false;
  std::atomic<bool> last_commit_failed_ = false;
  std::atomic<std::int64_t> commit_began_ = 0;  // steady milliseconds; 0: none is under way
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace stagedoor::store
