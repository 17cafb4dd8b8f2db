// In which order lists show what was made, run against SQLite: while the clock stands still, as it
// does within one millisecond, and after it was set back.
#include <algorithm>
#include <functional>
#include <map>

#include "base/text.h"
#include "crypto/hash.h"
#include "opened_for_test.h"
#include "rules/kept_secret.h"
#include "store/sqlite_avatars.h"
#include "store/sqlite_catalog_items.h"
#include "store/sqlite_consumer_avatars.h"
#include "store/sqlite_conversations.h"
#include "store/sqlite_knowledge.h"
#include "store/sqlite_personas.h"
#include "store/sqlite_session_records.h"
#include "store/sqlite_share_links.h"

namespace stagedoor::store {
namespace {

using rules::Environment;
using rules::ItemKind;
using Ids = std::vector<std::string>;

constexpr int page_size = 7;

rules::SecretKeeper keeper() {
  static crypto::SystemRandom random;
  std::vector<base::Secret> keys;
  keys.emplace_back(std::string(32, 'k'));
  return {keys, random};
}

rules::ShareTokenHasher hasher() {
  std::vector<crypto::HmacKey> keys;
  keys.emplace_back(base::Secret(std::string(32, 'h')));
  return rules::ShareTokenHasher(std::move(keys));
}

// Rule list-in-order-of-making.
class ListOrder : public ::testing::Test {
 protected:
  ListOrder() { store_.add_app(); }

  using Make = std::function<void(const std::string& id)>;
  // The ids of a page without the first `skip`.
  using Page = std::function<Ids(std::int64_t skip)>;

  // Ids that say nothing of the order.
  Ids make_many(const Make& make, const std::string& name) {
    Ids ids;
    for (int i = 0; i < 20; ++i)
      make(ids.emplace_back(base::hex(crypto::sha256(name + std::to_string(i))).substr(0, 16)));
    return ids;
  }
  static Ids all(const Page& page) {
    Ids ids;
    for (auto found = page(0); !found.empty(); found = page(std::ssize(ids))) {
      EXPECT_LE(std::ssize(found), page_size);
      ids.insert(ids.end(), found.begin(), found.end());
    }
    return ids;
  }
  // A list that is given as a whole.
  static Page whole(const std::function<Ids()>& list) {
    return [list](std::int64_t skip) {
      const auto ids = list();
      const auto from = std::min(std::ssize(ids), skip);
      return Ids(ids.begin() + from, ids.begin() + std::min(std::ssize(ids), from + page_size));
    };
  }
  void expect_the_newest_first(const Make& make, const Page& page) {
    auto made = make_many(make, "one moment");
    store_.clock.advance(-1h);
    const auto later = make_many(make, "after the clock was set back");
    made.insert(made.end(), later.begin(), later.end());
    std::ranges::reverse(made);
    EXPECT_EQ(all(page), made);
  }
  template <class Things>
  static Ids ids_of(const Things& things) {
    Ids ids;
    for (const auto& thing : things) ids.push_back(thing.id);
    return ids;
  }

  void make_persona(const std::string& id) {
    EXPECT_TRUE(personas_.create({.id = id,
                                  .scope = ours_,
                                  .content = rules::PersonaContent::first("a"),
                                  .created_at = store_.clock.now(),
                                  .updated_at = store_.clock.now()},
                                 store_.entry("persona.create")));
  }
  void make_item(const std::string& id, ItemKind kind) {
    rules::CatalogItem item{.id = id,
                            .kind = kind,
                            .scope = ours_,
                            .name = "a",
                            .content = "{}",
                            .secret = {},
                            .created_at = store_.clock.now(),
                            .updated_at = store_.clock.now()};
    EXPECT_TRUE(items_.create(item, store_.entry("tool.create")));
  }
  void begin_session(const std::string& id, int token) {
    rules::Redemption redemption;
    redemption.id[0] = static_cast<std::uint8_t>(token);
    redemption.expires_at = store_.clock.now() + 1min;
    redemption.at = store_.clock.now();
    redemption.session.id = id;
    redemption.session.workspace_id = "ws_1";
    redemption.session.app_id = "app_1";
    redemption.session.began_at = store_.clock.now();
    redemption.session.ends_at = store_.clock.now() + 1min;
    EXPECT_TRUE(store_.redeem(redemption));
  }

