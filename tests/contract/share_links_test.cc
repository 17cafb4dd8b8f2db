// What every store of share links promises, run against SQLite.
#include "base/text.h"
#include "opened_for_test.h"
#include "rules/kept_secret.h"
#include "store/sqlite_personas.h"
#include "store/sqlite_share_links.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::Environment;
using rules::ItemScope;
using rules::ShareLink;

rules::SecretKeeper keeper(std::initializer_list<char> generations) {
  static crypto::SystemRandom random;
  std::vector<base::Secret> keys;
  for (const char one : generations) keys.emplace_back(std::string(32, one));
  return {keys, random};
}

rules::ShareTokenHasher hasher(std::initializer_list<char> generations) {
  std::vector<crypto::HmacKey> keys;
  for (const char one : generations) keys.emplace_back(base::Secret(std::string(32, one)));
  return rules::ShareTokenHasher(std::move(keys));
}

class LinkStore : public ::testing::Test {
 protected:
  LinkStore() {
    for (const auto* id : {"ws_1", "ws_2"})
      EXPECT_TRUE(store_.catalog.create_workspace(id, "w", store_.clock.now()));
    for (const auto* id : {"p1", "p2"}) make_persona(id);
  }
  void make_persona(const std::string& id, const std::string& app_id = {}) {
    SqlitePersonas personas(store_.writer, store_.readers, store_.audit, store_.clock);
    EXPECT_TRUE(personas.create({.id = id,
                                 .scope = {"ws_1", Environment::test, app_id},
                                 .content = rules::PersonaContent::first("a"),
                                 .created_at = store_.clock.now(),
                                 .updated_at = store_.clock.now()},
                                store_.entry("persona.create")));
  }
  SqliteShareLinks links(const rules::SecretKeeper& keeps, const rules::ShareTokenHasher& hashes) {
    return SqliteShareLinks({.writer = store_.writer,
                             .readers = store_.readers,
                             .audit = store_.audit,
                             .keeper = keeps,
                             .hasher = hashes,
                             .clock = store_.clock});
  }
  ShareLink link(const std::string& id, const std::string& persona_id = "p1") {
    store_.clock.advance(1ms);
    ShareLink made{.id = id,
                   .scope = of_app("app_1"),
                   .persona_id = persona_id,
                   .persona_name = {},
                   .made_by = "key_0000000000000001",
                   .token = token(id),
                   .terms = {},
                   .created_at = store_.clock.now(),
                   .updated_at = store_.clock.now()};
    made.terms.uses_max = 2;
    return made;
  }
  static base::Secret token(const std::string& id) { return base::Secret("sh_of_" + id); }
  base::Result<base::Done> create(ShareLink made) {
    return links_.create(made, store_.entry("share_link.create"));
  }
  void make(const std::string& id, bool is_primary = false) {
    auto made = link(id);
    made.terms.is_primary = is_primary;
    EXPECT_TRUE(create(std::move(made)));
  }
  // What was revoked, each at this very moment.
  std::vector<std::string> revoked() {
    std::vector<std::string> said;
    EXPECT_TRUE(store_.readers.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
      auto read = database.prepare(
          "SELECT subject || ' ' || workspace_id || ' ' || app_id || ' ' || environment || ' ' || "
          "value, minted_until FROM token_revocations ORDER BY change");
      while (read->step() == SqliteStatement::Step::row) {
        said.emplace_back(read->text(0));
        EXPECT_EQ(read->integer(1), base::unix_millis(store_.clock.now()));
      }
      return base::Done{};
    }));
    return said;
  }
  std::string column(const std::string& name, const std::string& id) {
    std::string bytes;
    EXPECT_TRUE(store_.readers.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
      auto read = database.prepare("SELECT " + name + " FROM share_links WHERE id = ?1");
      EXPECT_EQ(read->bind(1, id).step(), SqliteStatement::Step::row);
      bytes = base::as_text(read->blob(0));
      return base::Done{};
    }));
    return bytes;
  }
  rules::AuditEntry use_entry() { return store_.entry("share_link.use"); }

  static ItemScope of_app(const std::string& app_id) { return {"ws_1", Environment::test, app_id}; }

  const ItemScope ours_{"ws_1", Environment::test};
  const Folder folder_;
  Opened store_{folder_};
  const rules::SecretKeeper keeper_ = keeper({'a'});
  const rules::ShareTokenHasher hasher_ = hasher({'a'});
  SqliteShareLinks links_ = links(keeper_, hasher_);
};

