// How many session tokens can be redeemed durably, and how long one waits: redemption FOLDER.
//
// In process, through the product's own store on a new database in FOLDER (which must lie on the
// disk that is meant). By turns, several rounds of
//   bare    append 256 B to a file and fdatasync it, one after the other;
//   group   the same with as many records in one append as the store had in one commit;
//   full    redemptions, each with its session in the ledger and its audit entry, with many in
//   flight, as fast as they go; half    redemptions that arrive by the clock at half of what `full`
//   reached; target  redemptions that arrive by the clock, 10,000 a second.
// Prints one JSON object per round and kind.
//
// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "crypto/random.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_redemptions.h"
#include "store/sqlite_writer.h"

namespace {

using namespace stagedoor;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int rounds = 5;
constexpr std::chrono::milliseconds round_length{1500};
constexpr std::size_t in_flight_max = 4096;
constexpr std::size_t bare_record_bytes = 256;
constexpr double target_load_per_second = 10'000;
constexpr std::chrono::microseconds pause_of_a_commit{50};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Outcome {
  double per_second = 0, commits_per_second = 0, p50_ms = 0, p99_ms = 0, max_ms = 0, cpu_us = 0;
  std::uint64_t refused = 0;
};

double at_quantile_ms(std::vector<float>& sorted_ms, double quantile) {
  if (sorted_ms.empty()) return 0;
  const auto last = static_cast<double>(sorted_ms.size() - 1);
  return static_cast<double>(sorted_ms[static_cast<std::size_t>(last * quantile)]);
}

// Redemptions in flight. Answers come on the writer's thread, those of one commit at once; so a
// pause between two answers that is longer than giving one takes is a commit.
class Load {
 public:
  explicit Load(store::SqliteRedemptions& redemptions, const base::Clock& clock)
      : redemptions_(redemptions), clock_(clock) {}

  // As fast as they go while at most `in_flight_max` are unanswered.
  Outcome full() {
    begin();
    while (Clock::now() < end_) {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [this] { return in_flight_ <= in_flight_max / 2; });
      const auto batch = in_flight_max - in_flight_;
      lock.unlock();
      for (std::size_t i = 0; i < batch; ++i) redeem(Clock::now());
    }
    return finish();
  }

  // One arrives every 1/rate seconds, whatever has become of those before; the time to the answer
  // counts from when it was due, so that a stall is told by all that it held up.
  Outcome paced(double rate) {
    begin();
    const auto began = Clock::now();
    for (std::uint64_t i = 0;; ++i) {
      const auto due = began + std::chrono::duration_cast<Clock::duration>(
                                   Seconds(static_cast<double>(i) / rate));
      if (due >= end_) break;
      if (const auto now = Clock::now(); due > now) {
        // Sleeping for less than this costs more than it waits.
        std::this_thread::sleep_for(
            std::max<Clock::duration>(due - now, std::chrono::microseconds(200)));
      }
      redeem(due);
    }
    return finish();
  }

 private:
  void begin() {
    latencies_ms_.clear();
    latencies_ms_.reserve(1u << 20);
    refused_ = 0;
    groups_ = 0;
    last_answered_ = {};
    cpu_before_ = cpu_seconds();
    began_ = Clock::now();
    end_ = began_ + round_length;
  }

  void redeem(Clock::time_point due) {
    rules::Redemption redemption;
    redemption.at = clock_.now();
    redemption.expires_at = redemption.at + std::chrono::minutes(10);
    // Tokens of one second expire together, as clients that ask for whole seconds have it.
    redemption.expires_at = base::from_unix_seconds(base::unix_seconds(redemption.expires_at));
    redemption.id = rules::new_session_token_id(random_, redemption.at);
    auto& session = redemption.session;
    session.id = rules::new_session_id(random_, redemption.at);
    session.workspace_id = "ws_01234567890123456789";
    session.app_id = "app_01234567890123456789";
    session.api_key_id = "key_0123456789abcdef";
    session.avatar_id = "7e570000-0000-4000-8000-000000000000";
    session.dialect = "spatius";
    session.peer = "127.0.0.1";
    session.began_at = redemption.at;
    redemption.request_id = "0123456789abcdef";
    {
      const std::lock_guard lock(mutex_);
      ++in_flight_;
    }
    redemptions_.redeem(redemption, [this, due](const base::Result<rules::Redeemed>& use) {
      const auto now = Clock::now();
      const std::lock_guard lock(mutex_);
      if (!use) ++refused_;
      latencies_ms_.push_back(std::chrono::duration<float, std::milli>(now - due).count());
      if (now - last_answered_ > pause_of_a_commit) ++groups_;
      last_answered_ = now;
      if (--in_flight_ == 0 || in_flight_ == in_flight_max / 2) room_.notify_one();
    });
  }

