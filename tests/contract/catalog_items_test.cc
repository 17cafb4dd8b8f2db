// What every store of catalog items promises, run against SQLite.
#include "base/text.h"
#include "opened_for_test.h"
#include "rules/kept_secret.h"
#include "store/sqlite_catalog_items.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::CatalogItem;
using rules::Environment;
using rules::ItemKind;
using rules::ItemScope;

rules::SecretKeeper keeper(std::initializer_list<char> generations) {
  static crypto::SystemRandom random;
  std::vector<base::Secret> keys;
  for (const char one : generations) keys.emplace_back(std::string(32, one));
  return {keys, random};
}

class ItemStore : public ::testing::Test {
 protected:
  ItemStore() {
    for (const auto* id : {"ws_1", "ws_2"})
      EXPECT_TRUE(store_.catalog.create_workspace(id, "w", store_.clock.now()));
  }
  SqliteCatalogItems items(const rules::SecretKeeper& keeps) {
    return SqliteCatalogItems({.writer = store_.writer,
                               .readers = store_.readers,
                               .audit = store_.audit,
                               .keeper = keeps,
                               .words = words_});
  }
  void make(const std::string& id, ItemKind kind = ItemKind::tool, std::string_view secret = {},
            const std::string& app_id = {}) {
    store_.clock.advance(1ms);
    CatalogItem item{.id = id,
                     .kind = kind,
                     .scope = {ours_.workspace_id, ours_.environment, app_id},
                     .name = "Name of " + id,
                     .content = R"({"a":1})",
                     .secret = base::Secret(secret),
                     .created_at = store_.clock.now(),
                     .updated_at = store_.clock.now()};
    EXPECT_TRUE(items_.create(item, store_.entry("tool.create")));
  }
  static base::Result<base::Done> rename(CatalogItem& item) {
    item.name = "Renamed";
    return base::Done{};
  }
  std::string sealed(const std::string& id) {
    std::string bytes;
    EXPECT_TRUE(store_.readers.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
      auto read = database.prepare("SELECT secret FROM catalog_items WHERE id = ?1");
      EXPECT_EQ(read->bind(1, id).step(), SqliteStatement::Step::row);
      bytes = base::as_text(read->blob(0));
      return base::Done{};
    }));
    return bytes;
  }

  const ItemScope ours_{"ws_1", Environment::test};
  const Folder folder_;
  Opened store_{folder_};
  PassageWords words_{store_.writer};
  const rules::SecretKeeper keeper_ = keeper({'a'});
  SqliteCatalogItems items_ = items(keeper_);
};

TEST_F(ItemStore, GivesBackWhatItWasGivenWithItsSecret) {
  make("a", ItemKind::language_model, "sk-hush");
  const auto found = items_.find(ours_, ItemKind::language_model, "a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "Name of a");
  EXPECT_EQ(found->content, R"({"a":1})");
  EXPECT_EQ(found->secret.expose(), "sk-hush");
  make("b");
  EXPECT_TRUE(items_.find(ours_, ItemKind::tool, "b")->secret.is_empty());
}

// Rule kept-secret-sealed.
TEST_F(ItemStore, KeepsASecretSealedAndBoundToItsRow) {
  make("a", ItemKind::tool, "sk-hush");
  make("b", ItemKind::tool, "sk-other");
  EXPECT_FALSE(sealed("a").contains("hush"));
  EXPECT_TRUE(items_.list(ours_, ItemKind::tool, {})->items.front().secret.is_empty());
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "UPDATE catalog_items SET secret = (SELECT secret FROM catalog_items WHERE id = 'a') "
        "WHERE id = 'b'");
  }));
  EXPECT_EQ(items_.find(ours_, ItemKind::tool, "b").error().code, ErrorCode::unavailable);
}

