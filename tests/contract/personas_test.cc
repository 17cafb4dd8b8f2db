// What every store of personas and their snapshots promises, run against the SQLite ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/text.h"
#include "crypto/random.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_catalog.h"
#include "store/sqlite_personas.h"
#include "store/sqlite_readers.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::Environment;
using rules::PersonaContent;

rules::SecretKeeper keeper_of(char key, base::Random& random) {
  std::vector<base::Secret> keys;
  keys.emplace_back(std::string(32, key));
  return {keys, random};
}

class PersonaStore : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "stagedoor-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    auto database = SqliteDatabase::open(file(), SqliteDatabase::Mode::create);
    ASSERT_TRUE(migrate(*database));
    auto sealer = open_audit_key(*database, path_ + "/audit-key", random_);
    ASSERT_TRUE(sealer);
    writer_.emplace(*std::move(database));
    audit_.emplace(*writer_, *std::move(sealer), clock_);
    readers_.emplace(file());
    catalog_.emplace(*writer_);
    ASSERT_TRUE(writer_->start());
    for (const auto* id : {"ws_1", "ws_2"})
      ASSERT_TRUE(catalog_->create_workspace(id, "w", clock_.now()));
    personas_.emplace(*writer_, *readers_, *audit_, clock_);
  }
  void TearDown() override {
    writer_->stop();
    std::filesystem::remove_all(path_);
  }
  std::string file() const { return path_ + "/store.db"; }

  rules::Persona made(const std::string& id, const std::string& name,
                      const std::string& workspace = "ws_1",
                      Environment environment = Environment::test, const std::string& app_id = {}) {
    clock_.advance(std::chrono::milliseconds(1));
    rules::Persona persona{.id = id,
                           .scope = {workspace, environment, app_id},
                           .content = *PersonaContent::of_canonical(R"({"name":")" + name + "\"}"),
                           .created_at = clock_.now(),
                           .updated_at = clock_.now()};
    EXPECT_TRUE(personas_->create(persona, entry("persona.create", id)));
    return persona;
  }
  rules::AuditEntry entry(const std::string& action, const std::string& subject) const {
    rules::AuditEntry entry;
    entry.at = clock_.now();
    entry.workspace_id = "ws_1";
    entry.actor = "key_1";
    entry.action = action;
    entry.subject = subject;
    return entry;
  }
  std::int64_t rows_in(const std::string& table) {
    std::int64_t count = -1;
    EXPECT_TRUE(readers_->read([&](SqliteDatabase& database) -> base::Result<base::Done> {
      auto read = database.prepare("SELECT count(*) FROM " + table);
      if (!read || read->step() != SqliteStatement::Step::row) return database.trouble("count");
      count = read->integer(0);
      return base::Done{};
    }));
    return count;
  }

  const rules::PersonaScope ours_{"ws_1", Environment::test};
  crypto::SystemRandom random_;
  const rules::SecretKeeper keeper_ = keeper_of('k', random_);
  base::ManualClock clock_{base::from_unix_seconds(1'795'000'000)};
  std::string path_;
  std::optional<SqliteWriter> writer_;
  std::optional<SqliteAuditLog> audit_;
  std::optional<SqliteReaders> readers_;
  std::optional<SqliteCatalog> catalog_;
  std::optional<SqlitePersonas> personas_;
};

TEST_F(PersonaStore, GivesBackWhatItWasGiven) {
  const auto persona = made("p", "Ada");
  const auto found = personas_->find(ours_, "p");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->content.json(), persona.content.json());
  EXPECT_EQ(found->created_at, persona.created_at);
  EXPECT_EQ(found->scope.environment, Environment::test);
}

