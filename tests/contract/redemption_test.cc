// What a store of redemptions and its ledger of sessions promise, run against the SQLite ones.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "folder_for_test.h"
#include "store/sqlite_redemptions.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::Redeemed;
using Kind = rules::Redeemed::Kind;
using namespace std::chrono_literals;

const base::Instant start = base::from_unix_seconds(1'795'000'000);

struct Row {
  std::int64_t began_at, last_seen_at, ended_at;
  std::string reason;
  int connections;
};

struct Opened {
  explicit Opened(const Folder& folder, base::Instant now = start,
                  std::chrono::milliseconds heartbeat = SqliteSessionLedger::usual_heartbeat)
      : path(folder.database_path()),
        clock(now),
        writer(folder.database()),
        ledger(
            writer,
            [this](SqliteDatabase&, const rules::AuditEntry& entry) -> base::Result<base::Done> {
              if (audit_is_broken || entry.subject == not_audited)
                return base::fail(ErrorCode::unavailable, "audit");
              audited.push_back(entry.action + " " + entry.subject);
              return base::Done{};
            },
            clock, heartbeat),
        redemptions(writer, ledger, clock) {
    EXPECT_TRUE(writer.start());
  }
  ~Opened() {
    ledger.finish();
    writer.stop();
  }
  base::Result<Redeemed> redeem(const rules::Redemption& redemption) {
    std::promise<base::Result<Redeemed>> promise;
    redemptions.redeem(
        redemption, [&](base::Result<Redeemed> outcome) { promise.set_value(std::move(outcome)); });
    return promise.get_future().get();
  }
  std::map<std::string, Row> rows() {
    std::map<std::string, Row> found;
    // By a connection of its own: a writer's group may fail as a whole.
    auto database = SqliteDatabase::open(path, SqliteDatabase::Mode::must_exist);
    auto read = database->prepare(
        "SELECT id, began_at, last_seen_at, ended_at, end_reason, connections FROM sessions");
    while (read->step() == SqliteStatement::Step::row)
      found[std::string(read->text(0))] = {
          read->integer(1), read->integer(2), read->is_null(3) ? 0 : read->integer(3),
          std::string(read->text(4)), static_cast<int>(read->integer(5))};
    return found;
  }
  // Ends become durable soon; this waits for it.
  Row ended(const std::string& id) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    for (;;) {
      const auto row = rows().at(id);
      if (row.ended_at != 0 || std::chrono::steady_clock::now() > end) return row;
    }
  }

  // Those of which the writer makes one group.
  std::vector<base::Result<Redeemed>> redeem_together(const std::vector<rules::Redemption>& all) {
    Pause pause(*this);
    std::vector<std::promise<base::Result<Redeemed>>> promises(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      redemptions.redeem(all[i], [&promise = promises[i]](base::Result<Redeemed> outcome) {
        promise.set_value(std::move(outcome));
      });
    pause.end();
    std::vector<base::Result<Redeemed>> outcomes;
    for (auto& promise : promises) outcomes.push_back(promise.get_future().get());
    return outcomes;
  }
  // The writer waits while one of these lives; what comes meanwhile is one group.
  class Pause {
   public:
    explicit Pause(Opened& store) {
      std::promise<void> reached;
      EXPECT_TRUE(store.writer.submit({.work = [&](SqliteDatabase&) -> base::Result<base::Done> {
                                         reached.set_value();
                                         end_.get_future().wait();
                                         return base::Done{};
                                       },
                                       .done = [](const base::Result<base::Done>&) {}}));
      reached.get_future().wait();
    }
    void end() { end_.set_value(); }

   private:
    std::promise<void> end_;
  };

  const std::string path;
  std::atomic<bool> audit_is_broken = false;
  std::string not_audited;           // whose entries alone are refused
  std::vector<std::string> audited;  // the writer's thread; read when it waits
  base::ManualClock clock;
  SqliteWriter writer;
  SqliteSessionLedger ledger;
  SqliteRedemptions redemptions;
};

rules::ClientMark mark_of(std::uint8_t client) {
  return {client, 7};
}

// Each asks for a session of its own.
rules::Redemption shown(std::uint8_t token, int client = -1, base::Instant at = start,
                        int uses_max = 1) {
  static std::atomic<int> sessions = 0;
  rules::Redemption wanted;
  wanted.id = {token};
  wanted.expires_at = start + 10min;
  wanted.uses_max = uses_max;
  wanted.at = at;
  if (client >= 0) wanted.client_marks = {mark_of(static_cast<std::uint8_t>(client))};
  wanted.session.id = "session-" + std::to_string(++sessions);
  wanted.session.workspace_id = "ws_1";
  wanted.session.app_id = "app_1";
  wanted.session.peer = "192.0.2." + std::to_string(client + 1);
  wanted.session.began_at = at;
  wanted.session.ends_at = at + 5min;
  return wanted;
}

// Rule session-token-retry-by-same-client.
TEST(Retry, TheSameClientGetsItsSessionBackAndNoFurtherUseIsCounted) {
  const Folder folder;
  Opened store(folder);
  const auto first = store.redeem(shown(1, 1));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, Kind::begun);
  EXPECT_EQ(first->connection, 1);
  store.clock.advance(10s);
  const auto again = store.redeem(shown(1, 1, start + 10s));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->kind, Kind::resumed);
  EXPECT_EQ(again->session_id, first->session_id);
  EXPECT_EQ(again->began_at, start);
  EXPECT_EQ(again->use, 1);
  EXPECT_EQ(again->connection, 2);
  EXPECT_EQ(store.rows().size(), 1u);
}

