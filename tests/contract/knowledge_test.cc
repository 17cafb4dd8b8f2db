// What every store of documents promises, run against SQLite.
#include <fstream>
#include <iterator>

#include "opened_for_test.h"
#include "rules/kept_secret.h"
#include "store/sqlite_catalog_items.h"
#include "store/sqlite_knowledge.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::Environment;
using rules::ItemKind;
using rules::ItemScope;

rules::SecretKeeper keeper() {
  static crypto::SystemRandom random;
  std::vector<base::Secret> keys;
  keys.emplace_back(std::string(32, 'k'));
  return {keys, random};
}

class KnowledgeStore : public ::testing::Test {
 protected:
  KnowledgeStore() {
    for (const auto* id : {"ws_1", "ws_2"})
      EXPECT_TRUE(store_.catalog.create_workspace(id, "w", store_.clock.now()));
    for (const auto* id : {"0a0a-1b", "0a0a-2c"}) {
      rules::CatalogItem group;
      group.id = id;
      group.kind = ItemKind::knowledge_group;
      group.scope = ours_;
      group.name = id;
      group.content = "{}";
      EXPECT_TRUE(items_.create(group, store_.entry("knowledge_group.create")));
    }
  }
  base::Result<base::Done> add(const std::string& id, const std::string& group_id,
                               std::string_view content, const ItemScope& scope) {
    store_.clock.advance(1ms);
    rules::Document document{.id = id,
                             .group_id = group_id,
                             .scope = scope,
                             .filename = id + ".txt",
                             .type = "txt",
                             .bytes = static_cast<std::int64_t>(content.size()),
                             .created_at = store_.clock.now(),
                             .updated_at = store_.clock.now()};
    return knowledge_.add(document, content, rules::passages_of(content, {}),
                          store_.entry("document.create"));
  }
  std::vector<std::string> found(std::vector<std::string> groups, std::string_view query,
                                 const ItemScope& scope) {
    std::vector<std::string> ids;
    const auto passages = knowledge_.search(
        scope, {.group_ids = std::move(groups), .words = rules::words_of_query(query)});
    EXPECT_TRUE(passages);
    for (const auto& passage : *passages) ids.push_back(passage.document_id);
    return ids;
  }
  using Ids = std::vector<std::string>;
  // After everything that waits was written, without a write-ahead log beside it.
  std::string database_file() {
    const auto nothing = [](SqliteDatabase&) -> base::Result<base::Done> { return base::Done{}; };
    while (!words_.is_purged()) EXPECT_TRUE(store_.writer.run_quietly(nothing));
    auto database = folder_.database();
    EXPECT_TRUE(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    std::ifstream file(folder_.database_path(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  const ItemScope ours_{"ws_1", Environment::test};
  const Folder folder_;
  Opened store_{folder_};
  PassageWords words_{store_.writer};
  const rules::SecretKeeper keeper_ = keeper();
  SqliteCatalogItems items_{{.writer = store_.writer,
                             .readers = store_.readers,
                             .audit = store_.audit,
                             .keeper = keeper_,
                             .words = words_}};
  SqliteKnowledge knowledge_{store_.writer, store_.readers, store_.audit, words_};
};

TEST_F(KnowledgeStore, FindsPassagesByTheirWordsTheBestFirst) {
  ASSERT_TRUE(add("hours", "0a0a-1b", "We open at nine. Opening hours: nine to five.", ours_));
  ASSERT_TRUE(add("dogs", "0a0a-1b", "Dogs may come in at any hour but nine.", ours_));
  ASSERT_TRUE(add("prices", "0a0a-1b", "Gr\u00fc\u00dfe kosten nichts.", ours_));
  EXPECT_EQ(found({"0a0a-1b"}, "opening hours?", ours_).front(), "hours");
  EXPECT_EQ(found({"0a0a-1b"}, "DOGS", ours_), Ids{"dogs"});
  EXPECT_EQ(found({"0a0a-1b"}, "gr\u00fc\u00dfe", ours_), Ids{"prices"});
  EXPECT_EQ(found({"0a0a-1b"}, "cats", ours_), Ids{});
  EXPECT_EQ(found({"0a0a-1b"}, "*\"^:()", ours_), Ids{});
  EXPECT_EQ(found({"0a0a-1b"}, "NEAR AND OR NOT dogs", ours_).front(), "dogs");
  EXPECT_GT(knowledge_.search(ours_, {.group_ids = {"0a0a-1b"}, .words = {"dogs"}})->front().score,
            0);
}

// Rule knowledge-of-one-workspace.
TEST_F(KnowledgeStore, ReachesOnlyTheGroupsThatAreNamedInTheScope) {
  ASSERT_TRUE(add("one", "0a0a-1b", "Dogs.", ours_));
  ASSERT_TRUE(add("two", "0a0a-2c", "Dogs.", ours_));
  EXPECT_EQ(found({"0a0a-2c"}, "dogs", ours_), Ids{"two"});
  EXPECT_EQ(found({"0a0a-1b", "0a0a-2c"}, "dogs", ours_).size(), 2u);
  EXPECT_EQ(found({}, "dogs", ours_), Ids{});
  EXPECT_EQ(found({"0a0a-3d", "x\" OR \"y"}, "dogs", ours_), Ids{});
  // The name of a group is no word of its texts.
  EXPECT_EQ(found({"0a0a-1b"}, "1b 0a0a", ours_), Ids{});
  for (const auto& others :
       {ItemScope{"ws_2", Environment::test}, ItemScope{"ws_1", Environment::live}}) {
    EXPECT_EQ(found({"0a0a-1b"}, "dogs", others), Ids{});
    EXPECT_EQ(knowledge_.find(others, "one").error().code, ErrorCode::not_found);
    EXPECT_EQ(knowledge_.content(others, "one").error().code, ErrorCode::not_found);
    EXPECT_TRUE(knowledge_.list(others, "0a0a-1b")->empty());
    EXPECT_EQ(
        knowledge_.rename(others, "one", "b.txt", store_.entry("document.change")).error().code,
        ErrorCode::not_found);
    EXPECT_EQ(knowledge_.remove(others, "one", store_.entry("document.remove")).error().code,
              ErrorCode::not_found);
    EXPECT_EQ(add("three", "0a0a-1b", "Dogs.", others).error().code, ErrorCode::not_found);
  }
  EXPECT_EQ(found({"0a0a-1b"}, "dogs", ours_), Ids{"one"});
}

// Rule item-of-app.
TEST_F(KnowledgeStore, DocumentsAreOfTheAppOfTheirGroup) {
  const ItemScope first{"ws_1", Environment::test, "app_1"};
  const ItemScope second{"ws_1", Environment::test, "app_2"};
  rules::CatalogItem group;
  group.id = "0a0a-3d";
  group.kind = ItemKind::knowledge_group;
  group.scope = first;
  group.content = "{}";
  ASSERT_TRUE(items_.create(group, store_.entry("knowledge_group.create")));
  ASSERT_TRUE(add("one", "0a0a-3d", "Dogs.", first));
  ASSERT_TRUE(add("shared", "0a0a-1b", "Dogs.", first));
  const std::vector<std::string> groups = {"0a0a-1b", "0a0a-3d"};
  EXPECT_EQ(found(groups, "dogs", first).size(), 2u);
  EXPECT_EQ(found(groups, "dogs", ours_).size(), 2u);
  EXPECT_EQ(found(groups, "dogs", second), Ids{"shared"});
  EXPECT_EQ(knowledge_.find(second, "one").error().code, ErrorCode::not_found);
  EXPECT_EQ(knowledge_.content(second, "one").error().code, ErrorCode::not_found);
  EXPECT_EQ(*knowledge_.content(second, "shared"), "Dogs.");
  EXPECT_TRUE(knowledge_.list(second, "0a0a-3d")->empty());
  EXPECT_EQ(*knowledge_.count(second, "0a0a-3d"), 0);
  EXPECT_EQ(*knowledge_.count(first, "0a0a-3d"), 1);
  EXPECT_EQ(knowledge_.rename(second, "one", "b.txt", store_.entry("document.change")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(knowledge_.remove(second, "one", store_.entry("document.remove")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(add("two", "0a0a-3d", "Cats.", second).error().code, ErrorCode::not_found);
  EXPECT_TRUE(add("two", "0a0a-1b", "Cats.", second));
}

TEST_F(KnowledgeStore, KeepsRenamesAndRemovesADocumentWithItsPassages) {
  ASSERT_TRUE(add("one", "0a0a-1b", "Dogs.", ours_));
  EXPECT_EQ(*knowledge_.content(ours_, "one"), "Dogs.");
  EXPECT_EQ(*knowledge_.count(ours_, "0a0a-1b"), 1);
  EXPECT_EQ(knowledge_.rename(ours_, "one", "b.txt", store_.entry("document.change"))->filename,
            "b.txt");
  EXPECT_EQ(knowledge_.list(ours_, "0a0a-1b")->front().filename, "b.txt");
  EXPECT_TRUE(knowledge_.remove(ours_, "one", store_.entry("document.remove")));
  EXPECT_EQ(found({"0a0a-1b"}, "dogs", ours_), Ids{});
  EXPECT_EQ(knowledge_.find(ours_, "one").error().code, ErrorCode::not_found);
}

TEST_F(KnowledgeStore, RemovesAGroupsDocumentsWithIt) {
  ASSERT_TRUE(add("one", "0a0a-1b", "Dogs.", ours_));
  ASSERT_TRUE(items_.remove(ours_, ItemKind::knowledge_group, "0a0a-1b",
                            store_.entry("knowledge_group.remove")));
  EXPECT_EQ(knowledge_.find(ours_, "one").error().code, ErrorCode::not_found);
  EXPECT_EQ(found({"0a0a-1b"}, "dogs", ours_), Ids{});
}

// Rule knowledge-words-forgotten.
TEST_F(KnowledgeStore, WordsOfWhatWasRemovedAreNoMoreInTheDatabasesFile) {
  const auto words = [](std::string_view each, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += std::string(each) + std::to_string(i * 7919) + " ";
    return text;
  };
  ASSERT_TRUE(add("kept", "0a0a-1b", words("staying", 400), ours_));
  ASSERT_TRUE(add("one", "0a0a-1b", words("zanzibar", 400), ours_));
  ASSERT_TRUE(add("two", "0a0a-2c", words("quagga", 400), ours_));
  EXPECT_TRUE(database_file().contains("zanzibar") && database_file().contains("quagga"));
  EXPECT_TRUE(knowledge_.remove(ours_, "one", store_.entry("document.remove")));
  EXPECT_TRUE(items_.remove(ours_, ItemKind::knowledge_group, "0a0a-2c",
                            store_.entry("knowledge_group.remove")));
  const auto file = database_file();
  EXPECT_FALSE(file.contains("zanzibar"));
  EXPECT_FALSE(file.contains("quagga"));
  EXPECT_TRUE(file.contains("staying"));
  EXPECT_EQ(found({"0a0a-1b"}, "staying7919", ours_), Ids{"kept"});
}

TEST_F(KnowledgeStore, KeepsAsMuchAsAWorkspaceMayHave) {
  ASSERT_TRUE(add("one", "0a0a-1b", "Dogs.", ours_));
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute("UPDATE documents SET bytes = 268435450");
  }));
  EXPECT_EQ(add("two", "0a0a-2c", "Cats and dogs.", ours_).error().code, ErrorCode::conflict);
  EXPECT_TRUE(add("three", "0a0a-2c", "Cats", ours_));
}

// Rule item-room-of-app.
TEST_F(KnowledgeStore, TheGroupsOfOneAppTakeHalfOfTheRoom) {
  for (const auto* app_id : {"app_1", "app_2"}) {
    rules::CatalogItem group;
    group.id = std::string("of-") + app_id;
    group.kind = ItemKind::knowledge_group;
    group.scope = {"ws_1", Environment::test, app_id};
    group.name = "of an app";
    group.content = "{}";
    ASSERT_TRUE(items_.create(group, store_.entry("knowledge_group.create")));
  }
  const ItemScope one{"ws_1", Environment::test, "app_1"},
      other{"ws_1", Environment::test, "app_2"};
  ASSERT_TRUE(add("one", "of-app_1", "Dogs.", one));
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute("UPDATE documents SET bytes = 134217720");
  }));
  EXPECT_EQ(add("two", "of-app_1", "Cats and dogs.", one).error().code, ErrorCode::conflict);
  EXPECT_TRUE(add("three", "of-app_1", "Cats", one));
  EXPECT_TRUE(add("four", "of-app_2", "Cats and dogs.", other));
}

// Rule audit-fail-closed.
TEST_F(KnowledgeStore, ChangesNothingThatCannotBeRecorded) {
  ASSERT_TRUE(add("one", "0a0a-1b", "Dogs.", ours_));
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute("UPDATE audit_head SET number = number + 1");
  }));
  EXPECT_FALSE(add("two", "0a0a-1b", "Dogs.", ours_));
  EXPECT_FALSE(knowledge_.rename(ours_, "one", "b.txt", store_.entry("document.change")));
  EXPECT_FALSE(knowledge_.remove(ours_, "one", store_.entry("document.remove")));
  EXPECT_EQ(found({"0a0a-1b"}, "dogs", ours_), Ids{"one"});
  EXPECT_EQ(knowledge_.find(ours_, "one")->filename, "one.txt");
}

}  // namespace
}  // namespace stagedoor::store