  Outcome finish() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return in_flight_ == 0; });
    const Seconds took = Clock::now() - began_;
    const auto count = static_cast<double>(latencies_ms_.size());
    std::ranges::sort(latencies_ms_);
    return {.per_second = (count - static_cast<double>(refused_)) / took.count(),
            .commits_per_second = static_cast<double>(groups_) / took.count(),
            .p50_ms = at_quantile_ms(latencies_ms_, 0.5),
            .p99_ms = at_quantile_ms(latencies_ms_, 0.99),
            .max_ms = at_quantile_ms(latencies_ms_, 1),
            .cpu_us = (cpu_seconds() - cpu_before_) / count * 1e6,
            .refused = refused_};
  }

  store::SqliteRedemptions& redemptions_;
  const base::Clock& clock_;
  crypto::SystemRandom random_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::size_t in_flight_ = 0;
  std::vector<float> latencies_ms_;
  std::uint64_t refused_ = 0, groups_ = 0;
  Clock::time_point last_answered_, began_, end_;
  double cpu_before_ = 0;
};

// Records per second of a file that is appended to and synchronised, `records` at a time.
double bare_loop(const std::string& path, std::size_t records) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return 0;
  const std::string bytes(bare_record_bytes * records, 'x');
  const auto began = Clock::now();
  std::uint64_t count = 0;
  while (Clock::now() - began < round_length / 2) {
    if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        ::fdatasync(file) != 0)
      break;
    count += records;
  }
  const Seconds took = Clock::now() - began;
  ::close(file);
  return static_cast<double>(count) / took.count();
}

void tell(std::string_view kind, const Outcome& outcome) {
  fmt::print(
      "{{\"kind\":\"{}\",\"per_second\":{:.0f},\"commits_per_second\":{:.0f},"
      "\"p50_ms\":{:.3f},\"p99_ms\":{:.3f},\"max_ms\":{:.3f},\"cpu_us\":{:.2f},"
      "\"refused\":{}}}\n",
      kind, outcome.per_second, outcome.commits_per_second, outcome.p50_ms, outcome.p99_ms,
      outcome.max_ms, outcome.cpu_us, outcome.refused);
  std::fflush(stdout);
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 2) {
    fmt::print(stderr, "redemption FOLDER\n");
    return 2;
  }
  const std::string folder = arguments[1];
  auto database =
      store::SqliteDatabase::open(folder + "/redemption.db", store::SqliteDatabase::Mode::create);
  if (!database || !store::migrate(*database)) {
    fmt::print(stderr, "redemption: no database in {}\n", folder);
    return 1;
  }
  base::SystemClock clock;
  crypto::SystemRandom random;
  auto sealer = store::open_audit_key(*database, folder + "/audit-key", random);
  if (!sealer) {
    fmt::print(stderr, "redemption: no audit key in {}\n", folder);
    return 1;
  }
  store::SqliteWriter writer(*std::move(database));
  store::SqliteAuditLog audit(writer, *std::move(sealer), clock);
  store::SqliteSessionLedger ledger(
      writer,
      [&audit](store::SqliteDatabase& open, rules::AuditEntry entry) {
        return audit.append(open, std::move(entry));
      },
      clock);
  store::SqliteRedemptions redemptions(writer, ledger, clock);
  if (!writer.start()) {
    fmt::print(stderr, "redemption: the database in {} cannot be read\n", folder);
    return 1;
  }
  Load load(redemptions, clock);
  for (int round = 0; round < rounds; ++round) {
    const auto full = load.full();
    tell("full", full);
    tell("half", load.paced(full.per_second / 2));
    tell("target", load.paced(target_load_per_second));
    tell("bare", {.per_second = bare_loop(folder + "/bare", 1)});
    const auto in_commit = full.per_second / std::max(full.commits_per_second, 1.0);
    tell("group", {.per_second = bare_loop(folder + "/bare", static_cast<std::size_t>(in_commit))});
  }
  writer.stop();
  return 0;
}
