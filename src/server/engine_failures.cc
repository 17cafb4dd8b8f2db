#include "server/engine_failures.h"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace stagedoor::server {
namespace {

class Failures {
 public:
  Failures(std::string engine, base::Log& log, const base::Clock& clock)
      : engine_(std::move(engine)), log_(log), clock_(clock) {}

  void add(const base::Error& why) {
    const auto now = clock_.now();
    std::int64_t count = 0;
    {
      const std::lock_guard lock(mutex_);
      ++count_;
      if (told_at_ && now - *told_at_ < engine_failure_told_every) return;
      told_at_ = now;
      count = std::exchange(count_, 0);
    }
    log_.write(base::LogLevel::warning, "engine.failed",
               {{"engine", engine_}, {"detail", why.detail}, {"failures", count}});
  }

 private:
  const std::string engine_;
  base::Log& log_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::optional<base::Instant> told_at_;
  std::int64_t count_ = 0;
};

}  // namespace

stage::EngineFailed told_failures_of(std::string engine, base::Log& log, const base::Clock& clock) {
  auto failures = std::make_shared<Failures>(std::move(engine), log, clock);
  return [failures = std::move(failures)](const base::Error& why) { failures->add(why); };
}

engines::CircuitBreakers::Told told_breakers_of(base::Log& log) {
  return [&log](engines::CircuitBreakers::Change change, std::string_view host) {
    const bool is_open = change == engines::CircuitBreakers::Change::opened;
    log.write(is_open ? base::LogLevel::warning : base::LogLevel::info,
              is_open ? "engine.passed_over" : "engine.asked_again", {{"host", host}});
  };
}

}  // namespace stagedoor::server
