#include "server/engine_failures.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stagedoor::server {
namespace {

using namespace std::chrono_literals;

class Lines : public base::Log {
 public:
  bool writes(base::LogLevel) const override { return true; }
  void write(base::LogLevel, std::string_view event,
             std::initializer_list<base::LogField> fields) override {
    auto& line = lines.emplace_back(event);
    for (const auto& field : fields) {
      line += ' ';
      if (const auto* text = std::get_if<std::string_view>(&field.value)) line += *text;
      if (const auto* number = std::get_if<std::int64_t>(&field.value))
        line += std::to_string(*number);
    }
  }
  std::vector<std::string> lines;
};

TEST(EngineFailures, AreALineInTenSecondsWithTheirNumber) {
  Lines log;
  base::ManualClock clock{base::Instant(480000h)};
  const auto failed = told_failures_of("chat", log, clock);
  for (int i = 0; i < 5; ++i) failed({base::ErrorCode::unavailable, "web chat: status 500", {}});
  EXPECT_EQ(log.lines, std::vector<std::string>{"engine.failed chat web chat: status 500 1"});
  clock.advance(10s);
  failed({base::ErrorCode::unavailable, "web chat: status 401", {}});
  ASSERT_EQ(log.lines.size(), 2u);
  EXPECT_EQ(log.lines[1], "engine.failed chat web chat: status 401 5");
}

TEST(EngineFailures, TellWhichEndpointIsPassedOverAndWhenItIsAskedAgain) {
  Lines log;
  const auto told = told_breakers_of(log);
  told(engines::CircuitBreakers::Change::opened, "llm.example");
  told(engines::CircuitBreakers::Change::closed, "llm.example");
  EXPECT_EQ(log.lines, (std::vector<std::string>{"engine.passed_over llm.example",
                                                 "engine.asked_again llm.example"}));
}

}  // namespace
}  // namespace stagedoor::server
