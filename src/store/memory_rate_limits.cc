#include "store/memory_rate_limits.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <new>
#include <thread>
#include <utility>

namespace stagedoor::store {
namespace {

// At this many callers a bucket most places are taken, and nearly nobody finds both buckets full.
constexpr std::size_t callers_per_bucket = 3;
constexpr int spins_max = 64;
// MADV_COLLAPSE (madvise(2), Linux 6.1), which the C library of Debian 12 does not name; an older
// kernel refuses it, and moves the pages in its own time.
constexpr int collapse_advice = 25;

// Holds a bucket's word for as long as it lives. Held for tens of nanoseconds.
class Hold {
 public:
  explicit Hold(std::uint64_t& word) : word_(word) {
    const std::atomic_ref lock(word_);
    for (int spins = 0; lock.exchange(1, std::memory_order_acquire) != 0;) {
      while (lock.load(std::memory_order_relaxed) != 0)
        if (++spins > spins_max) std::this_thread::yield();
    }
  }
  ~Hold() { std::atomic_ref(word_).store(0, std::memory_order_release); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  std::uint64_t& word_;
};

template <std::size_t... kinds>
std::array<crypto::SipHash, sizeof...(kinds)> hashes_of(base::Random& random,
                                                        std::index_sequence<kinds...>) {
  return {((void)kinds, crypto::SipHash(random))...};
}

// Else a stranger.
bool is_known(rules::RateKind kind) {
  return kind == rules::RateKind::api_key || kind == rules::RateKind::person ||
         kind == rules::RateKind::app || kind == rules::RateKind::end_user;
}

}  // namespace

// A place is a fingerprint and the arrival time beside it; it is free where that is past.
struct alignas(128) MemoryRateLimits::Bucket {
  static constexpr std::size_t places = 7;

  std::uint64_t lock;
  std::array<std::uint64_t, places> fingerprints;
  std::array<std::int64_t, places> arrivals_nanos;
  std::int64_t overflow_nanos;  // the arrival time that is shared by who finds no place