// Rule session-token-retry-by-same-client.
TEST(Retry, ItHoldsAfterTheServerWasKilled) {
  const Folder folder;
  std::string session;
  {
    Opened store(folder);
    session = store.redeem(shown(1, 1))->session_id;
  }
  Opened store(folder);
  ASSERT_TRUE(store.ledger.open());
  const auto again = store.redeem(shown(1, 1));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->kind, Kind::resumed);
  EXPECT_EQ(again->session_id, session);
}

// Rule session-token-reuse-is-suspected-theft.
TEST(Retry, AnotherClientOrOneWithoutANonceIsRefusedAndTheFirstIsNamed) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.redeem(shown(1, 1)));
  for (const int client : {2, -1}) {
    const auto second = store.redeem(shown(1, client));
    ASSERT_TRUE(second);
    EXPECT_EQ(second->kind, Kind::spent);
    EXPECT_FALSE(second->is_own);
    EXPECT_EQ(second->earlier_peer, "192.0.2.2");
  }
  EXPECT_EQ(store.rows().size(), 1u);
}

TEST(Retry, EachUseOfATokenWithSeveralHasItsOwnClientAndSession) {
  const Folder folder;
  Opened store(folder);
  const auto first = store.redeem(shown(1, 1, start, 2));
  const auto second = store.redeem(shown(1, 2, start, 2));
  EXPECT_EQ(second->kind, Kind::begun);
  EXPECT_EQ(second->use, 2);
  EXPECT_NE(second->session_id, first->session_id);
  EXPECT_EQ(store.redeem(shown(1, 1, start, 2))->session_id, first->session_id);
  EXPECT_EQ(store.redeem(shown(1, 2, start, 2))->session_id, second->session_id);
  EXPECT_EQ(store.redeem(shown(1, 3, start, 2))->kind, Kind::spent);
}

TEST(Retry, WhoWasSentAwayOrIsTooLateGetsNothingBack) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.ledger.open());
  const auto first = store.redeem(shown(1, 1));
  store.ledger.end(first->session_id, 1, "revoked", start + 1s);
  EXPECT_EQ(store.ended(first->session_id).reason, "revoked");
  EXPECT_EQ(store.redeem(shown(1, 1))->kind, Kind::spent);
  ASSERT_TRUE(store.redeem(shown(2, 1)));
  EXPECT_EQ(store.redeem(shown(2, 1, start + 5min))->kind, Kind::spent)
      << "the session's length is over";
}

