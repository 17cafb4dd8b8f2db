#include "server/json_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <iterator>

#include "base/json.h"

namespace stagedoor::server {
namespace {

std::string_view name_of(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::debug:
      return "debug";
    case base::LogLevel::info:
      return "info";
    case base::LogLevel::warning:
      return "warning";
    case base::LogLevel::error:
      return "error";
  }
  return "error";
}

void append_value(std::string& out, const base::LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    base::append_json_string(out, *text);
  } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    out += std::to_string(*number);
  } else {
    fmt::format_to(std::back_inserter(out), "{:.6g}", std::get<double>(field.value));
  }
}

}  // namespace

struct JsonLog::Sink {
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(8192, 1);
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
      "stagedoor", std::make_shared<spdlog::sinks::stderr_sink_mt>(), pool,
      spdlog::async_overflow_policy::overrun_oldest);
};

JsonLog::JsonLog(const base::Clock& clock, base::LogLevel least)
    : clock_(clock), least_(least), sink_(std::make_unique<Sink>()) {
  sink_->logger->set_pattern("%v");
  sink_->logger->set_level(spdlog::level::trace);
  sink_->logger->flush_on(spdlog::level::trace);
}

JsonLog::~JsonLog() = default;

void JsonLog::write(base::LogLevel level, std::string_view event,
                    std::initializer_list<base::LogField> fields) {
  if (!writes(level)) return;
  const auto now = clock_.now();
  std::string line;
  fmt::format_to(std::back_inserter(line), "{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}.{:03}Z\"",
                 fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                 now.time_since_epoch().count() % 1000);
  line += ",\"level\":\"";
  line += name_of(level);
  line += "\",\"event\":";
  base::append_json_string(line, event);
  for (const auto& field : fields) {
    line += ',';
    base::append_json_string(line, field.name);
    line += ':';
    append_value(line, field);
  }
  line += '}';
  sink_->logger->log(spdlog::level::info, spdlog::string_view_t(line));
}

base::LogLevel log_level_of(std::string_view name) {
  if (name == "debug") return base::LogLevel::debug;
  if (name == "warning") return base::LogLevel::warning;
  if (name == "error") return base::LogLevel::error;
  return base::LogLevel::info;
}

}  // namespace stagedoor::server