TEST_F(LinkStore, GivesBackWhatItWasGivenByIdAndByToken) {
  auto made = link("a");
  made.terms.kind = rules::ShareLinkKind::orb_embed;
  made.terms.expires_at = store_.clock.now() + 1h;
  made.terms.allowed_origins = {"https://a.example", "https://b.example"};
  made.terms.is_without_watermark = true;
  const auto terms = made.terms;
  ASSERT_TRUE(create(std::move(made)));
  const auto by_id = links_.find(ours_, "a"), by_token = links_.find_by_token(token("a"));
  for (const auto* found : {&by_id, &by_token}) {
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->token.expose(), "sh_of_a");
    EXPECT_EQ((*found)->terms.kind, terms.kind);
    EXPECT_EQ((*found)->terms.expires_at, terms.expires_at);
    EXPECT_EQ((*found)->terms.uses_max, 2);
    EXPECT_EQ((*found)->terms.allowed_origins, terms.allowed_origins);
    EXPECT_TRUE((*found)->terms.is_without_watermark);
    EXPECT_EQ((*found)->made_by, "key_0000000000000001");
    EXPECT_FALSE((*found)->has_maker_logged_out);
  }
  EXPECT_EQ(links_.find_by_token(token("b")).error().code, ErrorCode::not_found);
}

// Rule share-link-sealed.
TEST_F(LinkStore, KeepsATokenSealedAndBoundToItsLink) {
  make("a");
  make("b");
  EXPECT_FALSE(column("token", "a").contains("sh_of"));
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "UPDATE share_links SET token = (SELECT token FROM share_links WHERE id = 'a') "
        "WHERE id = 'b'");
  }));
  EXPECT_TRUE(links_.find(ours_, "b")->token.is_empty());
}

// Rule kept-secret-survives-rotation.
TEST_F(LinkStore, SealsAndHashesAnewWhatTheOlderKeysDid) {
  make("a");
  const auto both_keep = keeper({'b', 'a'}), new_keep = keeper({'b'});
  const auto both_hash = hasher({'b', 'a'}), new_hash = hasher({'b'});
  auto both = links(both_keep, both_hash), newest = links(new_keep, new_hash);
  EXPECT_TRUE(both.find_by_token(token("a")));
  EXPECT_FALSE(newest.find_by_token(token("a")));
  EXPECT_TRUE(both.seal_anew());
  ASSERT_TRUE(newest.find_by_token(token("a")));
  EXPECT_EQ(newest.find(ours_, "a")->token.expose(), "sh_of_a");
  const auto once = column("token", "a");
  EXPECT_TRUE(both.seal_anew());
  EXPECT_EQ(column("token", "a"), once);
}

// Rule share-link-counted-exactly.
TEST_F(LinkStore, OfManyAtOnceExactlySoManyUsesCount) {
  auto made = link("a");
  made.terms.uses_max = 5;
  ASSERT_TRUE(create(std::move(made)));
  const auto before = store_.audited().size();
  std::atomic<int> counted = 0;
  std::vector<std::thread> visitors;
  for (int i = 0; i < 32; ++i)
    visitors.emplace_back([&] { counted += links_.use("a", use_entry()) ? 1 : 0; });
  for (auto& visitor : visitors) visitor.join();
  EXPECT_EQ(counted, 5);
  EXPECT_EQ(links_.find(ours_, "a")->uses, 5);
  EXPECT_EQ(store_.audited().size(), before + 5);
}

TEST_F(LinkStore, CountsNoUseOfALinkThatIsClosed) {
  make("a");
  const auto set = [&](auto change) {
    const auto apply = [&](ShareLink& found) -> base::Result<base::Done> {
      change(found.terms);
      return base::Done{};
    };
    ASSERT_TRUE(links_.change(ours_, "a", apply, store_.entry("share_link.change")));
  };
  set([](auto& terms) { terms.is_enabled = false; });
  EXPECT_EQ(links_.use("a", use_entry()).error().code, ErrorCode::not_found);
  set([&](auto& terms) {
    terms.is_enabled = true;
    terms.expires_at = store_.clock.now();
  });
  EXPECT_EQ(links_.use("a", use_entry()).error().code, ErrorCode::not_found);
  set([](auto& terms) { terms.expires_at.reset(); });
  EXPECT_TRUE(links_.use("a", use_entry()));
  EXPECT_EQ(links_.find(ours_, "a")->uses, 1);
}