// Rule session-token-retry-by-same-client.
TEST(Retry, WhoIsSentAwayByNameGetsNothingBackFromTheMomentThatIsWritten) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.ledger.open());
  const auto id = store.redeem(shown(1, 1))->session_id;
  rules::AuditEntry entry;
  entry.at = start + 1s;
  entry.action = "live_session.end";
  entry.subject = id;
  store.audit_is_broken = true;
  EXPECT_FALSE(store.ledger.end_for_good(id, "ended", entry));
  EXPECT_EQ(store.rows().at(id).ended_at, 0) << "what can't be recorded is not done";
  store.audit_is_broken = false;
  ASSERT_EQ(store.redeem(shown(1, 1))->connection, 2);
  EXPECT_TRUE(store.ledger.end_for_good(id, "ended", entry));
  EXPECT_EQ(store.rows().at(id).reason, "ended") << "whichever connection holds it";
  const auto again = store.redeem(shown(1, 1));
  EXPECT_EQ(again->kind, Kind::spent);
  EXPECT_TRUE(again->is_own) << "it is the same client, and no thief";
  const auto another = store.redeem(shown(1, 2));
  EXPECT_EQ(another->kind, Kind::spent);
  EXPECT_FALSE(another->is_own);
  store.ledger.end(id, 2, "client", start + 2s);
  store.ledger.finish();
  store.writer.stop();
  EXPECT_EQ(store.rows().at(id).reason, "ended");
}

// Rule session-token-retry-by-same-client.
TEST(Retry, AClientWhoseSessionIsOverMayStillUseWhatItsTokenHasLeft) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.ledger.open());
  const auto first = store.redeem(shown(1, 1, start, 2));
  rules::AuditEntry entry;
  entry.at = start + 1s;
  entry.subject = first->session_id;
  ASSERT_TRUE(store.ledger.end_for_good(first->session_id, "ended", entry));
  const auto second = store.redeem(shown(1, 1, start, 2));
  EXPECT_EQ(second->kind, Kind::begun);
  EXPECT_NE(second->session_id, first->session_id);
}

TEST(Retry, AFullAppLetsOnlyRetriesThroughAndOthersKeepTheirUse) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.redeem(shown(1, 1)));
  auto retry = shown(1, 1);
  retry.counts = rules::Redemption::Counts::retry_only;
  EXPECT_EQ(store.redeem(retry)->kind, Kind::resumed);
  auto other = shown(2, 1);
  other.counts = rules::Redemption::Counts::retry_only;
  EXPECT_EQ(store.redeem(other).error().code, ErrorCode::concurrency_limited);
  EXPECT_EQ(store.redeem(shown(2, 1))->kind, Kind::begun);
  auto thief = shown(1, 2);
  thief.counts = rules::Redemption::Counts::retry_only;
  EXPECT_EQ(store.redeem(thief)->kind, Kind::spent) << "a spent token is told as such";
}

// Rule session-token-retry-by-same-client.
TEST(Retry, OfManySimultaneousClientsOneGetsTheSessionHoweverOftenItAsks) {
  const Folder folder;
  Opened store(folder);
  for (std::uint8_t round = 0; round < 20; ++round) {
    std::mutex mutex;
    std::map<int, std::set<std::string>> sessions;  // by client
    std::set<int> connections;
    int spent = 0;
    std::latch together(32);
    std::vector<std::jthread> crowd;
    for (int i = 0; i < 32; ++i) {
      crowd.emplace_back([&, client = i % 4] {
        const auto wanted = shown(round, client);
        together.arrive_and_wait();
        const auto outcome = store.redeem(wanted);
        ASSERT_TRUE(outcome);
        const std::lock_guard lock(mutex);
        if (outcome->kind == Kind::spent) {
          ++spent;
        } else {
          sessions[client].insert(outcome->session_id);
          EXPECT_TRUE(connections.insert(outcome->connection).second);
        }
      });
    }
    crowd.clear();
    EXPECT_EQ(sessions.size(), 1u);
    EXPECT_EQ(sessions.begin()->second.size(), 1u);
    EXPECT_EQ(connections.size(), 8u);
    EXPECT_EQ(spent, 24);
  }
  EXPECT_EQ(store.rows().size(), 20u);
}

