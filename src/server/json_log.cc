#include "server/json_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <iterator>
#include <mutex>

#include "base/json.h"
#include "base/redact.h"

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
    base::append_json_string(out, base::redacted(*text));
  } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    out += std::to_string(*number);
  } else {
    fmt::format_to(std::back_inserter(out), "{:.6g}", std::get<double>(field.value));
  }
}

// Standard error, as long as somebody takes what is written. Lines that come while others wait
// behind them go out together, as many as a pipe takes at once: so a write after a good poll does
// not wait.
class PatientSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // The pool whose thread writes: it must outlive the last line, and is not looked at after it.
  explicit PatientSink(spdlog::details::thread_pool& pool) : pool_(pool) {}
  ~PatientSink() override { write_out(); }
  std::uint64_t lines_lost() const { return lines_lost_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (lines_.size() + message.payload.size() + 1 > PIPE_BUF) write_out();
    lines_.append(message.payload.data(), message.payload.size()) += '\n';
    ++line_count_;
    if (pool_.queue_size() == 0) write_out();
  }
  void flush_() override { write_out(); }

  void write_out() {
    if (line_count_ == 0) return;
    pollfd wanted{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    // Having waited in vain once is enough until the reader is back.
    is_stuck_ = ::poll(&wanted, 1, is_stuck_ ? 0 : 1000) != 1;
    const auto size = static_cast<ssize_t>(lines_.size());
    if (is_stuck_ || ::write(STDERR_FILENO, lines_.data(), lines_.size()) != size)
      lines_lost_ += line_count_;
    lines_.clear();
    line_count_ = 0;
  }

  spdlog::details::thread_pool& pool_;
  std::string lines_;
  std::uint64_t line_count_ = 0;
  bool is_stuck_ = false;
  std::atomic<std::uint64_t> lines_lost_ = 0;
};

}  // namespace

struct JsonLog::Sink {
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(8192, 1);
  std::shared_ptr<PatientSink> out = std::make_shared<PatientSink>(*pool);
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
      "stagedoor", out, pool, spdlog::async_overflow_policy::overrun_oldest);

  // The pool's thread takes what waits and ends, and then what it gathered goes out from here. Were
  // it to let go of the pool last, it would have to wait for itself.
  ~Sink() {
    logger.reset();
    pool.reset();
  }
};

JsonLog::JsonLog(const base::Clock& clock, base::LogLevel least)
    : clock_(clock), least_(least), sink_(std::make_unique<Sink>()) {
  sink_->logger->set_level(spdlog::level::trace);
}

JsonLog::~JsonLog() = default;

std::uint64_t JsonLog::lines_lost() const {
  return sink_->out->lines_lost() + sink_->pool->overrun_counter();
}

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
