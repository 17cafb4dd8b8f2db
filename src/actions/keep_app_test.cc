#include "actions/keep_app.h"

#include <gtest/gtest.h>

#include "actions/admit_world_for_test.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::App;
using rules::AppChange;
using rules::Permission;
using namespace std::chrono_literals;

class Apps : public rules::Catalog, public rules::AppRecords {
 public:
  const App* app(std::string_view id) const override {
    const auto found = apps.find(id);
    return found == apps.end() ? nullptr : &found->second;
  }
  std::optional<rules::Avatar> avatar(std::string_view) const override { return std::nullopt; }
  std::vector<App> list(std::string_view workspace_id, std::string_view after,
                        std::size_t count_max) const override {
    std::vector<App> found;
    for (const auto& [id, one] : apps)
      if (one.workspace_id == workspace_id && id > after && found.size() < count_max)
        found.push_back(one);
    return found;
  }
  base::Result<base::Done> create(const App& made, const rules::AuditEntry& entry) override {
    apps[made.id] = made;
    entries.push_back(entry);
    return base::Done{};
  }
  base::Result<App> change(std::string_view id, const Change& change,
                           const rules::AuditEntry& entry) override {
    const auto found = apps.find(id);
    if (found == apps.end()) return base::fail(ErrorCode::not_found, "none");
    auto after = change(found->second);
    if (!after) return after;
    entries.push_back(entry);
    return found->second = *after;
  }
  std::map<std::string, App, std::less<>> apps;
  std::vector<rules::AuditEntry> entries;
};

struct World : for_test::World {
  World() {
    for (const auto& [id, workspace] :
         {std::pair{"app_1", "ws_1"}, {"app_1b", "ws_1"}, {"app_2", "ws_2"}}) {
      App app;
      app.id = id;
      app.workspace_id = workspace;
      app.name = "one";
      apps.apps[id] = app;
    }
  }
  // A person of ws_1.
  rules::Caller ada() { return *call("a.b.ada").caller; }
  rules::Caller key(rules::Environment environment) {
    const auto text = rules::ApiKeyText::make(environment, random);
    rules::ApiKey made;
    made.id = ++keys_made;
    made.environment = environment;
    made.app_id = "app_1";
    keys.by_hash[hasher.current(text)] = made;
    return *authenticate(text.secret().expose(), *base::parse_address("192.0.2.7"));
  }
  base::Result<App> change(const rules::Caller& caller, std::string_view id, AppChange wish) {
    return keep.change({caller, "192.0.2.7", "req-1"}, id, wish);
  }
  static AppChange sessions(int count) {
    AppChange wish;
    wish.sessions_max = count;
    return wish;
  }
  static ErrorCode code_of(const base::Result<App>& outcome) {
    return outcome ? ErrorCode::unsupported : outcome.error().code;
  }

  Apps apps;
  KeepApp keep{{apps, apps, clock, random}, {}};
};

// Rule app-changed-by-its-owners.
TEST(KeepApp, APersonSeesTheAppsOfTheirWorkspaceAndAKeyItsOwn) {
  World w;
  const auto ids = [&](const rules::Caller& caller) {
    std::string all;
    for (const auto& app : w.keep.list(caller, "", 100)) all += app.id + " ";
    return all;
  };
  const auto key = w.key(rules::Environment::test);
  EXPECT_EQ(ids(w.ada()), "app_1 app_1b ");
  EXPECT_EQ(ids(key), "app_1 ");
  EXPECT_TRUE(w.keep.find(w.ada(), "app_1b"));
  const auto others = w.keep.find(w.ada(), "app_2"), none = w.keep.find(w.ada(), "app_none");
  EXPECT_EQ(others.error().code, ErrorCode::not_found);
  EXPECT_EQ(others.error().hint, none.error().hint);
  EXPECT_EQ(w.keep.find(key, "app_1b").error().hint, none.error().hint);
}

// Rule app-changed-by-its-owners.
TEST(KeepApp, APersonMakesAnAppInTheirOwnWorkspaceAndAKeyMakesNone) {
  World w;
  AppChange wish;
  EXPECT_EQ(World::code_of(w.keep.create({w.ada(), "", ""}, "ws_2", wish)), ErrorCode::malformed);
  wish.name = "Third";
  wish.sessions_max = 5;
  const auto made = w.keep.create({w.ada(), "192.0.2.7", "req-1"}, "ws_2", wish);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->workspace_id, "ws_1");
  EXPECT_EQ(made->limits.sessions_max, 5);
  EXPECT_EQ(made->limits.idle_max, rules::AppLimits{}.idle_max);
  ASSERT_EQ(w.apps.entries.size(), 1u);
  EXPECT_EQ(w.apps.entries[0].action, "app.create");
  EXPECT_EQ(w.apps.entries[0].subject, made->id);
  EXPECT_EQ(w.apps.entries[0].actor, "acc_ada");
  EXPECT_EQ(w.apps.entries[0].detail, "name=Third, sessions_max=5");
  EXPECT_EQ(World::code_of(w.keep.create({w.key(rules::Environment::live), "", ""}, "", wish)),
            ErrorCode::forbidden);
}

// Rule app-changed-by-its-owners.
TEST(KeepApp, APersonChangesAnAppOfTheirWorkspaceOnly) {
  World w;
  EXPECT_EQ(w.change(w.ada(), "app_1b", World::sessions(5000))->limits.sessions_max, 5000);
  EXPECT_EQ(World::code_of(w.change(w.ada(), "app_2", World::sessions(1))), ErrorCode::not_found);
  EXPECT_EQ(w.apps.entries.size(), 1u);
}

// Rule app-changed-by-its-owners.
TEST(KeepApp, ALiveKeyNarrowsItsOwnAppAndRaisesNothing) {
  World w;
  const auto key = w.key(rules::Environment::live);
  EXPECT_EQ(w.change(key, "app_1", World::sessions(10))->limits.sessions_max, 10);
  EXPECT_EQ(World::code_of(w.change(key, "app_1", World::sessions(11))), ErrorCode::forbidden);
  EXPECT_EQ(World::code_of(w.change(key, "app_1b", World::sessions(1))), ErrorCode::not_found);
  AppChange name;
  name.name = "renamed";
  EXPECT_EQ(w.change(key, "app_1", name)->name, "renamed");
}

// Rule app-changed-by-its-owners.
TEST(KeepApp, ATestKeyChangesNoAppSinceLiveUseSharesIt) {
  World w;
  const auto key = w.key(rules::Environment::test);
  EXPECT_EQ(World::code_of(w.change(key, "app_1", World::sessions(1))), ErrorCode::forbidden);
  EXPECT_TRUE(w.apps.entries.empty());
}

TEST(KeepApp, TheOperatorMayAll) {
  World w;
  const auto by = Actor::of_operator();
  EXPECT_TRUE(w.keep.change(by, "app_2", World::sessions(9)));
  EXPECT_EQ(w.apps.entries.back().actor, "operator");
  EXPECT_EQ(w.apps.entries.back().workspace_id, "ws_2");
  EXPECT_EQ(World::code_of(w.keep.change(by, "app_none", World::sessions(9))),
            ErrorCode::not_found);
}

}  // namespace
}  // namespace stagedoor::actions