// Rule session-counted-once.
TEST(Ledger, ASessionIsOneRowWithItsEndAndTwoAuditEntries) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.ledger.open());
  const auto id = store.redeem(shown(1))->session_id;
  const auto open = store.rows().at(id);
  EXPECT_EQ(open.ended_at, 0);
  EXPECT_EQ(open.began_at, base::unix_millis(start));
  store.ledger.end(id, 1, "client", start + 30s);
  const auto row = store.ended(id);
  EXPECT_EQ(row.ended_at, base::unix_millis(start + 30s));
  EXPECT_EQ(row.reason, "client");
  store.ledger.end(id, 1, "idle", start + 40s);
  store.ledger.finish();
  store.writer.stop();
  EXPECT_EQ(store.rows().at(id).reason, "client") << "the first end counts";
  EXPECT_EQ(store.audited, (std::vector<std::string>{"session.begin " + id, "session.end " + id}));
}

// Rule session-counted-once.
TEST(Ledger, TheEndOfAReplacedConnectionEndsNothing) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.ledger.open());
  const auto id = store.redeem(shown(1, 1))->session_id;
  ASSERT_EQ(store.redeem(shown(1, 1))->connection, 2);
  store.ledger.end(id, 1, "client", start + 30s);
  store.ledger.end(id, 2, "idle", start + 40s);
  const auto row = store.ended(id);
  EXPECT_EQ(row.reason, "idle");
  EXPECT_EQ(row.ended_at, base::unix_millis(start + 40s));
}

