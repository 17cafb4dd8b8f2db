// Whether timing tells which API keys exist (server/timing_for_test.h). Over the real store; what
// lies between it and the network is the same for all.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/text.h"
#include "server/timing_for_test.h"
#include "server/workspace.h"
#include "store/sqlite_database.h"

namespace stagedoor::server {
namespace {

// Many, since each has a place of its own in the table, which a test over few would see as a
// difference between the classes. Each class has as many, since a processor learns texts that it
// has seen before, whether or not they are keys.
constexpr std::size_t keys_per_class = 2'000;
constexpr std::size_t samples = 20'000;

using Texts = std::vector<std::string>;
using for_test::least_t_of;
using for_test::Make;
using for_test::one_of;
using for_test::t_most;
using for_test::Trial;
const base::Address here = *base::parse_address("192.0.2.7");

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "stagedoor-XXXXXX").string();
    data.path = std::string(::mkdtemp(name.data())) + "/data";
  }
  ~Folder() { std::filesystem::remove_all(std::filesystem::path(data.path).parent_path()); }
  DataFolder data;
};

Texts made_up(base::Random& random) {
  Texts texts;
  for (std::size_t i = 0; i < keys_per_class; ++i)
    texts.emplace_back(rules::ApiKeyText::make(rules::Environment::test, random).secret().expose());
  return texts;
}

// A guess that begins as a real key does, up to the last random characters, with a right checksum.
std::string with_another_end(const std::string& key, std::mt19937_64& random) {
  auto guess = key.substr(0, key.size() - rules::api_key_checksum_length);
  for (std::size_t back = 1; back <= 4; ++back)
    guess[guess.size() - back] = base::base62_digits[random() % 62];
  auto sum = base::crc32(guess);
  std::string digits(rules::api_key_checksum_length, '0');
  for (auto at = digits.rbegin(); at != digits.rend(); ++at, sum /= 62)
    *at = base::base62_digits[sum % 62];
  return guess + digits;
}

// A workspace that has `known` keys, and `revoked` ones that it once had.
struct World {
  World() {
    const Config config;
    first.emplace(*Workspace::initialise(folder.data, config));
    {
      const auto opened = *Workspace::open(folder.data, config);
      known = made_up(opened->random);
      revoked = made_up(opened->random);
      unknown = made_up(opened->random);
      also_unknown = made_up(opened->random);
      auto database = *store::SqliteDatabase::open(folder.data.database(),
                                                   store::SqliteDatabase::Mode::must_exist);
      EXPECT_TRUE(database.execute("BEGIN"));
      for (std::size_t i = 0; i < keys_per_class; ++i) {
        insert(database, *opened, 10'000 + i, known[i], "NULL");
        insert(database, *opened, 20'000 + i, revoked[i], "1");
      }
      EXPECT_TRUE(database.execute("COMMIT"));
    }
    workspace = *Workspace::open(folder.data, config);
  }
  void insert(store::SqliteDatabase& database, const Workspace& opened, std::size_t id,
              std::string_view key, const std::string& revoked_at) {
    const auto hash = opened.hasher->current(*rules::ApiKeyText::parse(key));
    const auto done = database.execute(
        "INSERT INTO api_keys (id, app_id, environment, hash, name, ends, created_at, "
        "revoked_at, change, number) VALUES (" +
        std::to_string(id) + ", '" + first->app_id + "', 1, x'" + base::hex(hash) +
        "', 'k', '', 0, " + revoked_at + ", 1, " + std::to_string(id) + ")");
    ASSERT_TRUE(done) << done.error().detail;
  }
  bool is_accepted(std::string_view key) const {
    return workspace->authenticate->operator()(key, here).has_value();
  }

  Folder folder;
  std::optional<FirstThings> first;
  Texts known, revoked, unknown, also_unknown;
  std::unique_ptr<Workspace> workspace;
};

Trial trial(const actions::AuthenticateApiKey& authenticate) {
  return {.samples = samples, .bytes = rules::api_key_length, .act = [&](std::string_view key) {
            const auto caller = authenticate(key, here);
          }};
}

Make nearly_one_of(const Texts& texts) {
  return [&texts](std::mt19937_64& random) {
    return with_another_end(texts[random() % texts.size()], random);
  };
}

// A known good key is not among the classes where it is let in: that it works is the answer. Nor is
// one that has expired: it is still known, so that its owner is told why it is refused, and whoever
// could time it has the whole key.
//
// Rule api-key-constant-time.
TEST(ApiKeyTiming, TellsNeitherWhichKeysOnceWereNorHowCloseAGuessIs) {
  const World w;
  for (const auto& key : w.known) ASSERT_TRUE(w.is_accepted(key));
  for (const auto& key : w.revoked) ASSERT_FALSE(w.is_accepted(key));
  const auto asks = trial(*w.workspace->authenticate);
  EXPECT_LT(least_t_of(asks, one_of(w.unknown), one_of(w.also_unknown)), t_most);
  EXPECT_LT(least_t_of(asks, one_of(w.unknown), one_of(w.revoked)), t_most);
  EXPECT_LT(least_t_of(asks, nearly_one_of(w.unknown), nearly_one_of(w.known)), t_most);
}

// Rule api-key-constant-time.
TEST(ApiKeyTiming, TellsNotWhichKeysOfAnEnvironmentExistThatIsNotServed) {
  const World w;
  const actions::AuthenticateApiKey live_only(
      {.keys = *w.workspace->keys, .hasher = *w.workspace->hasher, .clock = w.workspace->clock},
      {.accepts_live = true, .accepts_test = false});
  for (const auto* texts : {&w.known, &w.unknown}) {
    const auto refused = live_only(texts->front(), here);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::ErrorCode::wrong_environment);
  }
  EXPECT_LT(least_t_of(trial(live_only), one_of(w.unknown), one_of(w.known)), t_most);
}

// That the test can fail: what is told by the text alone is told sooner, and seen to be.
TEST(ApiKeyTiming, WouldBeSeenIfThereWereAny) {
  const World w;
  auto mistyped = w.also_unknown;
  for (auto& key : mistyped) key.back() = key.back() == 'a' ? 'b' : 'a';
  const auto asks = trial(*w.workspace->authenticate);
  EXPECT_GT(least_t_of(asks, one_of(w.unknown), one_of(mistyped)), t_most);
}

}  // namespace
}  // namespace stagedoor::server
