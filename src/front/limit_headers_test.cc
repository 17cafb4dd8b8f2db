#include "front/limit_headers.h"

#include <gtest/gtest.h>

#include <optional>

#include "http/answer.h"

namespace stagedoor::front {
namespace {

using namespace std::chrono_literals;
using rules::RateLimit;

constexpr base::Instant start{1'800'000'000s};

// The answer's head, as the caller would read it.
std::string head_of(const rules::RateVerdict& verdict) {
  http::Response response;
  tell_limit(response, verdict);
  response.start(verdict.is_allowed ? 200 : 429, "text/plain");
  std::string out;
  http::append_answer(out, response,
                      {.date = "",
                       .request_id = "",
                       .persistence = http::Persistence::keep_alive,
                       .body = http::BodySent::with_body});
  return out;
}

std::string header_of(const std::string& head, std::string_view name) {
  const auto at = head.find("\r\n" + std::string(name) + ": ");
  if (at == std::string::npos) return "none";
  const auto from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

rules::RateVerdict verdict_of(int calls, base::Instant now, const RateLimit& limit,
                              rules::RateKind kind = rules::RateKind::api_key) {
  std::int64_t arrival = 0;
  rules::RateVerdict verdict;
  for (int i = 0; i < calls; ++i) verdict = rules::take(arrival, limit, now);
  verdict.kind = kind;
  return verdict;
}

// Rule rate-limit-told.
TEST(LimitHeaders, AnAdmittedCallIsToldWhatRemainsAndWhenAllIsThereAgain) {
  const auto head = head_of(verdict_of(3, start, {10, 1min, 20}));
  EXPECT_EQ(header_of(head, "X-RateLimit-Limit"), "20");
  EXPECT_EQ(header_of(head, "X-RateLimit-Remaining"), "17");
  EXPECT_EQ(header_of(head, "X-RateLimit-Reset"), "1800000018");
  EXPECT_EQ(header_of(head, "RateLimit-Policy"), "\"api-key\";q=20;w=120");
  EXPECT_EQ(header_of(head, "RateLimit"), "\"api-key\";r=17;t=6");
  EXPECT_EQ(header_of(head, "Retry-After"), "none");
}

// Rule rate-limit-told.
TEST(LimitHeaders, ARefusedCallIsToldWhenTheNextIsAdmitted) {
  const auto head = head_of(verdict_of(11, start, {5, 1min, 10}, rules::RateKind::stranger));
  EXPECT_EQ(header_of(head, "X-RateLimit-Limit"), "10");
  EXPECT_EQ(header_of(head, "X-RateLimit-Remaining"), "0");
  EXPECT_EQ(header_of(head, "X-RateLimit-Reset"), "1800000120");
  EXPECT_EQ(header_of(head, "RateLimit-Policy"), "\"stranger\";q=10;w=120");
  EXPECT_EQ(header_of(head, "RateLimit"), "\"stranger\";r=0;t=12");
  EXPECT_EQ(header_of(head, "Retry-After"), "12");
}

TEST(LimitHeaders, TheLastCallAdmittedIsNotARefusal) {
  const auto head = head_of(verdict_of(20, start, {10, 1min, 20}));
  EXPECT_EQ(header_of(head, "RateLimit"), "\"api-key\";r=0;t=6");
  EXPECT_EQ(header_of(head, "Retry-After"), "none");
}

TEST(LimitHeaders, SecondsAreRoundedUpSoThatWhoWaitsSoLongIsAdmitted) {
  const RateLimit limit{7, 10s, 1};
  const auto head = head_of(verdict_of(2, start + 1ms, limit));
  EXPECT_EQ(header_of(head, "Retry-After"), "2");
  EXPECT_EQ(header_of(head, "X-RateLimit-Reset"), "1800000002");
  std::int64_t arrival = 0;
  rules::take(arrival, limit, start + 1ms);
  EXPECT_TRUE(rules::take(arrival, limit, start + 2s + 1ms).is_allowed);
}

TEST(LimitHeaders, WhereNoLimitHoldsNoneIsTold) {
  const auto head = head_of(verdict_of(3, start, RateLimit::unlimited()));
  EXPECT_EQ(head.find("RateLimit"), std::string::npos);
  EXPECT_EQ(head.find("Retry-After"), std::string::npos);
}

TEST(LimitHeaders, AWindowOfACenturyIsWrittenInFull) {
  const auto head = head_of(verdict_of(1, start, {1, 24h, 1'000'000'000}));
  EXPECT_EQ(header_of(head, "RateLimit-Policy"), "\"api-key\";q=1000000000;w=3150000000");
}

TEST(LimitHeaders, EachKindIsNamedByItsPolicy) {
  for (std::size_t i = 0; i < rules::rate_kind_count; ++i) {
    const auto kind = static_cast<rules::RateKind>(i);
    const auto name = "\"" + std::string(rules::name_of(kind)) + "\";";
    const auto head = head_of(verdict_of(1, start, {5, 1min, 5}, kind));
    EXPECT_TRUE(header_of(head, "RateLimit-Policy").starts_with(name));
    EXPECT_TRUE(header_of(head, "RateLimit").starts_with(name));
  }
}

// Rule rate-limit-told.
TEST(LimitHeaders, EveryRefusalByALimitSaysWhenToComeAgainAndSaysItOnce) {
  const auto told = [](base::Error error, const std::optional<rules::RateVerdict>& before = {}) {
    http::Response response;
    if (before) tell_limit(response, *before);
    tell_late_limit(response, error);
    const std::string fields(response.extra_headers());
    EXPECT_EQ(fields.find("Retry-After"), fields.rfind("Retry-After"));
    return header_of("\r\n" + fields, "Retry-After");
  };
  base::Error end_user{base::ErrorCode::rate_limited, "", ""};
  EXPECT_EQ(told(end_user), "1");
  end_user.retry_after = 90s;
  EXPECT_EQ(told(end_user), "90");
  EXPECT_EQ(told({base::ErrorCode::concurrency_limited, "", ""}), "5");
  EXPECT_EQ(told({base::ErrorCode::forbidden, "", ""}), "none");
  const auto refused = verdict_of(11, start, {5, 1min, 10}, rules::RateKind::stranger);
  EXPECT_EQ(told({base::ErrorCode::rate_limited, "", ""}, refused), "12");
}

}  // namespace
}  // namespace stagedoor::front
