#include "api/health.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

#include "base/json.h"

namespace stagedoor::api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::size_t my_shard(std::size_t shards) {
  static std::atomic<std::size_t> next = 0;
  thread_local const std::size_t mine = next.fetch_add(1);
  return mine % shards;
}

void add_gauge(std::vector<MetricFamily>& families, const Gauge& gauge) {
  if (families.empty() || families.back().name != gauge.name) {
    MetricFamily family;
    family.name = gauge.name;
    family.help = gauge.help;
    family.type = gauge.kind == Gauge::Kind::counter ? MetricType::Counter : MetricType::Gauge;
    families.push_back(std::move(family));
  }
  ClientMetric metric;
  for (const auto& [name, value] : gauge.labels) metric.label.push_back({name, value});
  if (gauge.kind == Gauge::Kind::counter)
    metric.counter.value = gauge.read();
  else
    metric.gauge.value = gauge.read();
  families.back().metric.push_back(std::move(metric));
}

MetricFamily requests_family(const std::vector<RequestCounts::Row>& rows) {
  MetricFamily family;
  family.name = "stagedoor_http_requests_total";
  family.help = "Finished HTTP requests by route and status class.";
  family.type = MetricType::Counter;
  for (const auto& row : rows) {
    for (std::size_t status = 1; status < row.by_class.size(); ++status) {
      if (row.by_class[status] == 0) continue;
      ClientMetric metric;
      metric.label = {{"route", row.route}, {"status", std::to_string(status) + "xx"}};
      metric.counter.value = static_cast<double>(row.by_class[status]);
      family.metric.push_back(std::move(metric));
    }
  }
  return family;
}

MetricFamily durations_family(const std::vector<RequestCounts::Row>& rows) {
  MetricFamily family;
  family.name = "stagedoor_http_request_seconds";
  family.help = "From the end of a request's head to the end of its answer, in seconds.";
  family.type = MetricType::Histogram;
  for (const auto& row : rows) {
    ClientMetric metric;
    metric.label = {{"route", row.route}};
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < row.by_duration.size(); ++i) {
      total += row.by_duration[i];
      ClientMetric::Bucket bucket;
      bucket.cumulative_count = total;
      bucket.upper_bound = i < RequestCounts::bounds_seconds.size()
                               ? RequestCounts::bounds_seconds[i]
                               : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back(bucket);
    }
    if (total == 0) continue;
    metric.histogram.sample_count = total;
    metric.histogram.sample_sum = row.seconds;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

}  // namespace

RequestCounts::RequestCounts() {
  add_route("(none)");
}

void RequestCounts::add_route(std::string pattern) {
  if (by_pattern_.contains(pattern)) return;
  routes_.push_back(std::make_unique<Route>());
  routes_.back()->pattern = std::move(pattern);
  by_pattern_.emplace(routes_.back()->pattern, routes_.back().get());
}

void RequestCounts::count(const http::RequestRecord& record) {
  const auto known = by_pattern_.find(record.route);
  auto* route = known == by_pattern_.end() ? routes_.front().get() : known->second;
  auto& counts = route->shards[my_shard(shard_count)];
  const auto status = static_cast<std::size_t>(std::clamp(record.status / 100, 1, 5));
  counts.by_class[status].fetch_add(1, std::memory_order_relaxed);
  const auto nanoseconds =
      static_cast<std::uint64_t>(std::max<std::int64_t>(record.took.count(), 0));
  const auto seconds = static_cast<double>(nanoseconds) * 1e-9;
  const auto bucket = std::ranges::lower_bound(bounds_seconds, seconds) - bounds_seconds.begin();
  counts.by_duration[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  counts.nanoseconds.fetch_add(nanoseconds, std::memory_order_relaxed);
}

std::vector<RequestCounts::Row> RequestCounts::rows() const {
  std::vector<Row> rows;
  for (const auto& route : routes_) {
    Row row{.route = route->pattern, .by_class = {}, .by_duration = {}, .seconds = 0};
    for (const auto& shard : route->shards) {
      for (std::size_t i = 0; i < row.by_class.size(); ++i)
        row.by_class[i] += shard.by_class[i].load(std::memory_order_relaxed);
      for (std::size_t i = 0; i < row.by_duration.size(); ++i)
        row.by_duration[i] += shard.by_duration[i].load(std::memory_order_relaxed);
      row.seconds += static_cast<double>(shard.nanoseconds.load(std::memory_order_relaxed)) * 1e-9;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void Health::alive(const http::Request&, http::Response& response) const {
  auto& body = response.start(200, "application/json");
  body += R"({"status":"alive","region":)";
  base::append_json_string(body, parts_.region);
  body += R"(,"version":)";
  base::append_json_string(body, parts_.version);
  body += '}';
}

void Health::ready(const http::Request&, http::Response& response) const {
  const auto why_not = parts_.why_not_ready();
  if (why_not.empty()) {
    response.start(200, "application/json") = R"({"status":"ready"})";
    return;
  }
  auto& body = response.start(503, "application/json");
  body += R"({"status":"not ready","why":)";
  base::append_json_string(body, why_not);
  body += '}';
}

void Health::metrics(const http::Request&, http::Response& response) const {
  const auto rows = parts_.requests.rows();
  std::vector<MetricFamily> families;
  for (const auto& gauge : parts_.gauges) add_gauge(families, gauge);
  families.push_back(requests_family(rows));
  families.push_back(durations_family(rows));
  response.start(200, "text/plain; version=0.0.4; charset=utf-8") =
      prometheus::TextSerializer().Serialize(families);
}

}  // namespace stagedoor::api
