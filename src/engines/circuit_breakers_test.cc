#include "engines/circuit_breakers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "engines/events_for_test.h"
#include "engines/web_calls.h"
#include "engines/web_chat.h"
#include "engines/web_server_for_test.h"
#include "stage/fallback_chat.h"
#include "stage/scripted_chat.h"

namespace stagedoor::engines {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view url = "https://user:word@llm.example:8443/v1/chat?key=a";

class CircuitBreakersTest : public testing::Test {
 protected:
  bool is_asked(std::string_view address = url, std::string_view key = "k") {
    return breakers.enter(address, key).has_value();
  }
  void fail(int times, std::string_view address = url) {
    for (int i = 0; i < times; ++i) breakers.enter(address, "k")->failed();
  }

  base::ManualClock clock{base::from_unix_seconds(1'795'000'000)};
  std::vector<std::string> told;
  CircuitBreakers breakers{
      {.endpoints_max = 4}, clock, [this](CircuitBreakers::Change change, std::string_view host) {
        const bool is_open = change == CircuitBreakers::Change::opened;
        told.push_back((is_open ? "opened " : "closed ") + std::string(host));
      }};
};

// Rule engine-circuit-breaker.
TEST_F(CircuitBreakersTest, AnEndpointThatFailsThreeTimesInARowIsPassedOverForHalfAMinute) {
  fail(2);
  EXPECT_TRUE(is_asked());
  breakers.enter(url, "k")->succeeded();
  fail(2);
  EXPECT_TRUE(is_asked()) << "they were not in a row";
  fail(1);
  EXPECT_FALSE(is_asked());
  EXPECT_TRUE(is_asked("https://other.example/v1/chat"));
  EXPECT_TRUE(is_asked(url, "another key"));
  EXPECT_THAT(told, ElementsAre("opened llm.example:8443"));
  clock.advance(29'999ms);
  EXPECT_FALSE(is_asked());
  clock.advance(1ms);
  EXPECT_TRUE(is_asked());
  EXPECT_EQ(breakers.counts().opened, 1u);
  EXPECT_EQ(breakers.counts().passed_over, 2u);
}

// Rule engine-circuit-breaker.
TEST_F(CircuitBreakersTest, ThenOneCallTriesItAndItsVerdictCounts) {
  fail(3);
  clock.advance(30s);
  {
    auto trial = breakers.enter(url, "k");
    ASSERT_TRUE(trial);
    EXPECT_FALSE(is_asked()) << "one is enough";
    trial->failed();
  }
  EXPECT_FALSE(is_asked());
  clock.advance(30s);
  EXPECT_TRUE(is_asked()) << "and was given back without a verdict";
  breakers.enter(url, "k")->succeeded();
  EXPECT_TRUE(is_asked());
  EXPECT_THAT(told, ElementsAre("opened llm.example:8443", "closed llm.example:8443"));
  EXPECT_EQ(breakers.counts().watched, 0u);
}

TEST_F(CircuitBreakersTest, ACallFromBeforeThatFailsLateDoesNotPutOffTheTrial) {
  auto late = breakers.enter(url, "k");
  fail(3);
  clock.advance(20s);
  late->failed();
  clock.advance(10s);
  EXPECT_TRUE(is_asked());
}

TEST_F(CircuitBreakersTest, AClockThatIsSetBackKeepsNothingClosedForLonger) {
  fail(3);
  clock.advance(-1h);
  EXPECT_FALSE(is_asked());
  clock.advance(30s);
  EXPECT_TRUE(is_asked());
}

// Rule engine-circuit-breaker.
TEST_F(CircuitBreakersTest, EndpointsThatAreWatchedAreBounded) {
  fail(3);
  for (int i = 0; i < 50; ++i) {
    clock.advance(1ms);
    fail(1, "https://" + std::to_string(i) + ".example/");
  }
  EXPECT_EQ(breakers.counts().watched, 4u);
  EXPECT_TRUE(is_asked()) << "it failed longest ago";
}

TEST_F(CircuitBreakersTest, ManyThreadsTryItOnce) {
  fail(3);
  clock.advance(30s);
  std::atomic<int> tries = 0;
  std::atomic<bool> is_over = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      auto pass = breakers.enter(url, "k");
      tries += pass ? 1 : 0;
      while (!is_over) std::this_thread::yield();
    });
  while (breakers.counts().passed_over < 7 && tries < 2) std::this_thread::yield();
  is_over = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(tries, 1);
}

// What a persona says, with a web chat that has a scripted partner behind it.
class PassedOver : public CircuitBreakersTest {
 protected:
  std::vector<stage::ChatEvent> ask(const std::string& address) {
    WebChat::Options options;
    options.url = address;
    options.private_addresses = PrivateAddresses::allowed;
    options.silence_timeout = 5s;
    stage::FallbackChat chat(std::make_shared<WebChat>(std::move(options), calls),
                             std::make_shared<stage::ScriptedChat>());
    const auto events = std::make_shared<Events<stage::ChatEvent>>();
    const auto job =
        chat.answer({}, [events](stage::ChatEvent event) { events->add(std::move(event)); });
    return events->wait_for([](const auto& seen) {
      return !seen.empty() && (std::holds_alternative<stage::ChatEnd>(seen.back()) ||
                               std::holds_alternative<base::Error>(seen.back()));
    });
  }
  static bool is_stand_in(const std::vector<stage::ChatEvent>& events) {
    return !events.empty() && std::holds_alternative<stage::ChatStandIn>(events[0]);
  }

  WebCalls calls{{.breakers = &breakers}};
};

// Rule engine-circuit-breaker.
TEST_F(PassedOver, AModelThatIsDownIsAskedThreeTimesAndThenItsStandInSpeaksAtOnce) {
  std::atomic<bool> is_well = false;
  WebServer server([&](const WebServer::Request&, const auto& send) {
    send(is_well ? ok_head("text/event-stream") +
                       "data: {\"choices\":[{\"delta\":{\"content\":\"Well.\"}}]}\n\n"
                       "data: [DONE]\n\n"
                 : "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nbusy");
  });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(is_stand_in(ask(server.url())));
  EXPECT_EQ(server.requests().size(), 3u);
  EXPECT_EQ(breakers.counts().passed_over, 2u);
  clock.advance(30s);
  EXPECT_TRUE(is_stand_in(ask(server.url()))) << "still down";
  EXPECT_TRUE(is_stand_in(ask(server.url())));
  EXPECT_EQ(server.requests().size(), 4u);
  is_well = true;
  clock.advance(30s);
  EXPECT_FALSE(is_stand_in(ask(server.url())));
  while (breakers.counts().watched > 0) std::this_thread::yield();  // judged after its last word
  EXPECT_FALSE(is_stand_in(ask(server.url())));
  EXPECT_EQ(server.requests().size(), 6u);
  EXPECT_EQ(told.size(), 2u);
}

// Rule engine-circuit-breaker.
TEST_F(PassedOver, WhoeverRefusesIsAliveAndWhoeverCannotBeReachedIsNot) {
  WebServer server([&](const WebServer::Request&, const auto& send) {
    send("HTTP/1.1 401 No\r\nConnection: close\r\n\r\n");
  });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(is_stand_in(ask(server.url())));
  EXPECT_EQ(server.requests().size(), 5u);
  EXPECT_THAT(told, IsEmpty());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(is_stand_in(ask("http://127.0.0.1:1/")));
  EXPECT_THAT(told, ElementsAre("opened 127.0.0.1:1"));
  EXPECT_EQ(breakers.counts().passed_over, 2u);
}

}  // namespace
}  // namespace stagedoor::engines
