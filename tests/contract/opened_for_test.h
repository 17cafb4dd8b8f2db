// A process with the store open, in a folder of its own.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "crypto/random.h"
#include "folder_for_test.h"
#include "store/sqlite_api_key_records.h"
#include "store/sqlite_api_keys.h"
#include "store/sqlite_apps.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_catalog.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_redemptions.h"
#include "store/sqlite_session_ledger.h"

namespace stagedoor::store {

using namespace std::chrono_literals;

const rules::ApiKeyMaker by_operator = rules::MadeByOperator{};

// A process with the store open.
struct Opened {
  explicit Opened(const Folder& folder)
      : writer(folder.database()),
        catalog(writer),
        keys(writer, catalog),
        readers(folder.database_path()),
        audit(writer, sealer_of(folder), clock),
        records(writer, readers, audit),
        apps(writer, catalog,
             [this](SqliteDatabase& database, const rules::AuditEntry& kept) {
               return audit.append(database, kept);
             }),
        ledger(
            writer,
            [](SqliteDatabase&, const rules::AuditEntry&) -> base::Result<base::Done> {
              return base::Done{};
            },
            clock),
        redemptions(writer, ledger, clock) {
    EXPECT_TRUE(writer.start());
  }
  ~Opened() { writer.stop(); }
  static rules::AuditSealer sealer_of(const Folder& folder) {
    auto database = folder.database();
    crypto::SystemRandom random;
    return *open_audit_key(database, folder.file("audit-key"), random);
  }
  void add_app() {
    ASSERT_TRUE(catalog.create_workspace("ws_1", "w", clock.now()));
    ASSERT_TRUE(catalog.create_app({"app_1", "ws_1", "a", {}}, clock.now()));
  }
  rules::ApiKey add_key(std::uint64_t id, const rules::ApiKeyHash& hash) {
    rules::ApiKey key;
    key.id = id;
    key.app_id = "app_1";
    key.environment = rules::Environment::live;
    key.name = "k";
    key.ends = "av_live_abcd…wxyz";
    key.created_at = clock.now();
    return add_key(key, hash);
  }
  rules::ApiKey add_key(const rules::ApiKey& key, const rules::ApiKeyHash& hash) {
    EXPECT_TRUE(records.create(by_operator, {{key, hash, entry("api_key.create")}}));
    return key;
  }
  rules::AuditEntry entry(std::string action) {
    rules::AuditEntry entry;
    entry.at = clock.now();
    entry.action = std::move(action);
    return entry;
  }
  base::Result<rules::ApiKey> revoke(std::uint64_t id, std::string reason = "") {
    return records.revoke(id, clock.now(), std::move(reason), entry("api_key.revoke"));
  }
  std::size_t listed(const std::string& app_id) {
    rules::ApiKeyQuery query;
    query.app_id = app_id;
    return records.list(query)->keys.size();
  }
  std::vector<std::string> audited() {
    std::vector<std::string> actions;
    (void)readers.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
      auto read = database.prepare("SELECT action FROM audit_log ORDER BY number");
      while (read->step() == SqliteStatement::Step::row) actions.emplace_back(read->text(0));
      return base::Done{};
    });
    return actions;
  }
  // The number of the use; `token_spent` for one too many.
  base::Result<int> redeem(const rules::Redemption& redemption) {
    std::promise<base::Result<rules::Redeemed>> promise;
    redemptions.redeem(redemption, [&](base::Result<rules::Redeemed> outcome) {
      promise.set_value(std::move(outcome));
    });
    return use_of(promise.get_future().get());
  }
  static base::Result<int> use_of(const base::Result<rules::Redeemed>& outcome) {
    if (!outcome) return base::fail(outcome.error());
    if (outcome->kind == rules::Redeemed::Kind::spent)
      return base::fail(base::ErrorCode::token_spent, "spent");
    return outcome->use;
  }

  base::ManualClock clock{base::from_unix_seconds(1'795'000'000)};
  SqliteWriter writer;
  SqliteCatalog catalog;
  SqliteApiKeys keys;
  SqliteReaders readers;
  SqliteAuditLog audit;
  SqliteApiKeyRecords records;
  SqliteApps apps;
  SqliteSessionLedger ledger;
  SqliteRedemptions redemptions;
};

inline rules::ApiKeyHash hash_of(std::string_view text) {
  return crypto::sha256(text);
}

// Waits for something that another thread brings about, for ten seconds at most.
template <class Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace stagedoor::store
