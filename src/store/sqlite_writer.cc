#include "store/sqlite_writer.h"

#include <chrono>
#include <future>
#include <iterator>

namespace stagedoor::store {
namespace {

std::int64_t steady_millis() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

SqliteWriter::SqliteWriter(SqliteDatabase database) : database_(std::move(database)) {
  // What a savepoint copies is small and short-lived.
  (void)database_.execute("PRAGMA temp_store=MEMORY");
  // A large group fits, instead of being written to the log before its end and read again.
  (void)database_.execute("PRAGMA cache_size=-8192");
  // Moving the log into the database waits for the disk twice while all writes wait. Four times as
  // rare as SQLite would do it, at 16 MB of log, it also moves a page once that changed often.
  (void)database_.execute("PRAGMA wal_autocheckpoint=4096");
}

SqliteWriter::~SqliteWriter() {
  stop();
}

void SqliteWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void SqliteWriter::on_change(Listener listener) {
  listeners_.push_back(std::move(listener));
}

base::Result<base::Done> SqliteWriter::prepare() {
  auto begin = database_.prepare("BEGIN IMMEDIATE");
  auto commit = database_.prepare("COMMIT");
  auto savepoint = database_.prepare("SAVEPOINT job");
  auto undo = database_.prepare("ROLLBACK TO job");
  auto release = database_.prepare("RELEASE job");
  auto version = database_.prepare("PRAGMA data_version");
  if (!begin || !commit || !savepoint || !undo || !release || !version)
    return database_.trouble("prepare to write");
  statements_.emplace(*std::move(begin), *std::move(commit), *std::move(savepoint),
                      *std::move(undo), *std::move(release), *std::move(version));
  return base::Done{};
}

base::Result<base::Done> SqliteWriter::start() {
  if (auto ready = prepare(); !ready) return ready;
  notice_foreign_changes();
  if (listeners_lag_)
    return base::fail(base::ErrorCode::unavailable, "the database could not be read");
  thread_ = std::thread([this] { loop(); });
  return base::Done{};
}

bool SqliteWriter::submit(Job job) {
  bool was_empty;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= jobs_waiting_max || stopping_) return false;
    was_empty = waiting_.empty();
    waiting_.push_back(std::move(job));
  }
  if (was_empty) wake_.notify_one();
  return true;
}

base::Result<base::Done> SqliteWriter::run(Work work, Tells tells) {
  std::promise<base::Result<base::Done>> promise;
  const auto done = [&](base::Result<base::Done> outcome) {
    promise.set_value(std::move(outcome));
  };
  const bool taken =
      submit({.work = std::move(work), .done = done, .changes_catalog = tells == Tells::listeners});
  if (!taken) return base::fail(base::ErrorCode::unavailable, "too many writes wait");
  return promise.get_future().get();
}

void SqliteWriter::loop() {
  std::vector<Job> group;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait_for(lock, std::chrono::milliseconds(40),
                   [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      if (stopping_) return;
      lock.unlock();
      notice_foreign_changes();
      lock.lock();
      continue;
    }
    const auto count = std::min(waiting_.size(), jobs_in_group_max);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    group.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    lock.unlock();
    commit_group(group);
    notice_foreign_changes();
    group.clear();
    lock.lock();
  }
}

void SqliteWriter::commit_group(std::vector<Job>& group) {
  commit_began_ = steady_millis();
  Outcomes outcomes;
  bool is_durable = statements_->begin.run();
  if (is_durable) {
    outcomes = work_on(group);
    is_durable = database_.is_in_transaction() && write_gathered() && statements_->commit.run();
    if (database_.is_in_transaction()) (void)database_.execute("ROLLBACK");
    for (auto* gatherer : gatherers_) gatherer->clear();
  }
  last_commit_failed_ = !is_durable;
  commit_began_ = 0;
  outcomes.resize(group.size());
  bool catalog_changed = false;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (outcomes[i] && !is_durable)
      outcomes[i] = base::fail(base::ErrorCode::unavailable, "the database could not be written");
    catalog_changed = catalog_changed || (outcomes[i] && group[i].changes_catalog);
  }
  if (catalog_changed) listeners_lag_ = !tell_listeners();
  for (std::size_t i = 0; i < group.size(); ++i) group[i].done(std::move(outcomes[i]));
}

SqliteWriter::Outcomes SqliteWriter::work_on(std::span<Job> group) {
  Outcomes outcomes;
  outcomes.reserve(group.size());
  // A full disk may end the transaction by itself; what came after would stand alone.
  while (!group.empty() && database_.is_in_transaction()) {
    std::size_t count = 1;
    while (group[0].may_repeat && count < group.size() && group[count].may_repeat) ++count;
    work_together(group.first(count), outcomes);
    group = group.subspan(count);
  }
  return outcomes;
}

void SqliteWriter::work_together(std::span<Job> jobs, Outcomes& outcomes) {
  const auto before = outcomes.size();
  if (work_in_savepoint(jobs, outcomes) || jobs.size() == 1) return;
  outcomes.resize(before);
  for (auto& job : jobs)
    if (database_.is_in_transaction()) (void)work_in_savepoint({&job, 1}, outcomes);
}

// Whether all went well; otherwise nothing of it stands.
bool SqliteWriter::work_in_savepoint(std::span<Job> jobs, Outcomes& outcomes) {
  if (!statements_->savepoint.run()) {
    outcomes.push_back(database_.trouble("begin a job"));
    return false;
  }
  for (auto* gatherer : gatherers_) gatherer->mark();
  bool is_well = true;
  for (auto& job : jobs) {
    if (!is_well) break;
    outcomes.push_back(job.work(database_));
    is_well = outcomes.back().has_value();
  }
  if (!is_well)
    for (auto* gatherer : gatherers_) gatherer->drop();
  const bool is_apart = (is_well || statements_->undo.run()) && statements_->release.run();
  // Without the savepoint nothing tells these changes from those of the others.
  if (!is_apart && database_.is_in_transaction()) (void)database_.execute("ROLLBACK");
  return is_well;
}

base::Result<base::Done> SqliteWriter::write_gathered() {
  for (auto* gatherer : gatherers_)
    if (auto written = gatherer->write(database_); !written) return written;
  return base::Done{};
}

bool SqliteWriter::tell_listeners() {
  bool all_read = true;
  for (const auto& listener : listeners_) all_read = listener(database_) && all_read;
  return all_read;
}

void SqliteWriter::notice_foreign_changes() {
  // data_version moves when another connection has committed, never for our own commits.
  std::int64_t version = data_version_;
  auto& read = statements_->data_version;
  if (read.step() == SqliteStatement::Step::row) version = read.integer(0);
  read.reset();
  if (version == data_version_ && !listeners_lag_) return;
  data_version_ = version;
  listeners_lag_ = !tell_listeners();
}

std::string_view SqliteWriter::why_not_writing() const {
  constexpr std::int64_t millis_max = 1000;
  if (last_commit_failed_) return "the database could not be written";
  const auto began = commit_began_.load();
  if (began != 0 && steady_millis() - began > millis_max)
    return "a write has waited for the database for more than a second";
  return {};
}

}  // namespace stagedoor::store
