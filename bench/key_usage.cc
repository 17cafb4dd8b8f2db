// What counting one call of an API key costs the loop that serves it.
//
//   key_usage [CALLS]     default 5,000,000 a thread; prints one JSON object
//
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "store/sqlite_key_usage.h"
#include "thread_time.h"

using namespace stagedoor;

namespace {

double nanos_per_call(store::SqliteKeyUsage& usage, int threads, int calls, std::uint64_t keys) {
  const auto client = *base::parse_address("192.0.2.1");
  const auto now = base::SystemClock().now();
  std::vector<double> seconds(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> all;
    for (auto& mine : seconds)
      all.emplace_back([&] {
        const auto began = bench::thread_seconds();
        for (int call = 0; call < calls; ++call)
          usage.count(static_cast<std::uint64_t>(call) % keys, client, rules::CallOutcome::admitted,
                      now);
        mine = bench::thread_seconds() - began;
      });
  }
  return std::accumulate(seconds.begin(), seconds.end(), 0.0) * 1e9 / calls / threads;
}

}  // namespace

int main(int count, char** arguments) {
  const int calls = count > 1 ? std::atoi(arguments[1]) : 5'000'000;
  std::string folder = (std::filesystem::temp_directory_path() / "stagedoor-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  {
    auto database =
        store::SqliteDatabase::open(folder + "/a.db", store::SqliteDatabase::Mode::create);
    if (!database || !store::migrate(*database)) return 1;
    store::SqliteWriter writer(*std::move(database));
    store::SqliteReaders readers(folder + "/a.db");
    store::SqliteKeyUsage usage(writer, readers);
    if (!writer.start()) return 1;
    fmt::print("{{");
    const char* between = "";
    for (const std::uint64_t keys : {1, 100, 10'000}) {
      for (const int threads : {1, 2}) {
        fmt::print("{}\"nanos_{}_keys_{}_threads\":{:.1f}", between, keys, threads,
                   nanos_per_call(usage, threads, calls, keys));
        between = ",";
        usage.finish();
      }
    }
    fmt::print("}}\n");
    writer.stop();
  }
  std::filesystem::remove_all(folder);
}