// Rule session-counted-once.
TEST(Ledger, WhileASessionLivesItsRowSaysWhenItWasLastSeenAndAfterItsEndNoMore) {
  const Folder folder;
  Opened store(folder, start, 1ms);
  ASSERT_TRUE(store.ledger.open());
  const auto lives = store.redeem(shown(1))->session_id;
  const auto ended = store.redeem(shown(2))->session_id;
  store.ledger.end(ended, 1, "client", start + 5s);
  ASSERT_EQ(store.ended(ended).ended_at, base::unix_millis(start + 5s));
  store.clock.set(start + 1min);
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (store.rows().at(lives).last_seen_at != base::unix_millis(start + 1min) &&
         std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(store.rows().at(lives).last_seen_at, base::unix_millis(start + 1min));
  EXPECT_EQ(store.rows().at(lives).ended_at, 0);
  EXPECT_EQ(store.rows().at(ended).last_seen_at, base::unix_millis(start + 5s));
  // A clock that was put back takes nothing back.
  store.clock.set(start + 30s);
  const auto later = store.redeem(shown(3, -1, start + 30s))->session_id;
  store.clock.set(start + 40s);
  while (store.rows().at(later).last_seen_at != base::unix_millis(start + 40s) &&
         std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(store.rows().at(later).last_seen_at, base::unix_millis(start + 40s));
  EXPECT_EQ(store.rows().at(lives).last_seen_at, base::unix_millis(start + 1min));
}

// Rule session-counted-once.
TEST(Ledger, WhatADeadServerLeftOpenIsClosedWhereItWasLastSeen) {
  const Folder folder;
  std::string seen, unseen, ended;
  {
    Opened store(folder);
    seen = store.redeem(shown(1))->session_id;
    unseen = store.redeem(shown(2))->session_id;
    ended = store.redeem(shown(3))->session_id;
    EXPECT_TRUE(store.writer.run([&](SqliteDatabase& database) {
      return database.execute("UPDATE sessions SET last_seen_at = began_at + 20000 WHERE id = '" +
                              seen +
                              "'; UPDATE sessions SET ended_at = began_at + 5000, end_reason "
                              "= 'client' WHERE id = '" +
                              ended + "'");
    }));
  }
  Opened store(folder, start + 1h);
  ASSERT_TRUE(store.ledger.open());
  store.ledger.finish();
  store.writer.stop();
  const auto rows = store.rows();
  EXPECT_EQ(rows.at(seen).ended_at, base::unix_millis(start + 20s));
  EXPECT_EQ(rows.at(seen).reason, "server_died");
  EXPECT_EQ(rows.at(unseen).ended_at, base::unix_millis(start));
  EXPECT_EQ(rows.at(ended).reason, "client");
  EXPECT_EQ(store.audited.size(), 2u);
}

// Rule session-counted-once.
TEST(Ledger, ARedemptionThatCannotBeAuditedIsNoneAndCostsNoUse) {
  const Folder folder;
  Opened store(folder);
  store.audit_is_broken = true;
  EXPECT_EQ(store.redeem(shown(1)).error().code, ErrorCode::unavailable);
  store.audit_is_broken = false;
  EXPECT_TRUE(store.rows().empty());
  EXPECT_EQ(store.redeem(shown(1))->kind, Kind::begun);
}

// Rule session-counted-once.
TEST(Ledger, ARedemptionThatFailsTakesNoOtherOfItsGroupWithIt) {
  const Folder folder;
  Opened store(folder);
  const std::vector<rules::Redemption> wanted = {shown(1), shown(2), shown(3)};
  store.not_audited = wanted[1].session.id;
  const auto outcomes = store.redeem_together(wanted);
  EXPECT_EQ(outcomes[0]->kind, Kind::begun);
  EXPECT_EQ(outcomes[1].error().code, ErrorCode::unavailable);
  EXPECT_EQ(outcomes[2]->kind, Kind::begun);
  EXPECT_EQ(store.rows().size(), 2u);
  store.not_audited.clear();
  EXPECT_EQ(store.redeem(wanted[0])->kind, Kind::spent);
  EXPECT_EQ(store.redeem(wanted[1])->kind, Kind::begun) << "the one that failed cost no use";
  EXPECT_EQ(store.redeem(wanted[2])->kind, Kind::spent);
}

// Rule session-counted-once.
TEST(Ledger, AnEndThatFailsTakesNoOtherJobOfItsGroupWithIt) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.ledger.open());
  const auto id = store.redeem(shown(1))->session_id;
  store.not_audited = id;
  Opened::Pause pause(store);
  store.ledger.end(id, 1, "client", start + 30s);
  store.ledger.finish();
  std::promise<base::Result<Redeemed>> promise;
  store.redemptions.redeem(
      shown(2), [&](base::Result<Redeemed> outcome) { promise.set_value(std::move(outcome)); });
  pause.end();
  EXPECT_EQ(promise.get_future().get()->kind, Kind::begun);
  EXPECT_EQ(store.rows().size(), 2u);
  EXPECT_EQ(store.rows().at(id).ended_at, 0);
}

TEST(Ledger, AnEndThatCannotBeAuditedIsTriedAgain) {
  const Folder folder;
  Opened store(folder);
  ASSERT_TRUE(store.ledger.open());
  const auto id = store.redeem(shown(1))->session_id;
  store.audit_is_broken = true;
  store.ledger.end(id, 1, "client", start + 30s);
  EXPECT_EQ(store.rows().at(id).ended_at, 0);
  store.audit_is_broken = false;
  EXPECT_EQ(store.ended(id).ended_at, base::unix_millis(start + 30s));
}