  const rules::ItemScope ours_{"ws_1", Environment::test, "app_1"};
  const Folder folder_;
  Opened store_{folder_};
  PassageWords words_{store_.writer};
  const rules::SecretKeeper keeper_ = keeper();
  const rules::ShareTokenHasher hasher_ = hasher();
  SqlitePersonas personas_{store_.writer, store_.readers, store_.audit, store_.clock};
  SqliteCatalogItems items_{{.writer = store_.writer,
                             .readers = store_.readers,
                             .audit = store_.audit,
                             .keeper = keeper_,
                             .words = words_}};
};

TEST_F(ListOrder, PersonasAreListedWithTheLastMadeFirst) {
  expect_the_newest_first(
      [&](const std::string& id) { make_persona(id); },
      [&](std::int64_t skip) {
        return ids_of(
            personas_.list(ours_, {.search = {}, .skip = skip, .count = page_size})->personas);
      });
}

TEST_F(ListOrder, WhatIsKeptForPersonasIsListedWithTheLastMadeFirst) {
  for (const auto kind : {ItemKind::language_model, ItemKind::tool, ItemKind::knowledge_group})
    expect_the_newest_first(
        [&](const std::string& id) {
          make_item(id + std::to_string(static_cast<int>(kind)), kind);
        },
        [&](std::int64_t skip) {
          auto ids = ids_of(
              items_.list(ours_, kind, {.search = {}, .skip = skip, .count = page_size})->items);
          for (auto& id : ids) id.pop_back();
          return ids;
        });
}

TEST_F(ListOrder, DocumentsAreListedWithTheLastMadeFirst) {
  SqliteKnowledge knowledge(store_.writer, store_.readers, store_.audit, words_);
  make_item("group", ItemKind::knowledge_group);
  expect_the_newest_first(
      [&](const std::string& id) {
        const rules::Document document{.id = id,
                                       .group_id = "group",
                                       .scope = ours_,
                                       .filename = "a.txt",
                                       .type = "txt",
                                       .bytes = 1,
                                       .created_at = store_.clock.now(),
                                       .updated_at = store_.clock.now()};
        EXPECT_TRUE(knowledge.add(document, "x", {}, store_.entry("document.create")));
      },
      whole([&] { return ids_of(*knowledge.list(ours_, "group")); }));
}

TEST_F(ListOrder, ShareLinksAreListedWithTheLastMadeFirstAlsoThoseOfOnePersona) {
  SqliteShareLinks links({.writer = store_.writer,
                          .readers = store_.readers,
                          .audit = store_.audit,
                          .keeper = keeper_,
                          .hasher = hasher_,
                          .clock = store_.clock});
  make_persona("persona");
  const auto page_of = [&](const std::string& persona_id) {
    return [&links, this, persona_id](std::int64_t skip) {
      return ids_of(
          links
              .list(ours_,
                    {.search = {}, .persona_id = persona_id, .skip = skip, .count = page_size})
              ->links);
    };
  };
  expect_the_newest_first(
      [&](const std::string& id) {
        rules::ShareLink link{.id = id,
                              .scope = ours_,
                              .persona_id = "persona",
                              .persona_name = {},
                              .made_by = "key_0000000000000001",
                              .token = base::Secret("sh_" + id),
                              .terms = {},
                              .created_at = store_.clock.now(),
                              .updated_at = store_.clock.now()};
        EXPECT_TRUE(links.create(link, store_.entry("share_link.create")));
      },
      page_of(""));
  EXPECT_EQ(all(page_of("persona")), all(page_of("")));
}

TEST_F(ListOrder, AvatarsAreListedWithTheLastMadeFirst) {
  SqliteAvatars avatars(store_.writer, store_.readers,
                        [this](SqliteDatabase& database, const rules::AuditEntry& entry) {
                          return store_.audit.append(database, entry);
                        });
  expect_the_newest_first(
      [&](const std::string& id) {
        EXPECT_TRUE(avatars.create({.id = id,
                                    .workspace_id = "ws_1",
                                    .name = "a",
                                    .version = "1",
                                    .character = "ada",
                                    .created_at = store_.clock.now(),
                                    .updated_at = store_.clock.now(),
                                    .app_id = {}},
                                   store_.entry("avatar.create")));
      },
      whole([&] { return ids_of(*avatars.of(ours_)); }));
}

TEST_F(ListOrder, APersonsAvatarsAreListedWithTheLastMadeFirst) {
  SqliteConsumerAvatars avatars(store_.writer, store_.readers, store_.audit);
  expect_the_newest_first(
      [&](const std::string& id) {
        rules::ConsumerAvatar avatar;
        avatar.id = avatar.short_id = avatar.slug = id;
        avatar.owner = "ada";
        avatar.content = "{}";
        avatar.created_at = store_.clock.now();
        EXPECT_TRUE(avatars.create(avatar, store_.entry("consumer_avatar.create")));
      },
      whole([&] { return ids_of(*avatars.of("ada")); }));
}

TEST_F(ListOrder, ConversationsAreListedWithTheLastBegunFirst) {
  SqliteConversations conversations(store_.writer, store_.readers, store_.audit);
  std::string last;
  expect_the_newest_first(
      [&](const std::string& id) {
        rules::Conversation conversation;
        conversation.id = id;
        conversation.app_id = "app_1";
        conversation.avatar_id = "a";
        conversation.settings = "{}";
        conversation.created_at = store_.clock.now();
        EXPECT_TRUE(conversations.create(conversation, store_.entry("conversation.begin")));
      },
      [&](std::int64_t) {
        const auto ids = ids_of(*conversations.list({"app_1", Environment::test}, last, page_size));
        if (!ids.empty()) last = ids.back();
        return ids;
      });
}

TEST_F(ListOrder, KeysAreListedWithTheLastMadeFirst) {
  std::map<std::uint64_t, std::string> names;  // by the number that a key's id is
  rules::ApiKeyQuery query;
  query.app_id = "app_1";
  query.environment = Environment::live;
  query.count_max = page_size;
  bool is_over = false;
  expect_the_newest_first(
      [&](const std::string& id) {
        const auto number = std::stoull(id.substr(0, 12), nullptr, 16);
        names[number] = id;
        store_.add_key(number, hash_of(id));
      },
      [&](std::int64_t) {
        Ids ids;
        if (is_over) return ids;
        const auto page = store_.records.list(query);
        EXPECT_TRUE(page);
        for (const auto& key : page->keys) ids.push_back(names.at(key.id));
        query.after = page->next;
        is_over = !page->next;
        return ids;
      });
}

// In the order of the times that they tell, which `from` and `to` choose by: a clock that was set
// back shows in both.
TEST_F(ListOrder, SessionsOfOneMillisecondAreListedWithTheLastBegunFirst) {
  int token = 0;
  auto begun = make_many([&](const std::string& id) { begin_session(id, ++token); }, "session");
  std::ranges::reverse(begun);
  SqliteSessionRecords records(store_.readers);
  for (const std::string app_id : {"", "app_1"}) {
    rules::SessionQuery query;
    query.workspace_id = "ws_1";
    query.app_id = app_id;
    query.count_max = page_size;
    Ids by_number, by_cursor;
    for (std::size_t skip = 0; skip < begun.size(); skip += page_size) {
      const auto page = records.numbered(query, skip);
      for (const auto& session : page->sessions) by_number.push_back(session.id);
    }
    do {
      const auto page = records.list(query);
      for (const auto& session : page->sessions) by_cursor.push_back(session.id);
      query.beyond = page->beyond;
    } while (!query.beyond.empty());
    EXPECT_EQ(by_number, begun);
    EXPECT_EQ(by_cursor, begun);
  }
}

}  // namespace
}  // namespace stagedoor::store