// Rule share-link-one-primary.
TEST_F(LinkStore, OfAPersonasLinksTheNewestPrimaryOneIsTheOnlyOne) {
  make("a", true);
  make("b", true);
  EXPECT_FALSE(links_.find(ours_, "a")->terms.is_primary);
  EXPECT_TRUE(links_.find(ours_, "b")->terms.is_primary);
}

// Rule share-link-of-one-workspace.
TEST_F(LinkStore, FindsNothingOutsideTheScope) {
  make("a");
  const auto entries = store_.audited().size();
  const auto change = [](ShareLink&) -> base::Result<base::Done> { return base::Done{}; };
  for (const auto& scope :
       {ItemScope{"ws_2", Environment::test}, ItemScope{"ws_1", Environment::live}}) {
    EXPECT_EQ(links_.find(scope, "a").error().code, ErrorCode::not_found);
    EXPECT_EQ(links_.list(scope, {})->total, 0);
    EXPECT_EQ(links_.change(scope, "a", change, store_.entry("share_link.change")).error().code,
              ErrorCode::not_found);
    EXPECT_EQ(links_.remove(scope, "a", store_.entry("share_link.remove")).error().code,
              ErrorCode::not_found);
    auto made = link("b");
    made.scope = scope;
    EXPECT_EQ(create(std::move(made)).error().code, ErrorCode::not_found);
  }
  EXPECT_TRUE(links_.find(ours_, "a"));
  EXPECT_EQ(store_.audited().size(), entries);
}

TEST_F(LinkStore, ListsTheNewestFirstByPagesAndOfOnePersona) {
  for (const auto* id : {"a", "b", "c"}) make(id);
  ASSERT_TRUE(create(link("other", "p2")));
  const auto page = links_.list(ours_, {.search = {}, .persona_id = "p1", .skip = 1, .count = 1});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->total, 3);
  ASSERT_EQ(page->links.size(), 1u);
  EXPECT_EQ(page->links.front().id, "b");
  EXPECT_EQ(links_.list(ours_, {})->total, 4);
  EXPECT_EQ(links_.list(ours_, {.search = "c", .persona_id = {}})->total, 1);
}

TEST_F(LinkStore, KeepsAsManyAsAPersonaMayHave) {
  for (int i = 0; i < rules::share_links_of_persona_max; ++i) make(std::to_string(i));
  EXPECT_EQ(create(link("more")).error().code, ErrorCode::conflict);
  EXPECT_TRUE(create(link("more", "p2")));
}

// Rule item-room-of-app.
TEST_F(LinkStore, AnAppTakesHalfOfTheRoom) {
  for (const auto* id : {"q0", "q1", "q2", "q3", "q4"}) make_persona(id);
  for (int i = 0; i < rules::share_links_of_workspace_max / 2; ++i)
    ASSERT_TRUE(create(link(std::to_string(i), "q" + std::to_string(i % 5)))) << i;
  EXPECT_EQ(create(link("more", "p2")).error().code, ErrorCode::conflict);
  auto of_another = link("more", "p2");
  of_another.scope.app_id = "app_2";
  EXPECT_TRUE(create(std::move(of_another)));
}

// Rule share-link-ends-what-it-opened.
TEST_F(LinkStore, RevokesWhatItOpenedOnceItIsDisabledOrTakenAway) {
  const auto enable = [&](const std::string& id, bool is_enabled) {
    const auto change = [&](ShareLink& found) -> base::Result<base::Done> {
      found.terms.is_enabled = is_enabled;
      return base::Done{};
    };
    store_.clock.advance(1ms);
    EXPECT_TRUE(links_.change(ours_, id, change, store_.entry("share_link.change")));
  };
  for (const auto* id : {"a", "b", "unused"}) make(id);
  ASSERT_TRUE(links_.use("a", use_entry()));
  ASSERT_TRUE(links_.use("b", use_entry()));
  enable("a", true);
  enable("unused", false);
  EXPECT_TRUE(revoked().empty());
  enable("a", false);
  const std::string of_a = "1 ws_1 app_1 1 share_link:a";
  EXPECT_EQ(revoked(), std::vector<std::string>{of_a});
  EXPECT_TRUE(links_.remove(ours_, "unused", store_.entry("share_link.remove")));
  enable("a", true);
  const auto entry = store_.entry("share_link.remove");
  // However long it waited to be done: what was opened meanwhile ends too.
  store_.clock.advance(1s);
  EXPECT_TRUE(links_.remove(ours_, "a", entry));
  EXPECT_EQ(revoked(), std::vector<std::string>{of_a});
  EXPECT_TRUE(links_.remove(of_app("app_1"), "b", store_.entry("share_link.remove")));
}

