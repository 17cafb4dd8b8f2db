// What every store of accounts and log-ins promises, and the verbs on it, run against the SQLite
// ones.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "people_for_test.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using base::Secret;
using rules::AuditAction;
using rules::Role;
using namespace std::chrono_literals;

// Rule account-one-per-email.
TEST_F(People, AnEmailHasOneAccountWhateverItsCase) {
  EXPECT_TRUE(door.sign_up_with("ada@example.com", ""));
  EXPECT_EQ(door.sign_up_with("ADA@Example.com", "").error().code, ErrorCode::conflict);
  EXPECT_EQ(door.count("SELECT count(*) FROM accounts"), 1);
  EXPECT_EQ(door.count("SELECT count(*) FROM workspaces"), 2) << "a refusal makes no workspace";
}

// Rule account-one-per-email: also where the subjects would tell the rows apart.
TEST_F(People, TheStoreItselfKeepsASecondAccountOfOurOwnForAnEmailOut) {
  const auto insert = [&](const std::string& id, const std::string& issuer,
                          const std::string& subject) {
    auto database = folder.database();
    return database
        .execute("INSERT INTO accounts VALUES ('" + id + "', 'a@b', 'a@b', 0, '" + issuer + "', '" +
                 subject + "', '', '', 1, 0, 1)")
        .has_value();
  };
  EXPECT_TRUE(insert("acc_1", "", ""));
  EXPECT_FALSE(insert("acc_2", "", "2"));
  EXPECT_TRUE(insert("acc_3", "https://issuer", "3"));
  EXPECT_TRUE(insert("acc_4", "https://issuer", "4"));
  EXPECT_FALSE(insert("acc_5", "https://issuer", "4"));
}

TEST_F(People, WhoSignsUpWhereEverybodyMayOwnsAWorkspaceOfTheirOwn) {
  const auto made = door.sign_up_with("ada@example.com", "");
  ASSERT_TRUE(made && made->membership);
  EXPECT_EQ(made->membership->role, Role::owner);
  const auto member = door.member_of(made->account.id, 1);
  ASSERT_TRUE(member);
  EXPECT_EQ(member->workspace_id, made->membership->workspace_id);
  EXPECT_EQ(member->permissions, rules::permissions_of(Role::owner));
  EXPECT_EQ(door.audited("account.create"), 1);
}

// Rule account-sign-up-closed.
TEST_F(People, WithoutAnInvitationNobodySignsUpWhereItIsNeededOrClosed) {
  actions::SignUp::Request request;
  request.email = "ada@example.com";
  request.password = Secret(password);
  const actions::SignUp invited(door.all, actions::SignUpFor::invited);
  const actions::SignUp closed(door.all, actions::SignUpFor::nobody);
  EXPECT_EQ(invited(request, {}).error().code, ErrorCode::forbidden);
  request.code = Secret(door.code_for("ada@example.com", Role::viewer));
  EXPECT_EQ(closed(request, {}).error().code, ErrorCode::forbidden);
  EXPECT_EQ(door.count("SELECT count(*) FROM accounts"), 0);
  EXPECT_TRUE(invited(request, {}));
}

// Rule account-password-argon2id.
TEST_F(People, APasswordIsKeptAsAHashAndRenewedWhenTheCostHasChanged) {
  door.member("ada@example.com", Role::owner);
  EXPECT_EQ(door.count("SELECT count(*) FROM accounts WHERE password_hash LIKE '$argon2id$%'"), 1);
  EXPECT_EQ(door.count("SELECT count(*) FROM accounts WHERE password_hash LIKE '%horse%'"), 0);
  crypto::PasswordHasher dearer({.memory_kibibytes = 20 * 1024}, door.random);
  const actions::People with_dearer{door.accounts,    door.members, dearer,     door.keys,
                                    door.refresh_key, door.audit,   door.clock, door.random};
  EXPECT_TRUE(
      actions::LogIn(with_dearer)(*rules::read_email("ada@example.com"), Secret(password), {}));
  // What was submitted before is done before.
  EXPECT_TRUE(door.log_out(Secret(std::string("sdr_nobody")), {}));
  EXPECT_EQ(door.count("SELECT count(*) FROM accounts WHERE password_hash LIKE '%m=20480,%'"), 1);
  EXPECT_TRUE(door.log_in_as("ada@example.com"));
}

// Rule account-unknown-alike.
TEST_F(People, AnUnknownEmailAndAWrongPasswordAreAnsweredAlike) {
  door.member("ada@example.com", Role::owner);
  const auto wrong = door.log_in_as("ada@example.com", "wrong horse");
  const auto unknown = door.log_in_as("eve@example.com", "wrong horse");
  ASSERT_FALSE(wrong || unknown);
  EXPECT_EQ(wrong.error().code, unknown.error().code);
  EXPECT_EQ(wrong.error().hint, unknown.error().hint);
  EXPECT_EQ(door.count("SELECT count(*) FROM refresh_tokens"), 0);
}

// Rule refresh-rotates.
TEST_F(People, ARefreshSpendsItsTokenAndTheNextOneGoesOn) {
  door.member("ada@example.com", Role::owner);
  auto logged_in = door.log_in_as("ada@example.com");
  ASSERT_TRUE(logged_in);
  for (int round = 0; round < 4; ++round) {
    door.clock.advance(1h);
    auto next = door.refresh_with(*logged_in);
    ASSERT_TRUE(next) << round;
    EXPECT_NE(next->refresh_token.expose(), logged_in->refresh_token.expose());
    EXPECT_EQ(next->account.email, "ada@example.com");
    logged_in = std::move(next);
  }
  door.clock.advance(30 * 24h);
  EXPECT_EQ(door.refresh_with(*logged_in).error().code, ErrorCode::unauthenticated);
}

