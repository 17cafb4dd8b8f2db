// Whether timing tells which API keys exist, by the method of dudect (Reparaz, Balasch, Verbauwhede
// 2017): two classes of inputs measured in random order, the slow tail cut off, Welch's t-test.
// Over the real store; what lies between it and the network is the same for all.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <random>

#include "base/text.h"
#include "server/workspace.h"
#include "store/sqlite_database.h"

namespace stagedoor::server {
namespace {

// Many, since each has a place of its own in the table, which a test over few would see as a
// difference between the classes. Each class has as many, since a processor learns texts that it
// has seen before, whether or not they are keys.
constexpr std::size_t keys_per_class = 2'000;
constexpr std::size_t samples = 20'000;
// dudect calls 5 very likely a leak; a machine that does other things as well needs more room.
constexpr double t_most = 10;
constexpr int repeats = 3;

using Texts = std::vector<std::string>;
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
        "INSERT INTO api_keys (id, app_id, environment, hash, name, ends, created_at, revoked_at, "
        "change) VALUES (" +
        std::to_string(id) + ", '" + first->app_id + "', 1, x'" + base::hex(hash) +
        "', 'k', '', 0, " + revoked_at + ", 1)");
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

struct Sum {
  double count = 0, mean = 0, squares = 0;
  void add(double value) {
    ++count;
    const auto from_mean = value - mean;
    mean += from_mean / count;
    squares += from_mean * (value - mean);
  }
  double error() const { return squares / (count - 1) / count; }
};

using Make = std::function<std::string(std::mt19937_64&)>;

double t_of(const World& w, const Make& one, const Make& other, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  // All side by side, so that no class has the better place in memory.
  std::vector<std::pair<bool, std::array<char, rules::api_key_length>>> keys(2 * samples);
  for (auto& [is_other, text] : keys) {
    is_other = random() % 2 == 0;
    std::ranges::copy((is_other ? other : one)(random), text.begin());
  }
  std::vector<double> times;
  times.reserve(keys.size());
  for (const auto& [is_other, text] : keys) {
    const std::string_view key(text.data(), text.size());
    const auto began = std::chrono::steady_clock::now();
    const auto caller = (*w.workspace->authenticate)(key, here);
    const auto ended = std::chrono::steady_clock::now();
    times.push_back(std::chrono::duration<double, std::nano>(ended - began).count());
  }
  auto sorted = times;
  const auto cut = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 9 / 10);
  std::ranges::nth_element(sorted, cut);
  Sum sums[2];
  for (std::size_t i = 0; i < times.size(); ++i)
    if (times[i] < *cut) sums[keys[i].first ? 1 : 0].add(times[i]);
  return (sums[0].mean - sums[1].mean) / std::sqrt(sums[0].error() + sums[1].error());
}

// The least of a few: chance and the machine must fail each time to fail the test.
double least_t_of(const World& w, const Make& one, const Make& other) {
  double least = INFINITY;
  for (int i = 0; i < repeats && least > t_most; ++i)
    least = std::min(least, std::abs(t_of(w, one, other, 7 + static_cast<std::uint64_t>(i))));
  return least;
}

Make one_of(const Texts& texts) {
  return [&texts](std::mt19937_64& random) { return texts[random() % texts.size()]; };
}
Make nearly_one_of(const Texts& texts) {
  return [&texts](std::mt19937_64& random) {
    return with_another_end(texts[random() % texts.size()], random);
  };
}

// Rule api-key-constant-time.
TEST(ApiKeyTiming, TellsNeitherWhichKeysOnceWereNorHowCloseAGuessIs) {
  const World w;
  for (const auto& key : w.known) ASSERT_TRUE(w.is_accepted(key));
  for (const auto& key : w.revoked) ASSERT_FALSE(w.is_accepted(key));
  EXPECT_LT(least_t_of(w, one_of(w.unknown), one_of(w.also_unknown)), t_most);
  EXPECT_LT(least_t_of(w, one_of(w.unknown), one_of(w.revoked)), t_most);
  EXPECT_LT(least_t_of(w, nearly_one_of(w.unknown), nearly_one_of(w.known)), t_most);
}

// That the test can fail: what is told by the text alone is told sooner, and seen to be.
TEST(ApiKeyTiming, WouldBeSeenIfThereWereAny) {
  const World w;
  auto mistyped = w.also_unknown;
  for (auto& key : mistyped) key.back() = key.back() == 'a' ? 'b' : 'a';
  EXPECT_GT(least_t_of(w, one_of(w.unknown), one_of(mistyped)), t_most);
}

}  // namespace
}  // namespace stagedoor::server
