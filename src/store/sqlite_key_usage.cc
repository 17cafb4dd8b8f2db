#include "store/sqlite_key_usage.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <string>

namespace stagedoor::store {
namespace {

using rules::KeyCounts;
using Step = SqliteStatement::Step;

// A few milliseconds of writing.
constexpr std::size_t keys_in_part_max = 300;
constexpr std::string_view other_networks = "other";

// One part's statements.
class UsageRows {
 public:
  explicit UsageRows(SqliteDatabase& database)
      : database_(database),
        use_(database.prepare(
            "INSERT INTO api_key_uses (api_key_id, last_at, last_peer, count) VALUES (?1, ?2, ?3, "
            "?4) ON CONFLICT (api_key_id) DO UPDATE SET count = count + excluded.count, last_peer "
            "= iif(excluded.last_at >= last_at, excluded.last_peer, last_peer), last_at = "
            "max(last_at, excluded.last_at)")),
        hour_(database.prepare(
            "INSERT INTO api_key_hours (hour, api_key_id, calls, refusals) VALUES (?1, ?2, ?3, ?4) "
            "ON CONFLICT (hour, api_key_id) DO UPDATE SET calls = calls + excluded.calls, refusals "
            "= refusals + excluded.refusals")),
        known_(database.prepare(
            "UPDATE api_key_networks SET count = count + ?5, first_at = min(first_at, ?3), last_at "
            "= max(last_at, ?4) WHERE api_key_id = ?1 AND peer = ?2")),
        room_(database.prepare("SELECT count(*) FROM api_key_networks WHERE api_key_id = ?1")),
        fresh_(database.prepare(
            "INSERT INTO api_key_networks (api_key_id, peer, first_at, last_at, count) VALUES (?1, "
            "?2, ?3, ?4, ?5) ON CONFLICT (api_key_id, peer) DO UPDATE SET count = count + "
            "excluded.count, first_at = min(first_at, excluded.first_at), last_at = max(last_at, "
            "excluded.last_at)")) {}

  bool write(std::uint64_t id, const KeyCounts& counts) {
    if (!use_ || !hour_ || !known_ || !room_ || !fresh_) return false;
    const auto key = static_cast<std::int64_t>(id);
    bool is_well = use_->bind(1, key)
                       .bind(2, base::unix_millis(counts.last_at))
                       .bind(3, base::text_of(counts.last_client))
                       .bind(4, counts.calls)
                       .run();
    for (const auto& hour : counts.hours)
      is_well =
          is_well &&
          hour_->bind(1, hour.hour).bind(2, key).bind(3, hour.calls).bind(4, hour.refusals).run();
    for (const auto& network : counts.networks) is_well = is_well && write(key, network);
    return is_well;
  }

 private:
  bool write(std::int64_t key, const KeyCounts::Network& network) {
    const bool is_other = network.party == base::Address{};
    std::string peer(other_networks);
    if (!is_other) peer = base::text_of(network.party);
    if (!bind(*known_, key, peer, network).run()) return false;
    if (database_.changes() > 0) return true;
    if (!is_other && !has_room(key)) peer = other_networks;
    return bind(*fresh_, key, peer, network).run();
  }
  static SqliteStatement& bind(SqliteStatement& statement, std::int64_t key,
                               const std::string& peer, const KeyCounts::Network& network) {
    return statement.bind(1, key)
        .bind(2, peer)
        .bind(3, base::unix_millis(network.first_at))
        .bind(4, base::unix_millis(network.last_at))
        .bind(5, network.calls);
  }
  bool has_room(std::int64_t key) {
    room_->bind(1, key);
    const bool has = room_->step() == Step::row &&
                     room_->integer(0) < static_cast<std::int64_t>(rules::networks_per_key_max);
    room_->reset();
    return has;
  }

