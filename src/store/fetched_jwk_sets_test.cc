// Key sets that come from elsewhere: what a storm of tokens, a slow and a dead issuer can do.
#include <gtest/gtest.h>

#include <deque>
#include <latch>

#include "crypto/signer_for_test.h"
#include "store/fetched_jwk_sets.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using crypto::TestSigner;
using enum crypto::SignatureAlgorithm;
using namespace std::chrono_literals;

class Silent : public base::Log {
 public:
  bool writes(base::LogLevel) const override { return true; }
  void write(base::LogLevel, std::string_view event,
             std::initializer_list<base::LogField>) override {
    const std::lock_guard lock(mutex);
    events.emplace_back(event);
  }
  std::mutex mutex;
  std::vector<std::string> events;
};

// An issuer: what it answers, how often it was asked, and whether it lets itself be waited for.
class Issuer : public DocumentFetcher {
 public:
  base::Result<FetchedDocument> fetch(const std::string& url, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    asked_.push_back(url);
    changed_.notify_all();
    changed_.wait(lock, stop, [this] { return !is_slow_; });
    const auto found = documents_.find(url);
    if (is_down_ || found == documents_.end())
      return base::fail(ErrorCode::unavailable, "no answer");
    return found->second;
  }
  void answer(const std::string& url, std::string body, std::string cache_control = "max-age=600") {
    const std::lock_guard lock(mutex_);
    documents_[url] = {
        .body = std::move(body), .cache_control = std::move(cache_control), .age = {}};
    is_down_ = false;
  }
  void go_down() {
    const std::lock_guard lock(mutex_);
    is_down_ = true;
  }
  void be_slow(bool slow) {
    const std::lock_guard lock(mutex_);
    is_slow_ = slow;
    changed_.notify_all();
  }
  void wait_until_asked(std::size_t times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_.size() >= times; });
  }
  std::size_t times_asked() {
    const std::lock_guard lock(mutex_);
    return asked_.size();
  }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, FetchedDocument> documents_;
  std::vector<std::string> asked_;
  bool is_down_ = false, is_slow_ = false;
};

const std::string url = "https://id.example/jwks";

std::string set_with(std::initializer_list<std::string> key_ids) {
  static const auto signer = TestSigner::ed25519();
  std::string out;
  for (const auto& id : key_ids)
    out += (out.empty() ? "" : ",") + signer.jwk(",\"kid\":\"" + id + "\"");
  return "{\"keys\":[" + out + "]}";
}

class Fetched : public testing::Test {
 protected:
  static rules::IssuerPolicy policy(std::string jwks_url = url) {
    rules::IssuerPolicy made;
    made.issuer = "https://id.example";
    made.audiences = {"app"};
    made.algorithms = {eddsa};
    made.jwks_url = std::move(jwks_url);
    return made;
  }
  base::Result<rules::BelievedKeys> ask(FetchedJwkSet& set, std::string key_id) {
    rules::JwtHeader header;
    header.key_id = std::move(key_id);
    return set.keys_for(header, eddsa, clock.now());
  }
  ErrorCode refusal(FetchedJwkSet& set, std::string key_id) {
    const auto keys = ask(set, std::move(key_id));
    EXPECT_FALSE(keys);
    return keys ? ErrorCode::conflict : keys.error().code;
  }

