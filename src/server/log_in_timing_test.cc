// Whether timing tells which e-mails have an account (server/timing_for_test.h). Over the real
// store and at the real cost of a password.
#include <gtest/gtest.h>

#include <filesystem>

#include "actions/log_in.h"
#include "server/timing_for_test.h"
#include "server/workspace.h"

namespace stagedoor::server {
namespace {

using for_test::least_t_of;
using for_test::one_of;
using for_test::t_most;

// A hash takes tens of milliseconds, and an account looked up in vain microseconds less: what these
// few see is a hash that was left out or made cheaper.
constexpr std::size_t accounts_per_class = 8;
constexpr std::size_t samples = 20;

using Emails = std::vector<std::string>;

class World {
 public:
  World() {
    std::string name = (std::filesystem::temp_directory_path() / "stagedoor-XXXXXX").string();
    folder_.path = std::string(::mkdtemp(name.data())) + "/data";
    const Config config;
    EXPECT_TRUE(Workspace::initialise(folder_, config));
    workspace_ = *Workspace::open(folder_, config);
    passwords_.emplace(config.password_cost, workspace_->random);
    people_.emplace(actions::People{.accounts = *workspace_->accounts,
                                    .members = *workspace_->members,
                                    .passwords = *passwords_,
                                    .keys = *workspace_->people_keys,
                                    .refresh_key = *workspace_->refresh_key,
                                    .audit = *workspace_->audit,
                                    .clock = workspace_->clock,
                                    .random = workspace_->random});
  }
  ~World() {
    workspace_.reset();
    std::filesystem::remove_all(std::filesystem::path(folder_.path).parent_path());
  }

  static Emails emails(const std::string& domain) {
    Emails made;
    for (std::size_t i = 0; i < accounts_per_class; ++i)
      made.push_back("person-" + std::to_string(i) + "@" + domain);
    return made;
  }
  void sign_up(const Emails& emails, crypto::PasswordHasher& hasher) {
    for (const auto& text : emails) {
      auto email = *rules::read_email(text);
      rules::Account account;
      account.id = rules::new_account_id(workspace_->random);
      account.email = email.text;
      account.email_key = email.key;
      account.password_hash = *hasher.hash(base::Secret(std::string("the right one")));
      ASSERT_TRUE(people_->accounts.create(
          account, {},
          entry_of(*people_, {}, account.id, rules::AuditAction::account_create, account.id)));
    }
  }
  // The refusal of a wrong password.
  base::Error refusal(std::string_view email) const {
    const auto outcome = actions::LogIn(*people_)(*rules::read_email(email),
                                                  base::Secret(std::string("a wrong one")), {});
    EXPECT_FALSE(outcome);
    return outcome ? base::Error{} : outcome.error();
  }
  double least_t(const Emails& one, const Emails& other) const {
    return least_t_of(
        {.samples = samples, .bytes = 64, .act = [this](auto email) { refusal(email); }},
        one_of(one), one_of(other));
  }
  crypto::PasswordHasher& passwords() { return *passwords_; }
  base::Random& random() { return workspace_->random; }

 private:
  DataFolder folder_;
  std::unique_ptr<Workspace> workspace_;
  std::optional<crypto::PasswordHasher> passwords_;
  std::optional<actions::People> people_;
};

// Rule account-unknown-alike.
TEST(LogInTiming, TellsNotWhichEmailsHaveAnAccount) {
  World world;
  const auto known = World::emails("known.example"), unknown = World::emails("other.example");
  world.sign_up(known, world.passwords());
  const auto of_known = world.refusal(known.front()), of_unknown = world.refusal(unknown.front());
  EXPECT_EQ(of_known.code, base::ErrorCode::unauthenticated);
  EXPECT_EQ(of_known.code, of_unknown.code);
  EXPECT_EQ(of_known.hint, of_unknown.hint);
  EXPECT_LT(world.least_t(known, unknown), t_most);
}

// That the test can fail: accounts of a password that costs an eighth are seen, on a busy machine
// too.
TEST(LogInTiming, WouldBeSeenIfAnAccountTookLessWork) {
  World world;
  const auto cheap = World::emails("cheap.example"), unknown = World::emails("other.example");
  const Config config;
  auto eighth = config.password_cost;
  eighth.memory_kibibytes /= 8;
  crypto::PasswordHasher hasher(eighth, world.random());
  world.sign_up(cheap, hasher);
  EXPECT_GT(world.least_t(cheap, unknown), t_most);
}

}  // namespace
}  // namespace stagedoor::server
