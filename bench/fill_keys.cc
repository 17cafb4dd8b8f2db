// Fills a data folder with many good API keys at once, for measurements of a full store.
//
//   fill_keys DATA COUNT KEYS_FILE KEYS_WRITTEN
//
// The keys are made as the product makes them (same text, same keyed hash, same row) and belong to
// the first app, but go in by one transaction that does not wait for the disk. The texts of the
// first KEYS_WRITTEN go to KEYS_FILE, one a line. No server may run on the folder meanwhile.
//
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "rules/api_key.h"
#include "server/workspace.h"
#include "store/sqlite_database.h"

namespace {

using namespace stagedoor;

struct NewKey {
  rules::ApiKeyHash hash;
  std::uint64_t id;
  std::string ends;
};

int complain(std::string_view doing, const base::Error& error) {
  fmt::print(stderr, "fill_keys: {}: {} {}\n", doing, error.detail, error.hint);
  return 1;
}

std::vector<NewKey> make_keys(server::Workspace& workspace, std::size_t count,
                              const std::string& file, std::size_t written) {
  std::ofstream texts(file, std::ios::trunc);
  std::vector<NewKey> keys(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto text = rules::ApiKeyText::make(rules::Environment::test, workspace.random);
    if (i < written) texts << text.secret().expose() << '\n';
    std::array<std::uint8_t, 8> bytes;
    workspace.random.fill(bytes);
    std::memcpy(&keys[i].id, bytes.data(), bytes.size());
    keys[i].id >>= 1;
    keys[i].hash = workspace.hasher->current(text);
    keys[i].ends = text.ends();
  }
  // In the order of the largest index, which then only grows at its end.
  std::ranges::sort(keys, {}, &NewKey::hash);
  return keys;
}

base::Result<base::Done> insert(store::SqliteDatabase& database, const std::string& app_id,
                                const std::vector<NewKey>& keys, base::Instant now) {
  if (auto set = database.execute("PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000; "
                                  "PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE");
      !set)
    return set;
  auto row = database.prepare(
      "INSERT INTO api_keys (id, app_id, environment, hash, name, ends, created_at, change) "
      "VALUES (?1, ?2, ?3, ?4, 'a key', ?5, ?6, ?7)");
  auto last = database.prepare("SELECT ifnull(max(change), 0) FROM api_keys");
  if (!row || !last) return database.trouble("prepare");
  if (last->step() != store::SqliteStatement::Step::row) return database.trouble("last change");
  auto change = last->integer(0);
  last->reset();
  for (const auto& key : keys) {
    row->bind(1, static_cast<std::int64_t>(key.id)).bind(2, app_id);
    row->bind(3, static_cast<std::int64_t>(rules::Environment::test)).bind_blob(4, key.hash);
    row->bind(5, key.ends).bind(6, now.time_since_epoch().count()).bind(7, ++change);
    if (!row->run()) return database.trouble("insert");
  }
  if (auto done = database.execute("COMMIT"); !done) return done;
  return database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace

int main(int argument_count, char** arguments) {
  std::size_t count = 0, written = 0;
  const auto number = [](std::string_view text, std::size_t& value) {
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
  };
  if (argument_count != 5 || !number(arguments[2], count) || !number(arguments[4], written)) {
    fmt::print(stderr, "fill_keys DATA COUNT KEYS_FILE KEYS_WRITTEN\n");
    return 2;
  }
  const server::DataFolder folder{arguments[1]};
  const server::Config config;
  const auto workspace = server::Workspace::open(folder, config);
  if (!workspace) return complain("open", workspace.error());
  const auto apps = (*workspace)->catalog->apps();
  if (apps.empty()) {
    fmt::print(stderr, "fill_keys: {} has no app\n", folder.path);
    return 1;
  }
  const auto keys = make_keys(**workspace, count, arguments[3], written);
  auto database =
      store::SqliteDatabase::open(folder.database(), store::SqliteDatabase::Mode::must_exist);
  if (!database) return complain("open", database.error());
  if (auto done = insert(*database, apps.front().id, keys, (*workspace)->clock.now()); !done)
    return complain("insert", done.error());
  return 0;
}