// Rule kept-secret-survives-rotation.
TEST_F(ItemStore, SealsAnewWhatTheOlderKeySealed) {
  make("a", ItemKind::tool, "sk-hush");
  const auto both = keeper({'b', 'a'}), newest = keeper({'b'});
  EXPECT_EQ(items(newest).find(ours_, ItemKind::tool, "a").error().code, ErrorCode::unavailable);
  EXPECT_TRUE(items(both).seal_anew());
  EXPECT_EQ(items(newest).find(ours_, ItemKind::tool, "a")->secret.expose(), "sk-hush");
  const auto once = sealed("a");
  EXPECT_TRUE(items(both).seal_anew());
  EXPECT_EQ(sealed("a"), once);
}

// Rule catalog-item-of-one-workspace.
TEST_F(ItemStore, FindsNothingOutsideTheScopeNorOfAnotherKind) {
  make("a");
  const auto entries = store_.audited().size();
  for (const auto& [scope, kind] : {std::pair{ItemScope{"ws_2", Environment::test}, ItemKind::tool},
                                    {ItemScope{"ws_1", Environment::live}, ItemKind::tool},
                                    {ours_, ItemKind::language_model}}) {
    EXPECT_EQ(items_.find(scope, kind, "a").error().code, ErrorCode::not_found);
    EXPECT_EQ(items_.list(scope, kind, {})->total, 0);
    EXPECT_EQ(items_.change(scope, kind, "a", &rename, store_.entry("tool.change")).error().code,
              ErrorCode::not_found);
    EXPECT_EQ(items_.remove(scope, kind, "a", store_.entry("tool.remove")).error().code,
              ErrorCode::not_found);
  }
  EXPECT_TRUE(items_.find(ours_, ItemKind::tool, "a"));
  EXPECT_EQ(store_.audited().size(), entries);
}

// Rule item-of-app.
TEST_F(ItemStore, FindsOfAnotherAppNothingAndOfTheWorkspaceAll) {
  make("ours", ItemKind::tool, "sk-hush", "app_1");
  make("shared");
  const auto entries = store_.audited().size();
  const auto in = [](const std::string& app_id) {
    return ItemScope{"ws_1", Environment::test, app_id};
  };
  const auto count_in = [&](const std::string& app_id) {
    return items_.list(in(app_id), ItemKind::tool, {.search = "name"})->total;
  };
  EXPECT_EQ(items_.find(in("app_1"), ItemKind::tool, "ours")->scope.app_id, "app_1");
  EXPECT_EQ(count_in("app_1"), 2);
  EXPECT_EQ(count_in("app_2"), 1);
  EXPECT_EQ(count_in(""), 2);
  const auto others = in("app_2");
  EXPECT_EQ(items_.find(others, ItemKind::tool, "ours").error().code, ErrorCode::not_found);
  EXPECT_EQ(items_.change(others, ItemKind::tool, "ours", &rename, store_.entry("x")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(items_.remove(others, ItemKind::tool, "ours", store_.entry("x")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(store_.audited().size(), entries);
  // Whoever changes a thing, it stays whose it is.
  EXPECT_TRUE(items_.change(others, ItemKind::tool, "shared", &rename, store_.entry("x")));
  EXPECT_TRUE(items_.change(ours_, ItemKind::tool, "ours", &rename, store_.entry("x")));
  EXPECT_TRUE(items_.find(in("app_1"), ItemKind::tool, "shared"));
  EXPECT_FALSE(items_.find(others, ItemKind::tool, "ours"));
  EXPECT_TRUE(items_.remove(others, ItemKind::tool, "shared", store_.entry("x")));
}

TEST_F(ItemStore, ListsTheNewestFirstByPages) {
  for (const auto* id : {"a", "b", "c"}) make(id);
  const auto page = items_.list(ours_, ItemKind::tool, {.search = "NAME", .skip = 1, .count = 1});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->total, 3);
  ASSERT_EQ(page->items.size(), 1u);
  EXPECT_EQ(page->items.front().id, "b");
  EXPECT_EQ(items_.list(ours_, ItemKind::tool, {.search = "a"})->total, 3);
  EXPECT_EQ(items_.list(ours_, ItemKind::tool, {.search = "of c"})->total, 1);
}

TEST_F(ItemStore, ChangesAllOrNothingAndRemovesForGood) {
  make("a", ItemKind::tool, "sk-hush");
  const auto refuse = [](CatalogItem& item) -> base::Result<base::Done> {
    item.name = "Half";
    return base::fail(ErrorCode::malformed, "no");
  };
  EXPECT_EQ(
      items_.change(ours_, ItemKind::tool, "a", refuse, store_.entry("tool.change")).error().code,
      ErrorCode::malformed);
  EXPECT_EQ(items_.find(ours_, ItemKind::tool, "a")->name, "Name of a");
  store_.clock.advance(1ms);
  EXPECT_TRUE(items_.change(ours_, ItemKind::tool, "a", &rename, store_.entry("tool.change")));
  const auto after = items_.find(ours_, ItemKind::tool, "a");
  EXPECT_EQ(after->name, "Renamed");
  EXPECT_EQ(after->secret.expose(), "sk-hush");
  EXPECT_EQ(after->updated_at, store_.clock.now());
  EXPECT_TRUE(items_.remove(ours_, ItemKind::tool, "a", store_.entry("tool.remove")));
  EXPECT_EQ(items_.find(ours_, ItemKind::tool, "a").error().code, ErrorCode::not_found);
  EXPECT_EQ(store_.audited(),
            (std::vector<std::string>{"tool.create", "tool.change", "tool.remove"}));
}

// Rule audit-fail-closed.
TEST_F(ItemStore, ChangesNothingThatCannotBeRecorded) {
  make("a");
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute("UPDATE audit_head SET number = number + 1");
  }));
  auto other = *items_.find(ours_, ItemKind::tool, "a");
  other.id = "b";
  EXPECT_FALSE(items_.create(other, store_.entry("tool.create")));
  EXPECT_FALSE(items_.change(ours_, ItemKind::tool, "a", &rename, store_.entry("tool.change")));
  EXPECT_FALSE(items_.remove(ours_, ItemKind::tool, "a", store_.entry("tool.remove")));
  EXPECT_EQ(items_.list(ours_, ItemKind::tool, {})->total, 1);
  EXPECT_EQ(items_.find(ours_, ItemKind::tool, "a")->name, "Name of a");
}