// What must be true however redemptions, retries, ends and deaths of the server follow each other:
// checked against a model that is small enough to be believed.
class Simulation {
 public:
  explicit Simulation(std::uint32_t seed) : random_(seed) { reopen(); }

  void step() {
    now_ += std::chrono::milliseconds(roll(2000));
    store_->clock.set(now_);
    switch (roll(10)) {
      case 0:
        return reopen();
      case 1:
      case 2:
        return end_one();
      default:
        return redeem();
    }
  }

  void check() {
    const auto rows = store_->rows();
    ASSERT_EQ(rows.size(), sessions_.size()) << "each session is one row";
    for (const auto& [id, session] : sessions_)
      EXPECT_EQ(rows.at(id).connections, session.connections);
  }

 private:
  struct Session {
    int connections = 1;
    base::Instant began_at;
    std::string reason;  // why it is over; empty: it is not
  };
  struct Token {
    int uses = 0;
    std::map<int, std::string> by_client;
  };

  int roll(int sides) { return static_cast<int>(random_() % static_cast<std::uint32_t>(sides)); }

  // As after kill -9, or a clean end: what was answered is durable either way.
  void reopen() {
    store_.reset();
    store_ = std::make_unique<Opened>(folder_, now_);
    EXPECT_TRUE(store_->ledger.open());
    for (auto& [id, session] : sessions_)
      if (session.reason.empty()) session.reason = "server_died";
  }

  void end_one() {
    if (sessions_.empty()) return;
    auto& [id, session] = *std::next(sessions_.begin(), roll(static_cast<int>(sessions_.size())));
    if (!session.reason.empty()) return;
    session.reason = roll(2) == 0 ? "client" : "revoked";
    // An older connection may be the one that ends: then nothing is over.
    const int connection = session.connections - (roll(4) == 0 ? 1 : 0);
    const bool is_last = connection == session.connections;
    store_->ledger.end(id, connection, session.reason, now_);
    if (!is_last) session.reason.clear();
    if (is_last) {
      EXPECT_EQ(store_->ended(id).reason, session.reason);
    }
  }

  void redeem() {
    const int number = roll(6), client = roll(3), uses_max = 1 + number % 2;
    const auto wanted = shown(static_cast<std::uint8_t>(number), client, now_, uses_max);
    auto& token = tokens_[number];
    const auto known = token.by_client.find(client);
    const bool may_come_back = known != token.by_client.end() &&
                               rules::may_resume(sessions_[known->second].reason) &&
                               now_ < sessions_[known->second].began_at + 5min;
    const auto outcome = store_->redeem(wanted);
    ASSERT_TRUE(outcome);
    if (may_come_back) {
      auto& session = sessions_[known->second];
      session.reason.clear();
      EXPECT_EQ(outcome->kind, Kind::resumed);
      EXPECT_EQ(outcome->session_id, known->second);
      EXPECT_EQ(outcome->connection, ++session.connections);
      EXPECT_EQ(outcome->began_at, session.began_at);
    } else if (token.uses < uses_max) {
      EXPECT_EQ(outcome->kind, Kind::begun);
      EXPECT_EQ(outcome->use, ++token.uses);
      token.by_client[client] = outcome->session_id;
      sessions_[outcome->session_id] = {.connections = 1, .began_at = now_, .reason = ""};
    } else {
      EXPECT_EQ(outcome->kind, Kind::spent);
    }
  }

  Folder folder_;
  std::mt19937 random_;
  base::Instant now_ = start;
  std::unique_ptr<Opened> store_;
  std::map<int, Token> tokens_;
  std::map<std::string, Session> sessions_;
};

// Rule session-token-retry-by-same-client. Rule session-counted-once.
TEST(Simulation, WhateverTheOrderEachUseIsOneSessionOfOneClient) {
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    Simulation simulation(seed);
    for (int i = 0; i < 120 && !::testing::Test::HasFailure(); ++i) simulation.step();
    simulation.check();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace stagedoor::store