// Rule refresh-reuse-revokes.
TEST_F(People, ASpentTokenShownAgainEndsItsLogInAndNoOther) {
  door.member("ada@example.com", Role::owner);
  const auto stolen = door.log_in_as("ada@example.com");
  const auto other = door.log_in_as("ada@example.com");
  const auto next = door.refresh_with(*stolen);
  ASSERT_TRUE(next);
  door.clock.advance(11s);
  EXPECT_EQ(door.refresh_with(*stolen).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(door.audited(std::string(name_of(rules::AuditAction::refresh_token_suspect_theft))), 1);
  EXPECT_EQ(door.refresh_with(*next).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(door.audited(std::string(name_of(rules::AuditAction::refresh_token_suspect_theft))), 1)
      << "told once";
  EXPECT_TRUE(door.refresh_with(*other));
}

// Rule refresh-retry.
TEST_F(People, OfManySimultaneousRefreshesAllGetTheSameNextToken) {
  door.member("ada@example.com", Role::owner);
  const auto logged_in = door.log_in_as("ada@example.com");
  const auto expected =
      rules::next_refresh_token(logged_in->refresh_token.expose(), door.refresh_key);
  std::latch together(16);
  std::atomic<int> same = 0;
  std::vector<std::jthread> crowd;
  for (int i = 0; i < 16; ++i) {
    crowd.emplace_back([&] {
      together.arrive_and_wait();
      const auto next = door.refresh_with(*logged_in);
      if (next && next->refresh_token.expose() == expected.expose()) ++same;
    });
  }
  crowd.clear();
  EXPECT_EQ(same, 16);
  EXPECT_EQ(door.count("SELECT count(*) FROM refresh_tokens"), 2);
}

// Rule refresh-hashed.
TEST_F(People, TheStoreHoldsNoToken) {
  door.member("ada@example.com", Role::owner);
  const auto logged_in = door.log_in_as("ada@example.com");
  auto database = folder.database();
  auto read = database.prepare(
      "SELECT count(*) FROM refresh_tokens WHERE hash = ?1 OR instr(hash, 'sdr_') > 0");
  read->bind_blob(1, rules::hash_of_refresh_token(logged_in->refresh_token.expose()));
  EXPECT_EQ(read->step(), SqliteStatement::Step::row);
  EXPECT_EQ(read->integer(0), 1);
}

TEST_F(People, AnUnknownRefreshTokenIsRefusedAndALogOutOfItIsDone) {
  EXPECT_EQ(door.refresh(Secret(std::string("sdr_nobody")), {}).error().code,
            ErrorCode::unauthenticated);
  EXPECT_TRUE(door.log_out(Secret(std::string("sdr_nobody")), {}));
}

TEST_F(People, ALogOutEndsOneLogInOnly) {
  door.member("ada@example.com", Role::owner);
  const auto one = door.log_in_as("ada@example.com");
  const auto other = door.log_in_as("ada@example.com");
  EXPECT_TRUE(door.log_out(Secret(one->refresh_token.expose()), {}));
  EXPECT_EQ(door.refresh_with(*one).error().code, ErrorCode::unauthenticated);
  EXPECT_TRUE(door.refresh_with(*other));
  EXPECT_EQ(door.audited("account.log_out"), 1);
}

TEST_F(People, AnAccountHasAtMostFiftyLogInsAndTheLongestUnusedEnds) {
  const auto id = door.member("ada@example.com", Role::owner);
  const auto first = door.log_in_as("ada@example.com");
  for (int i = 0; i < rules::log_ins_per_account_max; ++i) {
    door.clock.advance(1s);
    auto token = actions::first_refresh_token(door.all, id);
    EXPECT_TRUE(door.accounts.begin_log_in(
        token.kept, 1, actions::entry_of(door.all, {}, id, AuditAction::account_log_in, id)));
  }
  EXPECT_EQ(door.refresh_with(*first).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(door.count("SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL"),
            rules::log_ins_per_account_max);
}

// Rule log-out-everywhere.
TEST_F(People, TheNextGenerationRefusesAllTokensOfTheOneBefore) {
  const auto id = door.member("ada@example.com", Role::owner);
  const auto logged_in = door.log_in_as("ada@example.com");
  EXPECT_TRUE(door.member_of(id, 1));
  EXPECT_EQ(
      *door.accounts.end_all_log_ins(
          id, actions::entry_of(door.all, {}, id, AuditAction::account_log_out_everywhere, id)),
      2);
  EXPECT_EQ(door.member_of(id, 1).error().code, ErrorCode::unauthenticated);
  EXPECT_TRUE(door.member_of(id, 2));
  EXPECT_EQ(door.refresh_with(*logged_in).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(door.log_in_as("ada@example.com")->account.generation, 2);
}

// Rule log-out-everywhere.
TEST_F(People, ALogInThatWasUnderWayWhenThePasswordChangedIsRefused) {
  const auto id = door.member("ada@example.com", Role::owner);
  auto token = actions::first_refresh_token(door.all, id);
  const auto entry = actions::entry_of(door.all, {}, id, AuditAction::account_change_password, id);
  const auto before = (*door.accounts.account(id))->password_hash;
  const auto own = actions::first_refresh_token(door.all, id);
  EXPECT_EQ(door.accounts.change_password(id, before, "other", own.kept, entry), 2);
  EXPECT_EQ(door.accounts.begin_log_in(token.kept, 1, entry).error().code,
            ErrorCode::unauthenticated);
  EXPECT_EQ(door.accounts.change_password(id, before, "third", own.kept, entry).error().code,
            ErrorCode::conflict);
}

}  // namespace
}  // namespace stagedoor::store