  base::ManualClock clock{base::from_unix_seconds(1'800'000'000)};
  Silent log;
  Issuer issuer;
  WaitingForIssuers waiting;
  FetchedJwkSet::Parts parts{.fetcher = issuer, .clock = clock, .log = log, .waiting = waiting};
};

TEST_F(Fetched, TheFirstTokenFetchesTheSetAndTheNextOnesDoNot) {
  issuer.answer(url, set_with({"a"}));
  FetchedJwkSet set(parts, policy());
  EXPECT_EQ(set.generation(clock.now()), 0u) << "it has to be asked";
  EXPECT_EQ(issuer.times_asked(), 0u) << "and is not asked before it is needed";
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(ask(set, "a"));
  EXPECT_EQ(issuer.times_asked(), 1u);
  EXPECT_EQ(set.generation(clock.now()), ask(set, "a")->generation);
}

// Rule jwks-cool-down.
TEST_F(Fetched, AStormOfUnknownKidsMakesOneFetchInTheCoolDownAndGoodTokensKeepWorking) {
  issuer.answer(url, set_with({"good"}));
  FetchedJwkSet set(parts, policy());
  ASSERT_TRUE(ask(set, "good"));
  clock.advance(60s);
  std::vector<std::jthread> crowd;
  std::atomic<int> good_refused = 0, unknown_admitted = 0;
  for (int thread = 0; thread < 4; ++thread)
    crowd.emplace_back([&, thread] {
      for (int i = 0; i < 2'500; ++i) {
        if (ask(set, "unknown " + std::to_string(thread) + "." + std::to_string(i)))
          ++unknown_admitted;
        if (i % 10 == 0 && !ask(set, "good")) ++good_refused;
      }
    });
  crowd.clear();
  EXPECT_EQ(issuer.times_asked(), 2u);
  EXPECT_EQ(good_refused, 0);
  EXPECT_EQ(unknown_admitted, 0);
  clock.advance(29s);
  EXPECT_EQ(refusal(set, "one more"), ErrorCode::token_invalid);
  EXPECT_EQ(issuer.times_asked(), 2u);
}

TEST_F(Fetched, ANewKeyIsFoundOnceTheCoolDownIsOver) {
  issuer.answer(url, set_with({"old"}));
  FetchedJwkSet set(parts, policy());
  const auto before = ask(set, "old");
  ASSERT_TRUE(before);
  issuer.answer(url, set_with({"old", "new"}));
  EXPECT_EQ(refusal(set, "new"), ErrorCode::token_invalid);
  clock.advance(30s);
  const auto after = ask(set, "new");
  ASSERT_TRUE(after);
  EXPECT_GT(after->generation, before->generation);
}

TEST_F(Fetched, TheSameKeysKeepTheirGeneration) {
  issuer.answer(url, set_with({"a", "b"}));
  FetchedJwkSet set(parts, policy());
  const auto before = ask(set, "a");
  issuer.answer(url, set_with({"b", "a"}));
  clock.advance(2h);
  const auto after = ask(set, "a");
  ASSERT_TRUE(before && after);
  EXPECT_EQ(issuer.times_asked(), 2u);
  EXPECT_EQ(before->generation, after->generation);
  EXPECT_EQ(before->set, after->set);
}

TEST_F(Fetched, ManyThatComeAtOnceShareOneFetch) {
  issuer.answer(url, set_with({"a"}));
  issuer.be_slow(true);
  FetchedJwkSet set(parts, policy());
  std::atomic<int> admitted = 0;
  std::vector<std::jthread> crowd;
  for (int i = 0; i < WaitingForIssuers::of_one_max; ++i)
    crowd.emplace_back([&] {
      if (ask(set, "a")) ++admitted;
    });
  issuer.wait_until_asked(1);
  issuer.be_slow(false);
  crowd.clear();
  EXPECT_EQ(admitted, WaitingForIssuers::of_one_max);
  EXPECT_EQ(issuer.times_asked(), 1u);
}

// Rule jwks-waiting-bounded.
TEST_F(Fetched, WhileASlowIssuerIsFirstAskedFewWaitAndTheOthersAreAnsweredAtOnce) {
  issuer.answer(url, set_with({"a"}));
  issuer.be_slow(true);
  FetchedJwkSet set(parts, policy());
  constexpr int crowd_size = 16, refused_min = crowd_size - WaitingForIssuers::of_one_max;
  std::atomic<int> admitted = 0, refused = 0;
  std::vector<std::jthread> crowd;
  for (int i = 0; i < crowd_size; ++i)
    crowd.emplace_back([&] {
      const auto keys = ask(set, "a");
      if (keys) ++admitted;
      if (!keys && keys.error().code == ErrorCode::unavailable) ++refused;
    });
  // The issuer answers nobody until those that may not wait have had their answer.
  while (refused < refused_min) std::this_thread::yield();
  issuer.be_slow(false);
  crowd.clear();
  EXPECT_EQ(refused, refused_min);
  EXPECT_EQ(admitted, WaitingForIssuers::of_one_max);
  EXPECT_TRUE(ask(set, "a")) << "and nobody is counted any more";
}

// Rule jwks-waiting-bounded.
TEST_F(Fetched, SlowIssuersTogetherHoldFewToo) {
  issuer.answer(url, set_with({"a"}));
  issuer.be_slow(true);
  std::deque<FetchedJwkSet> sets;
  for (int i = 0; i < 4; ++i) sets.emplace_back(parts, policy());
  constexpr int crowd_size = 16, refused_min = crowd_size - WaitingForIssuers::max;
  std::atomic<int> refused = 0;
  std::vector<std::jthread> crowd;
  for (int i = 0; i < crowd_size; ++i)
    crowd.emplace_back([&, i] {
      if (!ask(sets[static_cast<std::size_t>(i % 4)], "a")) ++refused;
    });
  while (refused < refused_min) std::this_thread::yield();
  issuer.be_slow(false);
  crowd.clear();
  EXPECT_EQ(refused, refused_min);
  EXPECT_EQ(waiting.count, 0);
}

// Rule jwks-stale-served.
TEST_F(Fetched, StaleKeysAreServedWhileTheIssuerIsDown) {
  issuer.answer(url, set_with({"a"}));
  FetchedJwkSet set(parts, policy());
  ASSERT_TRUE(ask(set, "a"));
  issuer.go_down();
  for (int hour = 0; hour < 24; ++hour) {
    EXPECT_TRUE(ask(set, "a")) << hour;
    clock.advance(1h);
  }
  clock.advance(1h);
  EXPECT_EQ(refusal(set, "a"), ErrorCode::unavailable) << "a day is enough";
  issuer.answer(url, set_with({"a"}));
  clock.advance(10min);
  EXPECT_TRUE(ask(set, "a"));
}

TEST_F(Fetched, AnIssuerThatWasNeverReachedIsUnavailableAndNobodyWaitsForItTwice) {
  issuer.go_down();
  FetchedJwkSet set(parts, policy());
  EXPECT_EQ(refusal(set, "a"), ErrorCode::unavailable);
  issuer.be_slow(true);
  EXPECT_EQ(refusal(set, "a"), ErrorCode::unavailable);
  clock.advance(30s);
  EXPECT_EQ(refusal(set, "a"), ErrorCode::unavailable) << "answered while the next fetch hangs";
  issuer.wait_until_asked(2);
  EXPECT_EQ(refusal(set, "a"), ErrorCode::unavailable);
  EXPECT_EQ(issuer.times_asked(), 2u);
}

// Rule jwks-good-keys-stay.
TEST_F(Fetched, ABadAnswerNeverTakesGoodKeysAway) {
  issuer.answer(url, set_with({"a"}));
  FetchedJwkSet set(parts, policy());
  ASSERT_TRUE(ask(set, "a"));
  for (const auto* bad : {"", "<html>502</html>", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\"}]}",
                          "{\"keys\":[],\"keys\":[]}"}) {
    issuer.answer(url, bad);
    clock.advance(1h);
    const auto asked = issuer.times_asked();
    EXPECT_TRUE(ask(set, "a")) << bad;
    EXPECT_EQ(issuer.times_asked(), asked + 1);
    EXPECT_EQ(refusal(set, "unknown"), ErrorCode::unavailable);
    EXPECT_TRUE(ask(set, "a")) << bad;
  }
}

TEST_F(Fetched, FreshKeysAreFetchedAheadWithoutAnybodyWaiting) {
  issuer.answer(url, set_with({"a"}), "max-age=1000");
  FetchedJwkSet set(parts, policy());
  ASSERT_TRUE(ask(set, "a"));
  issuer.be_slow(true);
  clock.advance(900s);
  EXPECT_NE(set.generation(clock.now()), 0u);
  issuer.wait_until_asked(2);
  EXPECT_TRUE(ask(set, "a")) << "while the fetch hangs";
  EXPECT_NE(set.generation(clock.now()), 0u);
}

TEST_F(Fetched, KeysThatNobodyAskedForSinceTheyWentStaleAreNotBelievedUnseen) {
  issuer.answer(url, set_with({"a"}), "max-age=1000");
  FetchedJwkSet set(parts, policy());
  ASSERT_TRUE(ask(set, "a"));
  issuer.answer(url, set_with({"b"}));
  clock.advance(3h);
  EXPECT_EQ(set.generation(clock.now()), 0u);
  EXPECT_EQ(refusal(set, "a"), ErrorCode::token_invalid)
      << "the issuer has taken it back meanwhile";
  EXPECT_TRUE(ask(set, "b"));
}

TEST_F(Fetched, DiscoveryFindsTheKeysAndMustNameTheIssuer) {
  const std::string discovery = "https://id.example/.well-known/openid-configuration";
  issuer.answer(discovery,
                R"({"issuer":"https://id.example","jwks_uri":"https://id.example/jwks"})");
  issuer.answer(url, set_with({"a"}));
  FetchedJwkSet set(parts, policy(""));
  EXPECT_TRUE(ask(set, "a"));
  EXPECT_EQ(issuer.asked(), (std::vector<std::string>{discovery, url}));

  for (const auto* bad :
       {R"({"issuer":"https://other.example","jwks_uri":"https://id.example/jwks"})",
        R"({"jwks_uri":"https://id.example/jwks"})", R"({"issuer":"https://id.example"})",
        R"({"issuer":"https://id.example","jwks_uri":5})", "<html>"}) {
    issuer.answer(discovery, bad);
    FetchedJwkSet other(parts, policy(""));
    EXPECT_EQ(refusal(other, "a"), ErrorCode::unavailable) << bad;
  }
}

TEST_F(Fetched, TheEndDoesNotWaitForAnIssuerThatHangs) {
  issuer.be_slow(true);
  {
    issuer.answer(url, set_with({"a"}), "max-age=1000");
    FetchedJwkSet set(parts, policy());
    issuer.be_slow(false);
    ASSERT_TRUE(ask(set, "a"));
    issuer.be_slow(true);
    clock.advance(900s);
    set.generation(clock.now());
    issuer.wait_until_asked(2);
  }
  EXPECT_EQ(issuer.times_asked(), 2u);
}

}  // namespace
}  // namespace stagedoor::store