TEST_F(ItemStore, KeepsAsManyOfAKindAsAWorkspaceMayHave) {
  make("a");
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 999) "
        "INSERT INTO catalog_items SELECT 'a' || n, kind, workspace_id, environment, name, "
        "content, secret, created_at, updated_at, app_id, 1 + n FROM catalog_items, count");
  }));
  CatalogItem one_more{.id = "b",
                       .kind = ItemKind::tool,
                       .scope = ours_,
                       .name = "b",
                       .content = "{}",
                       .secret = {}};
  EXPECT_EQ(items_.create(one_more, store_.entry("tool.create")).error().code, ErrorCode::conflict);
  one_more.kind = ItemKind::language_model;
  EXPECT_TRUE(items_.create(one_more, store_.entry("language_model.create")));
}

// Rule item-room-of-app.
TEST_F(ItemStore, AnAppTakesHalfOfTheRoomAndLiveAndTestDataTakeNoneFromEachOther) {
  make("a", ItemKind::tool, {}, "app_1");
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 499) "
        "INSERT INTO catalog_items SELECT 'a' || n, kind, workspace_id, environment, name, "
        "content, secret, created_at, updated_at, app_id, 1 + n FROM catalog_items, count");
  }));
  const auto create = [&](const std::string& id, const std::string& app_id,
                          Environment environment) {
    CatalogItem item{.id = id,
                     .kind = ItemKind::tool,
                     .scope = {ours_.workspace_id, environment, app_id},
                     .name = id,
                     .content = "{}",
                     .secret = {}};
    return items_.create(item, store_.entry("tool.create"));
  };
  EXPECT_EQ(create("b", "app_1", Environment::test).error().code, ErrorCode::conflict);
  EXPECT_TRUE(create("c", "app_1", Environment::live));
  EXPECT_TRUE(create("d", "app_2", Environment::test));
  EXPECT_TRUE(create("e", "", Environment::test)) << "a person's";
}

}  // namespace
}  // namespace stagedoor::store
