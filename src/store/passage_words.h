// The words of documents' passages, by which a search finds them: FTS5's index `passage_words`.
//
// Rule knowledge-words-forgotten: with a document go its words. FTS5 only notes that they are gone,
// and drops them when it next merges what it has; so after a removal all is merged, in small steps
// between other writes. A server that dies meanwhile leaves the rest to the next removal.
//
// Used by: store/sqlite_knowledge.h, store/sqlite_catalog_items.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "store/sqlite_database.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class PassageWords {
 public:
  explicit PassageWords(SqliteWriter& writer);

  // Takes the words of passages out of the search; before the passages go. Inside a writer's job.
  enum class Of : unsigned char { document, group };
  static base::Result<base::Done> forget(SqliteDatabase& database, Of of, std::string_view id);

  // After that job: drops what was forgotten, soon. Does not wait.
  void purge();
  // Whether nothing is left to drop.
  bool is_purged() const;

 private:
  struct State;
  static void step(const std::shared_ptr<State>& state, std::int64_t pages);
  static void finish_step(const std::shared_ptr<State>& state, bool was_progress);

  std::shared_ptr<State> state_;  // shared with the jobs that wait at the writer
};

}  // namespace stagedoor::store
