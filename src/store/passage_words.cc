#include "store/passage_words.h"

#include <mutex>
#include <string>

namespace stagedoor::store {
namespace {

// Of 4 KiB, written in one step.
constexpr std::int64_t pages_of_step = 64;

}  // namespace

struct PassageWords::State {
  explicit State(SqliteWriter& where) : writer(where) {}
  SqliteWriter& writer;
  std::mutex mutex;
  bool is_running = false, must_run_again = false;
};

PassageWords::PassageWords(SqliteWriter& writer) : state_(std::make_shared<State>(writer)) {}

base::Result<base::Done> PassageWords::forget(SqliteDatabase& database, Of of,
                                              std::string_view id) {
  std::string sql =
      "INSERT INTO passage_words (passage_words, rowid, group_id, content) SELECT 'delete', id, "
      "group_id, content FROM passages WHERE ";
  sql += of == Of::document ? "document_id = ?1" : "group_id = ?1";
  auto forget = database.prepare(sql);
  if (!forget || !forget->bind(1, id).run()) return database.trouble("forget a document's words");
  return base::Done{};
}

void PassageWords::purge() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->is_running) {
      state_->must_run_again = true;
      return;
    }
    state_->is_running = true;
  }
  // A negative number means all that there is, also what was merged before.
  step(state_, -pages_of_step);
}

bool PassageWords::is_purged() const {
  const std::lock_guard lock(state_->mutex);
  return !state_->is_running;
}

void PassageWords::step(const std::shared_ptr<State>& state, std::int64_t pages) {
  const auto was_progress = std::make_shared<bool>(false);
  const bool was_taken = state->writer.submit(
      {.work = [pages, was_progress](SqliteDatabase& database) -> base::Result<base::Done> {
         const auto before = database.total_changes();
         auto merge = database.prepare(
             "INSERT INTO passage_words (passage_words, rank) VALUES ('merge', ?1)");
         if (!merge || !merge->bind(1, pages).run()) return database.trouble("merge words");
         // The statement itself counts as one.
         *was_progress = database.total_changes() - before >= 2;
         return base::Done{};
       },
       .done =
           [state, was_progress](const base::Result<base::Done>& outcome) {
             finish_step(state, outcome && *was_progress);
           }});
  if (!was_taken) finish_step(state, false);
}

void PassageWords::finish_step(const std::shared_ptr<State>& state, bool was_progress) {
  if (was_progress) return step(state, pages_of_step);
  {
    const std::lock_guard lock(state->mutex);
    state->is_running = state->must_run_again;
    if (!state->must_run_again) return;
    state->must_run_again = false;
  }
  step(state, -pages_of_step);
}

}  // namespace stagedoor::store
