// GET /healthz, /readyz and /metrics: is it alive, may it have traffic, what has it done.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/listener.h"
#include "http/request.h"
#include "http/response.h"

namespace stagedoor::api {

// A number that is read when /metrics is asked. Those of one name stand together and differ in
// their labels.
struct Gauge {
  std::string name, help;
  enum class Kind { counter, gauge } kind;
  std::function<double()> read;
  std::vector<std::pair<std::string, std::string>> labels = {};
};

// Counts finished requests by route and status, on the loops, without a lock.
// Safe for concurrent use once all routes have been added.
class RequestCounts {
 public:
  RequestCounts();
  void add_route(std::string pattern);
  void count(const http::RequestRecord& record);

  struct Row {
    std::string route;
    std::array<std::uint64_t, 6> by_class;     // 1xx..5xx at 1..5
    std::array<std::uint64_t, 9> by_duration;  // each on its own, see bounds_seconds
    double seconds;
  };
  static constexpr std::array<double, 8> bounds_seconds = {0.0001, 0.0005, 0.001, 0.005,
                                                           0.025,  0.1,    0.5,   2.5};
  std::vector<Row> rows() const;

 private:
  struct Counts {
    std::array<std::atomic<std::uint64_t>, 6> by_class{};
    std::array<std::atomic<std::uint64_t>, 9> by_duration{};
    std::atomic<std::uint64_t> nanoseconds = 0;
  };
  static constexpr std::size_t shard_count = 8;
  struct Route {
    std::string pattern;
    // Each loop counts in a shard of its own, so that cores do not fight for a cache line.
    std::array<Counts, shard_count> shards;
  };
  std::vector<std::unique_ptr<Route>> routes_;  // the first takes what matched no route
  std::unordered_map<std::string_view, Route*> by_pattern_;
};

class Health {
 public:
  struct Parts {
    const RequestCounts& requests;
    std::vector<Gauge> gauges;
    // Empty: ready. Otherwise why not.
    std::function<std::string()> why_not_ready;
    std::string region, version;
  };
  explicit Health(Parts parts) : parts_(std::move(parts)) {}

  // {"status":"alive","region":...,"version":...}
  void alive(const http::Request& request, http::Response& response) const;
  void ready(const http::Request& request, http::Response& response) const;
  // Prometheus text format 0.0.4.
  void metrics(const http::Request& request, http::Response& response) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::api