// Rule persona-of-one-workspace.
TEST_F(PersonaStore, FindsNothingOutsideTheScope) {
  made("p", "Ada");
  const auto unchanged = [](const PersonaContent& before) -> base::Result<PersonaContent> {
    return before;
  };
  for (const auto& scope : {rules::PersonaScope{"ws_2", Environment::test},
                            rules::PersonaScope{"ws_1", Environment::live}}) {
    EXPECT_EQ(personas_->find(scope, "p").error().code, ErrorCode::not_found);
    EXPECT_EQ(personas_->list(scope, {})->total, 0);
    EXPECT_EQ(personas_->change(scope, "p", unchanged, entry("persona.change", "p")).error().code,
              ErrorCode::not_found);
    EXPECT_EQ(personas_->remove(scope, "p", entry("persona.remove", "p")).error().code,
              ErrorCode::not_found);
  }
  EXPECT_TRUE(personas_->find(ours_, "p"));
}

// Rule item-of-app.
TEST_F(PersonaStore, FindsOfAnotherAppNothingAndOfTheWorkspaceAll) {
  made("ours", "Ada", "ws_1", Environment::test, "app_1");
  made("shared", "Ada");
  const auto entries = rows_in("audit_log");
  const auto same = [](const PersonaContent& before) -> base::Result<PersonaContent> {
    return before;
  };
  const auto count_in = [&](const std::string& app_id) {
    return personas_->list({"ws_1", Environment::test, app_id}, {.search = "Ada"})->total;
  };
  EXPECT_EQ(personas_->find(ours_, "ours")->scope.app_id, "app_1");
  EXPECT_EQ(personas_->find(ours_, "shared")->scope.app_id, "");
  EXPECT_EQ(count_in("app_1"), 2);
  EXPECT_EQ(count_in("app_2"), 1);
  EXPECT_EQ(count_in(""), 2);
  const rules::PersonaScope others{"ws_1", Environment::test, "app_2"};
  EXPECT_EQ(personas_->find(others, "ours").error().code, ErrorCode::not_found);
  EXPECT_EQ(personas_->change(others, "ours", same, entry("persona.change", "p")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(personas_->remove(others, "ours", entry("persona.remove", "p")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(rows_in("audit_log"), entries);
  // Whoever changes a thing, it stays whose it is.
  ASSERT_TRUE(personas_->change(others, "shared", same, entry("persona.change", "p")));
  ASSERT_TRUE(personas_->change(ours_, "ours", same, entry("persona.change", "p")));
  EXPECT_EQ(count_in("app_1"), 2);
  EXPECT_EQ(count_in("app_2"), 1);
  EXPECT_TRUE(personas_->remove(others, "shared", entry("persona.remove", "p")));
}

TEST_F(PersonaStore, ListsTheNewestFirstByPages) {
  for (const auto* name : {"Ada", "Ben", "Cara", "adam"}) made(std::string("id-") + name, name);
  const auto page = personas_->list(ours_, {.search = "", .skip = 1, .count = 2});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->total, 4);
  ASSERT_EQ(page->personas.size(), 2u);
  EXPECT_EQ(page->personas[0].content.name(), "Cara");
  EXPECT_EQ(page->personas[1].content.name(), "Ben");
  EXPECT_EQ(personas_->list(ours_, {.search = "ADA"})->total, 2);
  EXPECT_EQ(personas_->list(ours_, {.search = "id-Ben"})->total, 1);
  EXPECT_EQ(personas_->list(ours_, {.search = "%"})->total, 0);
}

// Rule item-room-of-app.
TEST_F(PersonaStore, AnAppTakesHalfOfTheRoomAndLiveAndTestDataTakeNoneFromEachOther) {
  made("a", "Ada", "ws_1", Environment::test, "app_1");
  ASSERT_TRUE(writer_->run([](SqliteDatabase& database) {
    return database.execute(
        "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 4999) "
        "INSERT INTO personas SELECT 'a' || n, workspace_id, environment, name, content, "
        "created_at, updated_at, app_id, 1 + n FROM personas, count");
  }));
  const auto create = [&](const std::string& id, Environment environment,
                          const std::string& app_id) {
    const rules::Persona persona{.id = id,
                                 .scope = {"ws_1", environment, app_id},
                                 .content = *PersonaContent::of_canonical(R"({"name":"B"})"),
                                 .created_at = clock_.now(),
                                 .updated_at = clock_.now()};
    return personas_->create(persona, entry("persona.create", id));
  };
  EXPECT_EQ(create("b", Environment::test, "app_1").error().code, base::ErrorCode::conflict);
  EXPECT_TRUE(create("c", Environment::live, "app_1"));
  EXPECT_TRUE(create("d", Environment::test, "app_2"));
  EXPECT_TRUE(create("e", Environment::test, "")) << "a person's";
}

TEST_F(PersonaStore, ChangesAllOrNothing) {
  made("p", "Ada");
  const auto entries = rows_in("audit_log");
  const auto refuse = [](const PersonaContent&) -> base::Result<PersonaContent> {
    return base::fail(ErrorCode::malformed, "no");
  };
  EXPECT_EQ(personas_->change(ours_, "p", refuse, entry("persona.change", "p")).error().code,
            ErrorCode::malformed);
  EXPECT_EQ(rows_in("audit_log"), entries);
  const auto rename = [](const PersonaContent&) {
    return PersonaContent::of_canonical(R"({"name":"Eva"})");
  };
  EXPECT_TRUE(personas_->change(ours_, "p", rename, entry("persona.change", "p")));
  EXPECT_EQ(personas_->find(ours_, "p")->content.name(), "Eva");
  EXPECT_EQ(rows_in("audit_log"), entries + 1);
}

// Rule audit-fail-closed.
TEST_F(PersonaStore, RecordsEachChangeWithItOrDoesNotMakeIt) {
  made("p", "Ada");
  EXPECT_EQ(rows_in("audit_log"), 1);
  // The log's end is changed by others: nothing can be recorded.
  ASSERT_TRUE(writer_->run([](SqliteDatabase& database) {
    return database.execute("UPDATE audit_head SET number = number + 1");
  }));
  const auto persona = *personas_->find(ours_, "p");
  auto other = persona;
  other.id = "q";
  EXPECT_FALSE(personas_->create(other, entry("persona.create", "q")));
  EXPECT_FALSE(personas_->remove(ours_, "p", entry("persona.remove", "p")));
  EXPECT_TRUE(personas_->find(ours_, "p"));
  EXPECT_FALSE(personas_->find(ours_, "q"));
}

TEST_F(PersonaStore, RemovesForGood) {
  made("p", "Ada");
  EXPECT_TRUE(personas_->remove(ours_, "p", entry("persona.remove", "p")));
  EXPECT_EQ(personas_->find(ours_, "p").error().code, ErrorCode::not_found);
}

rules::PersonaSnapshot snapshot(const std::string& name) {
  const auto content = *PersonaContent::of_canonical(R"({"name":")" + name + "\"}");
  static const crypto::HmacKey key(base::Secret(std::string(32, 'k')));
  return rules::snapshot_of({content, {}, {}, "ada"}, key);
}

// Rule persona-snapshot-stored-once.
TEST_F(PersonaStore, KeepsASnapshotOnceHoweverManyAskAtOnce) {
  SqlitePersonaSnapshots snapshots(*writer_, *readers_, keeper_);
  const auto one = snapshot("a");
  EXPECT_FALSE(snapshots.is_known(one.digest, clock_.now()));
  EXPECT_EQ(snapshots.find(one.digest).error().code, ErrorCode::not_found);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] { EXPECT_TRUE(snapshots.keep(one, clock_.now())); });
  }
  EXPECT_TRUE(snapshots.is_known(one.digest, clock_.now()));
  EXPECT_EQ(rows_in("persona_snapshots"), 1);
  EXPECT_EQ(*snapshots.find(one.digest), one.content);
}

