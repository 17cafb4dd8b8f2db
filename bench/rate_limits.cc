// What one call costs the table of rate limits, by how many callers there are and how many threads
// call: `rate_limits [CALLS]`. One JSON object a line; nanoseconds are of the threads' own work.
//
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "crypto/random.h"
#include "store/memory_rate_limits.h"
#include "thread_time.h"

namespace {

using namespace stagedoor;

constexpr std::size_t table_callers = 1'000'000;

// Caller by caller in an order that no cache can guess, as keys with a network: 24 bytes.
void call(store::MemoryRateLimits& limits, std::uint64_t seed, std::uint64_t callers,
          std::uint64_t calls) {
  const rules::RateLimit limit{10, std::chrono::minutes(1), 20};
  const base::SystemClock clock;
  char who[24] = {};
  for (std::uint64_t i = 0; i < calls; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const std::uint64_t id = (seed >> 33) % callers;
    std::memcpy(who, &id, sizeof id);
    limits.take(rules::RateKind::api_key, {who, sizeof who}, limit, clock.now());
  }
}

void measure(std::uint64_t callers, unsigned threads, std::uint64_t calls) {
  crypto::SystemRandom random;
  store::MemoryRateLimits limits({.callers_max = table_callers, .strangers_max = 1}, random);
  call(limits, 1, callers, 3 * callers);
  for (int second = 0; second < 20; ++second) limits.tend();  // as the server does every second
  std::vector<double> seconds(threads);
  {
    std::vector<std::jthread> crowd;
    for (unsigned i = 0; i < threads; ++i)
      crowd.emplace_back([&, i] {
        const auto began = bench::thread_seconds();
        call(limits, 77 + i, callers, calls);
        seconds[i] = bench::thread_seconds() - began;
      });
  }
  const auto all = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  fmt::print(
      "{{\"callers\":{},\"threads\":{},\"nanos\":{:.1f},\"table_bytes\":{},\"without_place\":{}}}"
      "\n",
      callers, threads, all * 1e9 / static_cast<double>(threads * calls), limits.bytes(),
      limits.overflow_uses());
}

}  // namespace

int main(int count, char** words) {
  const auto calls = count > 1 ? std::stoull(words[1]) : 5'000'000;
  for (const std::uint64_t callers : {1'000u, 100'000u, 1'000'000u})
    for (const unsigned threads : {1u, 2u}) measure(callers, threads, calls);
}
