// What every store of key usage promises, run against the SQLite one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "folder_for_test.h"
#include "store/sqlite_key_usage.h"

namespace stagedoor::store {
namespace {

using rules::CallOutcome;
using namespace std::chrono_literals;

const base::Instant now = base::from_unix_seconds(1'795'000'000);

std::int64_t ask(const Folder& folder, const std::string& sql) {
  auto database = folder.database();
  auto read = database.prepare(sql);
  return read && read->step() == SqliteStatement::Step::row ? read->integer(0) : -1;
}

struct Opened {
  explicit Opened(const Folder& folder)
      : writer(folder.database()), readers(folder.database_path()), usage(writer, readers) {
    EXPECT_TRUE(writer.start());
  }
  ~Opened() {
    usage.finish();
    writer.stop();
  }
  SqliteWriter writer;
  SqliteReaders readers;
  SqliteKeyUsage usage;
};

base::Address address(const std::string& text) {
  return *base::parse_address(text);
}

// Rule usage-of-keys.
TEST(KeyUsage, EveryCallIsCountedOnceWhicheverThreadCountsIt) {
  const Folder folder;
  {
    Opened opened(folder);
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread)
      threads.emplace_back([&] {
        for (int call = 0; call < 1000; ++call) {
          opened.usage.count(7, address("192.0.2.1"),
                             call % 10 == 0 ? CallOutcome::refused : CallOutcome::admitted, now);
          if (call % 100 == 0) opened.usage.flush();
        }
      });
    threads.clear();
    EXPECT_EQ(opened.usage.last_use(7)->count, 8000) << "also while some of it is not written yet";
  }
  EXPECT_EQ(ask(folder, "SELECT count FROM api_key_uses WHERE api_key_id = 7"), 8000);
  EXPECT_EQ(ask(folder, "SELECT sum(calls) FROM api_key_hours"), 8000);
  EXPECT_EQ(ask(folder, "SELECT sum(refusals) FROM api_key_hours"), 800);
  EXPECT_EQ(ask(folder, "SELECT sum(count) FROM api_key_networks"), 8000);
}

// Rule usage-of-keys.
TEST(KeyUsage, ACallCountsInTheHourInWhichItCame) {
  const Folder folder;
  {
    Opened opened(folder);
    opened.usage.count(7, address("192.0.2.1"), CallOutcome::admitted, now);
    opened.usage.count(7, address("192.0.2.1"), CallOutcome::admitted, now + 1h);
    opened.usage.count(7, address("192.0.2.1"), CallOutcome::admitted, now + 1h);
    opened.usage.finish();
    opened.usage.count(7, address("192.0.2.1"), CallOutcome::admitted, now + 1h);
  }
  const auto hour = std::to_string(1'795'000'000 / 3600);
  EXPECT_EQ(ask(folder, "SELECT calls FROM api_key_hours WHERE hour = " + hour), 1);
  EXPECT_EQ(ask(folder, "SELECT calls FROM api_key_hours WHERE hour = 1 + " + hour), 3);
}

TEST(KeyUsage, TheLastUseIsKnownAtOnceAndAfterARestart) {
  const Folder folder;
  {
    Opened opened(folder);
    EXPECT_FALSE(opened.usage.last_use(7));
    opened.usage.count(7, address("192.0.2.1"), CallOutcome::admitted, now);
    opened.usage.count(7, address("2001:db8::5"), CallOutcome::admitted, now + 5s);
    const auto use = opened.usage.last_use(7);
    ASSERT_TRUE(use);
    EXPECT_EQ(use->count, 2);
    EXPECT_EQ(use->last_at, now + 5s);
    EXPECT_EQ(use->last_peer, "2001:db8::5");
    EXPECT_FALSE(opened.usage.last_use(8));
  }
  Opened opened(folder);
  EXPECT_EQ(opened.usage.last_use(7)->count, 2);
  opened.usage.count(7, address("192.0.2.9"), CallOutcome::admitted, now + 9s);
  EXPECT_EQ(opened.usage.last_use(7)->count, 3);
  EXPECT_EQ(opened.usage.last_use(7)->last_peer, "192.0.2.9");
}

// Rule usage-networks-bounded.
TEST(KeyUsage, FromEverMoreNetworksOneKeyFillsABoundedNumberOfRowsAndNoCallIsLost) {
  const Folder folder;
  {
    Opened opened(folder);
    for (int round = 0; round < 3; ++round) {
      for (int at = 0; at < 300; ++at) {
        const auto peer = "10." + std::to_string(round) + "." + std::to_string(at / 250) + "." +
                          std::to_string(at % 250);
        opened.usage.count(7, address(peer), CallOutcome::admitted, now);
      }
      opened.usage.finish();
    }
  }
  EXPECT_EQ(ask(folder, "SELECT count(*) FROM api_key_networks"), 257);
  EXPECT_EQ(ask(folder, "SELECT sum(count) FROM api_key_networks"), 900);
  EXPECT_EQ(ask(folder, "SELECT count FROM api_key_networks WHERE peer = 'other'"), 900 - 256);
}

TEST(KeyUsage, OneHostsManyAddressesOfIpv6AreOneNetwork) {
  const Folder folder;
  {
    Opened opened(folder);
    for (int at = 0; at < 300; ++at)
      opened.usage.count(7, address("2001:db8::" + std::to_string(at)), CallOutcome::admitted, now);
  }
  EXPECT_EQ(ask(folder, "SELECT count FROM api_key_networks"), 300);
}

// Rule usage-of-keys.
TEST(KeyUsage, WhatCannotBeWrittenIsWrittenLaterAndOnce) {
  const Folder folder;
  {
    Opened opened(folder);
    auto others = folder.database();
    ASSERT_TRUE(
        others.execute("CREATE TRIGGER refuse BEFORE INSERT ON api_key_networks BEGIN "
                       "SELECT RAISE(ABORT, 'no'); END"));
    for (std::uint64_t key = 1; key <= 1000; ++key)
      opened.usage.count(key, address("192.0.2.1"), CallOutcome::admitted, now);
    opened.usage.finish();
    EXPECT_EQ(ask(folder, "SELECT count(*) FROM api_key_uses"), 0);
    EXPECT_EQ(opened.usage.last_use(1000)->count, 1);
    ASSERT_TRUE(others.execute("DROP TRIGGER refuse"));
  }
  EXPECT_EQ(ask(folder, "SELECT sum(count) FROM api_key_uses"), 1000);
  EXPECT_EQ(ask(folder, "SELECT sum(calls) FROM api_key_hours"), 1000);
}

}  // namespace
}  // namespace stagedoor::store