// Rule kept-secret-sealed.
TEST_F(PersonaStore, KeepsASnapshotSealed) {
  SqlitePersonaSnapshots snapshots(*writer_, *readers_, keeper_);
  const auto one = snapshot("very-secret");
  ASSERT_TRUE(snapshots.keep(one, clock_.now()));
  ASSERT_TRUE(readers_->read([](SqliteDatabase& database) -> base::Result<base::Done> {
    auto read = database.prepare("SELECT content, sealed FROM persona_snapshots");
    EXPECT_EQ(read->step(), SqliteStatement::Step::row);
    EXPECT_EQ(read->text(0), "");
    EXPECT_FALSE(base::as_text(read->blob(1)).contains("very-secret"));
    return base::Done{};
  }));
  const auto others = keeper_of('l', random_);
  SqlitePersonaSnapshots elsewhere(*writer_, *readers_, others);
  EXPECT_EQ(elsewhere.find(one.digest).error().code, ErrorCode::unavailable);
}

TEST_F(PersonaStore, ReadsASnapshotThatAnOlderProgramKeptInTheClear) {
  SqlitePersonaSnapshots snapshots(*writer_, *readers_, keeper_);
  const auto one = snapshot("a");
  ASSERT_TRUE(writer_->run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto insert = database.prepare(
        "INSERT INTO persona_snapshots (digest, content, minted_at) VALUES (?1, ?2, 0)");
    EXPECT_TRUE(insert->bind_blob(1, one.digest).bind(2, one.content).run());
    return base::Done{};
  }));
  EXPECT_EQ(*snapshots.find(one.digest), one.content);
}