  std::int64_t* find(std::uint64_t fingerprint, std::int64_t now_nanos) {
    // All are looked at: where the caller's place is can't be foreseen, and a branch foreseen
    // wrongly would wait for the memory before any other work is begun.
    unsigned found = 0;
    for (std::size_t i = 0; i < places; ++i) {
      const unsigned is_callers = fingerprints[i] == fingerprint;
      const unsigned is_in_use = arrivals_nanos[i] > now_nanos;
      found |= (is_callers & is_in_use) << i;
    }
    return found == 0 ? nullptr
                      : &arrivals_nanos[static_cast<std::size_t>(std::countr_zero(found))];
  }
  // null: none is free.
  std::int64_t* settle(std::uint64_t fingerprint, std::int64_t now_nanos) {
    const auto place = std::ranges::find_if(
        arrivals_nanos, [&](std::int64_t arrival) { return arrival <= now_nanos; });
    if (place == arrivals_nanos.end()) return nullptr;
    fingerprints[static_cast<std::size_t>(place - arrivals_nanos.begin())] = fingerprint;
    return &*place;
  }
};

class MemoryRateLimits::Table {
 public:
  // Memory that is zero costs nothing until it is written to.
  explicit Table(std::size_t callers_max)
      : count_(std::max<std::size_t>(callers_max / callers_per_bucket + 1, 2)) {
    void* memory = ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    buckets_ = static_cast<Bucket*>(memory);
  }
  ~Table() { ::munmap(buckets_, bytes()); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // Once nearly every page has been written to, huge ones hold no more memory, and where a caller's
  // bucket is takes less to find. Not on a loop: the kernel copies the table.
  void tend() {
    const auto pages = bytes() / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    if (tries_left_ == 0 || settled_.load(std::memory_order_relaxed) < 3 * pages) return;
    --tries_left_;
    (void)::madvise(buckets_, bytes(), MADV_HUGEPAGE);
    // It gives up at the first page that somebody else holds just then.
    if (::madvise(buckets_, bytes(), collapse_advice) == 0) tries_left_ = 0;
  }

  struct Taken {
    rules::RateStep::Taken step;
    bool is_overflow = false;
  };
  void expect(std::uint64_t hash) const {
    const auto& home = buckets_[first_of(hash)];
    __builtin_prefetch(&home.lock, 1);
    __builtin_prefetch(&home.arrivals_nanos, 1);
  }
  // After `expect` of the same hash.
  Taken take(std::uint64_t hash, const rules::RateStep& step) {
    const auto first = first_of(hash);
    auto& home = buckets_[first];
    {
      const Hold hold(home.lock);
      if (auto* arrival = home.find(hash, step.now_nanos())) return {step.take(*arrival)};
    }
    auto second = index_of(hash >> 32);
    if (second == first) second = (first + 1) % count_;
    return take_in_either(home, buckets_[second], hash, step);
  }
  std::size_t bytes() const { return count_ * sizeof(Bucket); }

 private:
  std::size_t index_of(std::uint64_t half) const { return half * count_ >> 32; }
  std::size_t first_of(std::uint64_t hash) const { return index_of(hash & 0xffffffff); }

  // Both are held, lower address first, so that a caller never gets a place in each.
  Taken take_in_either(Bucket& home, Bucket& other, std::uint64_t hash,
                       const rules::RateStep& step) {
    const auto now_nanos = step.now_nanos();
    const Hold lower(std::min(&home, &other)->lock), higher(std::max(&home, &other)->lock);
    auto* arrival = home.find(hash, now_nanos);
    if (arrival == nullptr) arrival = other.find(hash, now_nanos);
    if (arrival != nullptr) return {step.take(*arrival)};
    arrival = home.settle(hash, now_nanos);
    if (arrival == nullptr) arrival = other.settle(hash, now_nanos);
    if (arrival == nullptr) return {take_overflow(home, step), true};
    settled_.fetch_add(1, std::memory_order_relaxed);
    // It may have called before as one of the many: what they used counts as its own.
    *arrival = home.overflow_nanos;
    return {step.take(*arrival)};
  }

  // Callers with different limits share this one: none of them may move it back, or it would be
  // looser for another. Only a clock that was set back does, as far as the longest window reaches.
  rules::RateStep::Taken take_overflow(Bucket& bucket, const rules::RateStep& step) {
    const auto window = step.window_nanos();
    auto longest = longest_window_.load(std::memory_order_relaxed);
    while (longest < window && !longest_window_.compare_exchange_weak(longest, window)) {
    }
    auto& arrival = bucket.overflow_nanos;
    arrival = std::min(arrival, step.now_nanos() + std::max(longest, window));
    auto moved = arrival;
    const auto taken = step.take(moved);
    if (taken.is_allowed) arrival = moved;
    return taken;
  }

  const std::size_t count_;
  Bucket* buckets_;
  std::atomic<std::int64_t> longest_window_ = 0;
  std::atomic<std::uint64_t> settled_ = 0;  // how often a caller got a place
  int tries_left_ = 20;                     // to move to huge pages
};

MemoryRateLimits::MemoryRateLimits(Options options, base::Random& random)
    : options_(std::move(options)),
      hashes_(hashes_of(random, std::make_index_sequence<rules::rate_kind_count>())),
      callers_(std::make_unique<Table>(options_.callers_max)),
      strangers_(std::make_unique<Table>(options_.strangers_max)) {
  for (const auto kind : options_.shadow) only_watches_[static_cast<std::size_t>(kind)] = true;
}

MemoryRateLimits::~MemoryRateLimits() = default;

void MemoryRateLimits::tend() {
  callers_->tend();
  strangers_->tend();
}

rules::RateVerdict MemoryRateLimits::take(rules::RateKind kind, std::string_view who,
                                          const rules::RateLimit& limit, base::Instant now) {
  auto verdict =
      limit.is_unlimited() ? rules::unlimited_verdict(now) : take_place(kind, who, limit, now);
  verdict.kind = kind;
  const auto index = static_cast<std::size_t>(kind);
  auto& shard = my_shard();
  auto& counted = verdict.is_allowed     ? shard.allowed
                  : only_watches_[index] ? shard.shadowed
                                         : shard.refused;
  counted[index].fetch_add(1, std::memory_order_relaxed);
  if (!verdict.is_allowed && only_watches_[index]) verdict.is_allowed = verdict.is_shadow = true;
  return verdict;
}

rules::RateVerdict MemoryRateLimits::take_place(rules::RateKind kind, std::string_view who,
                                                const rules::RateLimit& limit, base::Instant now) {
  const auto hash = hashes_[static_cast<std::size_t>(kind)](who);
  auto& table = is_known(kind) ? *callers_ : *strangers_;
  table.expect(hash);
  // Worked out while the memory is on its way.
  const rules::RateStep step(limit, now);
  const auto taken = table.take(hash, step);
  if (taken.is_overflow) my_shard().overflow_uses.fetch_add(1, std::memory_order_relaxed);
  return step.verdict(taken.step);
}

MemoryRateLimits::Counts MemoryRateLimits::counts(rules::RateKind kind) const {
  const auto index = static_cast<std::size_t>(kind);
  Counts counts;
  for (const auto& shard : shards_) {
    counts.allowed += shard.allowed[index].load(std::memory_order_relaxed);
    counts.refused += shard.refused[index].load(std::memory_order_relaxed);
    counts.shadowed += shard.shadowed[index].load(std::memory_order_relaxed);
  }
  return counts;
}

std::uint64_t MemoryRateLimits::overflow_uses() const {
  std::uint64_t uses = 0;
  for (const auto& shard : shards_) uses += shard.overflow_uses.load(std::memory_order_relaxed);
  return uses;
}

std::size_t MemoryRateLimits::bytes() const {
  return callers_->bytes() + strangers_->bytes();
}

MemoryRateLimits::Shard& MemoryRateLimits::my_shard() {
  static std::atomic<std::size_t> next = 0;
  thread_local const std::size_t mine = next.fetch_add(1) % shard_count;
  return shards_[mine];
}

}  // namespace stagedoor::store