  SqliteDatabase& database_;
  base::Result<SqliteStatement> use_, hour_, known_, room_, fresh_;
};

}  // namespace

SqliteKeyUsage::Shard& SqliteKeyUsage::shard_of_thread() {
  static std::atomic<unsigned> next = 0;
  thread_local const unsigned mine = next++;
  return shards_[mine % shards_.size()];
}

void SqliteKeyUsage::count(std::uint64_t api_key_id, const base::Address& client,
                           rules::CallOutcome outcome, base::Instant now) {
  auto& shard = shard_of_thread();
  const std::lock_guard lock(shard.mutex);
  shard.counts[api_key_id].add(client, outcome, now);
}

void SqliteKeyUsage::gather() {
  for (auto& shard : shards_) {
    Counts counts;
    {
      const std::lock_guard lock(shard.mutex);
      counts.swap(shard.counts);
    }
    for (const auto& [id, of_key] : counts) pending_[id].add(of_key);
  }
}

void SqliteKeyUsage::flush() {
  {
    const std::lock_guard lock(mutex_);
    if (std::chrono::steady_clock::now() < rests_until_) return;
  }
  write_pending();
}

void SqliteKeyUsage::write_pending() {
  {
    const std::lock_guard lock(mutex_);
    if (is_writing_) return;
    began_ = std::chrono::steady_clock::now();
    gather();
    if (pending_.empty()) return;
    under_way_.assign(std::make_move_iterator(pending_.begin()),
                      std::make_move_iterator(pending_.end()));
    pending_.clear();
    // In the order of the tables, so that a part changes few of their pages.
    std::ranges::sort(under_way_, {}, &std::pair<std::uint64_t, KeyCounts>::first);
    written_count_ = 0;
    is_writing_ = true;
  }
  submit_part();
}

void SqliteKeyUsage::submit_part() {
  const bool taken = writer_.submit(
      {.work = [this](SqliteDatabase& database) { return write_part(database); },
       .done = [this](const base::Result<base::Done>& kept) { end_part(kept.has_value()); }});
  if (!taken) end_part(false);
}

base::Result<base::Done> SqliteKeyUsage::write_part(SqliteDatabase& database) const {
  const auto end = std::min(written_count_ + keys_in_part_max, under_way_.size());
  UsageRows rows(database);
  for (auto at = written_count_; at < end; ++at)
    if (!rows.write(under_way_[at].first, under_way_[at].second))
      return database.trouble("count calls");
  return base::Done{};
}

void SqliteKeyUsage::end_part(bool is_kept) {
  if (is_kept) written_count_ = std::min(written_count_ + keys_in_part_max, under_way_.size());
  if (is_kept && written_count_ < under_way_.size()) return submit_part();
  const std::lock_guard lock(mutex_);
  for (auto at = written_count_; at < under_way_.size(); ++at)
    pending_[under_way_[at].first].add(under_way_[at].second);
  under_way_.clear();
  is_writing_ = false;
  const auto now = std::chrono::steady_clock::now();
  rests_until_ = now + std::min<std::chrono::steady_clock::duration>(
                           (now - began_) * rest_per_writing, rest_max);
  written_.notify_all();
}

void SqliteKeyUsage::finish() {
  const auto wait = [this] {
    std::unique_lock lock(mutex_);
    written_.wait(lock, [this] { return !is_writing_; });
  };
  wait();
  write_pending();
  wait();
}

std::optional<rules::KeyUse> SqliteKeyUsage::last_use(std::uint64_t api_key_id) const {
  // What is being written is neither here nor there; no other writing begins under the lock.
  std::unique_lock lock(mutex_);
  written_.wait(lock, [this] { return !is_writing_; });
  rules::KeyUse use;
  (void)readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto read = database.prepare(
        "SELECT last_at, last_peer, count FROM api_key_uses WHERE api_key_id = ?1");
    if (!read) return base::fail(read.error());
    read->bind(1, static_cast<std::int64_t>(api_key_id));
    if (read->step() != Step::row) return base::Done{};
    use.last_at = base::Instant(std::chrono::milliseconds(read->integer(0)));
    use.last_peer = read->text(1);
    use.count = read->integer(2);
    return base::Done{};
  });
  KeyCounts here;
  if (const auto found = pending_.find(api_key_id); found != pending_.end())
    here.add(found->second);
  for (const auto& shard : shards_) {
    const std::lock_guard shard_lock(shard.mutex);
    if (const auto found = shard.counts.find(api_key_id); found != shard.counts.end())
      here.add(found->second);
  }
  if (here.calls > 0 && here.last_at >= use.last_at) {
    use.last_at = here.last_at;
    use.last_peer = base::text_of(here.last_client);
  }
  use.count += here.calls;
  if (use.count == 0) return std::nullopt;
  return use;
}

}  // namespace stagedoor::store