// Rule persona-snapshot-stored-once.
TEST_F(PersonaStore, WritesNothingForASnapshotThatItHas) {
  const auto one = snapshot("a");
  {
    SqlitePersonaSnapshots snapshots(*writer_, *readers_, keeper_);
    EXPECT_TRUE(snapshots.keep(one, clock_.now()));
  }
  // As after a new start: nothing is in memory, and the writer is gone, so a write would fail.
  writer_->stop();
  SqlitePersonaSnapshots snapshots(*writer_, *readers_, keeper_);
  EXPECT_TRUE(snapshots.keep(one, clock_.now()));
  EXPECT_TRUE(snapshots.is_known(one.digest, clock_.now()));
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(snapshots.keep(one, clock_.now()));
  EXPECT_EQ(snapshots.keep(snapshot("b"), clock_.now()).error().code, ErrorCode::unavailable);
  EXPECT_FALSE(snapshots.is_known(snapshot("b").digest, clock_.now()));
}

// Rule persona-snapshot-stored-once.
TEST_F(PersonaStore, ForgetsASnapshotOnlyWhenTheLastTokenThatCanNameItHasExpired) {
  using namespace std::chrono_literals;
  SqlitePersonaSnapshots snapshots(*writer_, *readers_, keeper_);
  const auto once = snapshot("once"), often = snapshot("often");
  const auto forget = [&] {
    snapshots.forget(clock_.now());
    return writer_->run([](SqliteDatabase&) -> base::Result<base::Done> { return base::Done{}; });
  };
  EXPECT_TRUE(snapshots.keep(once, clock_.now()));
  for (int minute = 0; minute <= 24 * 60 + 59; minute += 59) {
    EXPECT_TRUE(snapshots.keep(often, clock_.now()));
    EXPECT_TRUE(forget());
    EXPECT_TRUE(snapshots.find(once.digest)) << minute;
    clock_.advance(59min);
  }
  clock_.advance(2h);
  EXPECT_TRUE(forget());
  EXPECT_EQ(snapshots.find(once.digest).error().code, ErrorCode::not_found);
  EXPECT_TRUE(snapshots.find(often.digest));
  EXPECT_FALSE(snapshots.is_known(once.digest, clock_.now()));
  EXPECT_TRUE(snapshots.keep(once, clock_.now()));
  EXPECT_TRUE(snapshots.find(once.digest));
  // The last token for the other was minted in the last round above.
  clock_.advance(22h);
  EXPECT_TRUE(forget());
  EXPECT_TRUE(snapshots.find(often.digest));
}

}  // namespace
}  // namespace stagedoor::store