// Rule item-of-app.
TEST_F(LinkStore, FindsNothingOfAnotherApp) {
  make("a");
  const auto change = [](ShareLink&) -> base::Result<base::Done> { return base::Done{}; };
  const auto others = of_app("app_2");
  EXPECT_EQ(links_.find(others, "a").error().code, ErrorCode::not_found);
  EXPECT_EQ(links_.list(others, {})->total, 0);
  EXPECT_EQ(links_.change(others, "a", change, store_.entry("x")).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(links_.remove(others, "a", store_.entry("x")).error().code, ErrorCode::not_found);
  EXPECT_EQ(links_.find(of_app("app_1"), "a")->scope.app_id, "app_1");
  EXPECT_EQ(links_.list(of_app("app_1"), {})->total, 1);
  EXPECT_EQ(links_.list(ours_, {})->total, 1);
  make_persona("theirs", "app_2");
  EXPECT_EQ(create(link("b", "theirs")).error().code, ErrorCode::not_found);
}

// Rule share-link-one-primary.
TEST_F(LinkStore, EachAppHasAPrimaryLinkOfItsOwn) {
  make("a", true);
  auto other = link("b");
  other.scope.app_id = "app_2";
  other.terms.is_primary = true;
  ASSERT_TRUE(create(std::move(other)));
  EXPECT_TRUE(links_.find(ours_, "a")->terms.is_primary);
  EXPECT_TRUE(links_.find(ours_, "b")->terms.is_primary);
  make("c", true);
  EXPECT_FALSE(links_.find(ours_, "a")->terms.is_primary);
  EXPECT_TRUE(links_.find(ours_, "b")->terms.is_primary);
}

// Rule audit-fail-closed.
TEST_F(LinkStore, ChangesNothingThatCannotBeRecorded) {
  make("a");
  ASSERT_TRUE(store_.writer.run([](SqliteDatabase& database) {
    return database.execute("UPDATE audit_head SET number = number + 1");
  }));
  const auto change = [](ShareLink& found) -> base::Result<base::Done> {
    found.terms.is_enabled = false;
    return base::Done{};
  };
  EXPECT_FALSE(create(link("b")));
  EXPECT_FALSE(links_.change(ours_, "a", change, store_.entry("share_link.change")));
  EXPECT_FALSE(links_.use("a", use_entry()));
  EXPECT_FALSE(links_.remove(ours_, "a", store_.entry("share_link.remove")));
  EXPECT_EQ(links_.list(ours_, {})->total, 1);
  EXPECT_TRUE(links_.find(ours_, "a")->terms.is_enabled);
  EXPECT_EQ(links_.find(ours_, "a")->uses, 0);
}

TEST_F(LinkStore, LinksGoWithTheirPersona) {
  make("a");
  SqlitePersonas personas(store_.writer, store_.readers, store_.audit, store_.clock);
  EXPECT_TRUE(personas.remove(ours_, "p1", store_.entry("persona.remove")));
  EXPECT_EQ(links_.find_by_token(token("a")).error().code, ErrorCode::not_found);
}

// Rule share-link-ends-what-it-opened.
TEST_F(LinkStore, RevokesWhatAPersonasLinksOpenedWhenThePersonaIsTakenAway) {
  SqlitePersonas personas(store_.writer, store_.readers, store_.audit, store_.clock);
  for (const auto* id : {"a", "unused"}) make(id);
  auto of_another_app = link("b");
  of_another_app.scope.app_id = "app_2";
  ASSERT_TRUE(create(std::move(of_another_app)));
  ASSERT_TRUE(create(link("other", "p2")));
  for (const auto* id : {"a", "b", "other"}) ASSERT_TRUE(links_.use(id, use_entry()));
  const ItemScope others{"ws_2", Environment::test};
  EXPECT_EQ(personas.remove(others, "p1", store_.entry("persona.remove")).error().code,
            ErrorCode::not_found);
  EXPECT_TRUE(revoked().empty());
  const auto entry = store_.entry("persona.remove");
  // However long it waited to be done: what was opened meanwhile ends too.
  store_.clock.advance(1s);
  EXPECT_TRUE(personas.remove(ours_, "p1", entry));
  auto found = revoked();
  std::ranges::sort(found);
  EXPECT_EQ(found, (std::vector<std::string>{"1 ws_1 app_1 1 share_link:a",
                                             "1 ws_1 app_2 1 share_link:b"}));
}

}  // namespace
}  // namespace stagedoor::store
