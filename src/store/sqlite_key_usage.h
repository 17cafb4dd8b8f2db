// Counts the calls of API keys: in memory per thread, into SQLite every few seconds, in parts small
// enough that no redemption waits long behind one.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "rules/key_usage.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteKeyUsage : public rules::KeyUsage, public rules::KeyUses {
 public:
  SqliteKeyUsage(SqliteWriter& writer, SqliteReaders& readers)
      : writer_(writer), readers_(readers) {}

  void count(std::uint64_t api_key_id, const base::Address& client, rules::CallOutcome outcome,
             base::Instant now) override;
  // What is on disk and what is still counted here, together.
  std::optional<rules::KeyUse> last_use(std::uint64_t api_key_id) const override;

  // Hands what was counted to the writer, unless it still writes what came before, or has just
  // spent its share: after a flush that took so long, the next one waits `rest_per_writing` times
  // as long, at most `rest_max`. So many busy keys cost a fixed part of a core and not the calls
  // their speed. What can't be written goes with the next.
  void flush();
  static constexpr int rest_per_writing = 40;
  static constexpr std::chrono::seconds rest_max{60};
  // Returns when all that was counted before is on disk, or could not be written. Before the
  // writer stops.
  void finish();

 private:
  using Counts = boost::unordered_flat_map<std::uint64_t, rules::KeyCounts>;
  // Each thread has one, so that its lock is free.
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Counts counts;
  };
  Shard& shard_of_thread();
  void gather();
  void write_pending();
  void submit_part();
  void end_part(bool is_kept);
  base::Result<base::Done> write_part(SqliteDatabase& database) const;

  SqliteWriter& writer_;
  SqliteReaders& readers_;
  std::array<Shard, 32> shards_;
  mutable std::mutex mutex_;
  mutable std::condition_variable written_;
  Counts pending_;
  bool is_writing_ = false;
  std::chrono::steady_clock::time_point began_{}, rests_until_{};
  // While it writes, the writer's thread only.
  std::vector<std::pair<std::uint64_t, rules::KeyCounts>> under_way_;
  std::size_t written_count_ = 0;
};

}  // namespace stagedoor::store
