// What every store of accounts, log-ins and members promises, and the verbs on it, run against the
// SQLite ones.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <latch>
#include <thread>

#include "actions/accept_invitation.h"
#include "actions/change_password.h"
#include "actions/change_role.h"
#include "actions/invite_member.h"
#include "actions/log_in.h"
#include "actions/log_out.h"
#include "actions/refresh_log_in.h"
#include "actions/sign_up.h"
#include "crypto/random.h"
#include "folder_for_test.h"
#include "store/known_people.h"
#include "store/sqlite_accounts.h"
#include "store/sqlite_members.h"
#include "store/sqlite_token_revocations.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using base::Secret;
using rules::AuditAction;
using rules::MemberActor;
using rules::Role;
using namespace std::chrono_literals;

const std::string our_issuer = "https://door.example";
const std::string password = "correct horse";

rules::AuditSealer sealer_of(const Folder& folder, base::Random& random) {
  auto database = folder.database();
  auto sealer = open_audit_key(database, folder.file("audit-key"), random);
  EXPECT_TRUE(sealer);
  return *std::move(sealer);
}

std::vector<Secret> seeds() {
  std::vector<Secret> seeds;
  seeds.emplace_back(std::string(32, 's'));
  return seeds;
}

// A process with the store open.
struct Process {
  explicit Process(const Folder& in) : folder(in) { EXPECT_TRUE(writer.start()); }
  ~Process() { writer.stop(); }

  std::int64_t count(const std::string& sql) {
    auto database = folder.database();
    auto read = database.prepare(sql);
    EXPECT_EQ(read->step(), SqliteStatement::Step::row);
    return read->integer(0);
  }
  std::int64_t audited(const std::string& action) {
    return count("SELECT count(*) FROM audit_log WHERE action = '" + action + "'");
  }
  void add_workspace(const std::string& id) {
    auto database = folder.database();
    EXPECT_TRUE(database.execute("INSERT INTO workspaces VALUES ('" + id + "', 'W', 0)"));
  }
  std::string code_for(const std::string& email, Role role,
                       const MemberActor& by = MemberActor::of_operator(),
                       const std::string& workspace = "ws_1") {
    auto invited = invite(workspace, by, email, role, {});
    EXPECT_TRUE(invited);
    return invited ? std::string(invited->code.expose()) : std::string();
  }
  base::Result<actions::SignUp::Made> sign_up_with(const std::string& email,
                                                   const std::string& code) {
    actions::SignUp::Request request;
    request.email = email;
    request.password = Secret(password);
    if (!code.empty()) request.code = Secret(code);
    return sign_up(request, {});
  }
  // A member of ws_1; its account's id.
  std::string member(const std::string& email, Role role) {
    const auto made = sign_up_with(email, code_for(email, role));
    EXPECT_TRUE(made);
    return made ? made->account.id : std::string();
  }
  base::Result<actions::LoggedIn> log_in_as(const std::string& email,
                                            const std::string& with = password) {
    return log_in(*rules::read_email(email), Secret(with), {});
  }
  base::Result<actions::LoggedIn> refresh_with(const actions::LoggedIn& before) {
    return refresh(Secret(before.refresh_token.expose()), {});
  }
  base::Result<rules::Member> member_of(const std::string& account_id, std::int64_t generation,
                                        const std::string& workspace = "") {
    rules::Identity identity;
    identity.issuer = our_issuer;
    identity.subject = account_id;
    identity.generation = generation;
    return people.member_of(identity, workspace);
  }

  const Folder& folder;
  base::ManualClock clock{base::from_unix_seconds(1'795'000'000)};
  crypto::SystemRandom random;
  SqliteWriter writer{folder.database()};
  SqliteReaders readers{folder.database_path()};
  SqliteAuditLog audit{writer, sealer_of(folder, random), clock};
  KnownPeople people{our_issuer};
  SqliteAccounts accounts{writer, readers, audit, people};
  SqliteTokenRevocations revocations{
      writer,
      [](SqliteDatabase&, const rules::AuditEntry&) -> base::Result<base::Done> {
        return base::Done{};
      },
      clock};
  SqliteMembers members{writer, readers, audit};
  crypto::PasswordHasher passwords{{.at_once = 8}, random};
  rules::PeopleKeys keys{seeds(), our_issuer};
  crypto::HmacKey refresh_key{Secret(std::string(32, 'r'))};
  actions::People all{accounts, members, passwords, keys, refresh_key, audit, clock, random};
  actions::SignUp sign_up{all, actions::SignUpFor::everybody};
  actions::LogIn log_in{all};
  actions::RefreshLogIn refresh{all};
  actions::LogOut log_out{all};
  actions::ChangePassword change_password{all};
  actions::InviteMember invite{{members, clock, random}};
  actions::ChangeRole change_role{{members, clock}};
  actions::AcceptInvitation accept{all};
};

class People : public ::testing::Test {
 protected:
  void SetUp() override { door.add_workspace("ws_1"); }
  Folder folder;
  Process door{folder};
};

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

// Rule invitation-single-use.
TEST_F(People, OfManyWhoShowOneInvitationExactlyOneComesIn) {
  const auto code = door.code_for("ada@example.com", Role::developer);
  std::latch together(8);
  std::atomic<int> in = 0;
  std::vector<std::jthread> crowd;
  for (int i = 0; i < 8; ++i) {
    crowd.emplace_back([&] {
      together.arrive_and_wait();
      if (door.sign_up_with("ada@example.com", code)) ++in;
    });
  }
  crowd.clear();
  EXPECT_EQ(in, 1);
  EXPECT_EQ(door.members.members("ws_1")->size(), 1u);
  EXPECT_EQ(door.sign_up_with("eve@example.com", code).error().code, ErrorCode::not_found);
}

// Rule invitation-single-use.
TEST_F(People, AnInvitationIsForOneEmailAndForSevenDays) {
  const auto code = door.code_for("ada@example.com", Role::developer);
  EXPECT_EQ(door.sign_up_with("eve@example.com", code).error().code, ErrorCode::not_found);
  door.clock.advance(7 * 24h);
  EXPECT_EQ(door.sign_up_with("ada@example.com", code).error().code, ErrorCode::not_found);
  EXPECT_EQ(door.count("SELECT count(*) FROM accounts"), 0);
  const auto again = door.code_for("Ada@example.com", Role::developer);
  const auto newest = door.code_for("ada@example.com", Role::viewer);
  EXPECT_FALSE(door.sign_up_with("ada@example.com", again)) << "a newer one took its place";
  EXPECT_TRUE(door.sign_up_with("ada@example.com", newest));
  EXPECT_EQ(door.invite("ws_1", MemberActor::of_operator(), "ada@example.com", Role::viewer, {})
                .error()
                .code,
            ErrorCode::conflict)
      << "a member is not invited";
}

TEST_F(People, AnInvitationThatWasWithdrawnIsNone) {
  const auto code = door.code_for("ada@example.com", Role::developer);
  const auto open = door.members.invitations("ws_1", door.clock.now());
  ASSERT_EQ(open->size(), 1u);
  EXPECT_EQ(
      door.invite.withdraw("ws_2", MemberActor::of_operator(), open->front().id, {}).error().code,
      ErrorCode::not_found);
  EXPECT_TRUE(door.invite.withdraw("ws_1", MemberActor::of_operator(), open->front().id, {}));
  EXPECT_EQ(door.sign_up_with("ada@example.com", code).error().code, ErrorCode::not_found);
}

rules::Account from_elsewhere(const std::string& email, bool is_verified) {
  rules::Account account;
  account.issuer = "https://issuer";
  account.subject = "s-" + email;
  account.id = rules::account_id_of(account.issuer, account.subject);
  account.email = account.email_key = email;
  account.email_is_verified = is_verified;
  return account;
}

// Rule account-external-id.
TEST_F(People, SomebodyFromElsewhereJoinsByTheirVerifiedEmailAndKeepsTheirId) {
  door.code_for("ada@example.com", Role::developer);
  rules::Identity identity;
  identity.issuer = "https://issuer";
  identity.subject = "s-ada@example.com";
  const auto before = door.people.member_of(identity, "");
  ASSERT_TRUE(before);
  EXPECT_TRUE(before->workspace_id.empty());
  EXPECT_TRUE(before->permissions.is_empty());
  EXPECT_EQ(door.people.member_of(identity, "ws_1").error().code, ErrorCode::not_found);

  const auto account = from_elsewhere("ada@example.com", true);
  const auto joined = door.members.accept_invitation(std::nullopt, account, {});
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->workspace_id, "ws_1");
  const auto after = door.people.member_of(identity, "ws_1");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->account_id, before->account_id);
  EXPECT_EQ(after->role, Role::developer);
}

// Rule invitation-single-use.
TEST_F(People, AnEmailThatNobodyVouchesForNeedsTheCode) {
  door.code_for("ada@example.com", Role::developer);
  EXPECT_EQ(
      door.members.accept_invitation(std::nullopt, from_elsewhere("ada@example.com", false), {})
          .error()
          .code,
      ErrorCode::not_found);
  EXPECT_EQ(door.count("SELECT count(*) FROM accounts"), 0);
}

// Rule member-last-owner.
TEST_F(People, OfManySimultaneousLeavingsOneOwnerStays) {
  std::vector<std::string> owners;
  for (const auto* name : {"a", "b", "c", "d", "e", "f"})
    owners.push_back(door.member(std::string(name) + "@example.com", Role::owner));
  std::latch together(static_cast<std::ptrdiff_t>(owners.size()));
  std::atomic<int> left = 0;
  std::vector<std::jthread> crowd;
  for (const auto& owner : owners) {
    crowd.emplace_back([&, owner] {
      together.arrive_and_wait();
      const auto gone =
          door.change_role("ws_1", MemberActor::of_account(owner), owner, std::nullopt, {});
      if (gone) ++left;
      if (!gone) {
        EXPECT_EQ(gone.error().code, ErrorCode::conflict);
      }
    });
  }
  crowd.clear();
  EXPECT_EQ(left, 5);
  EXPECT_EQ(door.members.members("ws_1")->size(), 1u);
}

rules::RevocableToken minted_by(std::string_view account, base::Instant at,
                                rules::Environment environment = rules::Environment::live) {
  return {.workspace_id = "ws_1",
          .app_id = "app_1",
          .environment = environment,
          .token_id = "t",
          .end_user_id = "",
          .api_key_id = account,
          .avatar_id = "",
          .minted_at = at};
}

// Rule session-token-ends-with-its-minter.
TEST_F(People, WhatAMemberMintedEndsWhenTheyAreRemovedOrMayMintNoMore) {
  door.member("owner@example.com", Role::owner);
  for (const auto to : {std::optional<Role>(), std::optional(Role::viewer)}) {
    const auto who = to ? "viewer@example.com" : "removed@example.com";
    const auto id = door.member(who, Role::admin);
    const auto other = door.member(std::string("other-") + who, Role::developer);
    std::atomic<int> told = 0;
    door.revocations.on_revoked([&](const rules::TokenRevocation& revocation) -> std::size_t {
      if (revocation.value == id) ++told;
      return 0;
    });
    const auto now = door.clock.now();
    EXPECT_TRUE(door.change_role("ws_1", MemberActor::of_operator(), id, Role::developer, {}));
    EXPECT_FALSE(door.revocations.is_revoked(minted_by(id, now))) << "a developer mints";
    EXPECT_TRUE(door.change_role("ws_1", MemberActor::of_operator(), id, to, {}));
    for (const auto environment : {rules::Environment::live, rules::Environment::test})
      EXPECT_TRUE(door.revocations.is_revoked(minted_by(id, now, environment))) << who;
    EXPECT_FALSE(door.revocations.is_revoked(minted_by(id, now + 1ms)));
    EXPECT_FALSE(door.revocations.is_revoked(minted_by(other, now)));
    EXPECT_EQ(told, 2) << "so live sessions end too";
    door.revocations.on_revoked({});
  }
}

// Rule session-token-ends-with-its-minter.
TEST_F(People, WhatAPersonMintedEndsWithALogOutEverywhereAndAChangeOfPassword) {
  const auto id = door.member("ada@example.com", Role::owner);
  EXPECT_TRUE(door.accounts.end_all_log_ins(
      id, actions::entry_of(door.all, {}, id, AuditAction::account_log_out_everywhere, id)));
  EXPECT_TRUE(door.revocations.is_revoked(minted_by(id, door.clock.now())));
  door.clock.advance(1s);
  EXPECT_FALSE(door.revocations.is_revoked(minted_by(id, door.clock.now())));
  const auto hash = (*door.accounts.account(id))->password_hash;
  const auto own = actions::first_refresh_token(door.all, id);
  EXPECT_TRUE(door.accounts.change_password(
      id, hash, "other", own.kept,
      actions::entry_of(door.all, {}, id, AuditAction::account_log_out_everywhere, id)));
  EXPECT_TRUE(door.revocations.is_revoked(minted_by(id, door.clock.now())));
}

TEST_F(People, AnAccountWithoutAnIdIsNobodyAndNeverTheOperator) {
  const auto id = door.member("ada@example.com", Role::viewer);
  EXPECT_EQ(door.change_role("ws_1", MemberActor::of_account(""), id, Role::owner, {}).error().code,
            ErrorCode::forbidden);
  EXPECT_EQ(door.invite("ws_1", MemberActor::of_account(""), "x@example.com", Role::viewer, {})
                .error()
                .code,
            ErrorCode::forbidden);
}

// Rule member-role-ceiling.
TEST_F(People, TheRoleThatCountsIsThatOfTheMomentAndNotOfTheTokens) {
  const auto owner = door.member("owner@example.com", Role::owner);
  const auto admin = door.member("admin@example.com", Role::admin);
  const auto viewer = door.member("viewer@example.com", Role::viewer);
  EXPECT_EQ(door.change_role("ws_1", MemberActor::of_account(admin), owner, Role::viewer, {})
                .error()
                .code,
            ErrorCode::forbidden);
  EXPECT_EQ(door.invite("ws_1", MemberActor::of_account(admin), "x@example.com", Role::owner, {})
                .error()
                .code,
            ErrorCode::forbidden);
  EXPECT_TRUE(door.change_role("ws_1", MemberActor::of_account(owner), admin, Role::developer, {}));
  EXPECT_EQ(door.change_role("ws_1", MemberActor::of_account(admin), viewer, std::nullopt, {})
                .error()
                .code,
            ErrorCode::forbidden);
  EXPECT_TRUE(door.change_role("ws_1", MemberActor::of_account(owner), admin, std::nullopt, {}));
  EXPECT_EQ(door.change_role("ws_1", MemberActor::of_account(admin), viewer, std::nullopt, {})
                .error()
                .code,
            ErrorCode::forbidden);
  EXPECT_EQ(door.change_role("ws_1", MemberActor::of_account(owner), admin, Role::viewer, {})
                .error()
                .code,
            ErrorCode::not_found);
  EXPECT_EQ(
      door.change_role("ws_2", MemberActor::of_operator(), viewer, Role::admin, {}).error().code,
      ErrorCode::not_found);
}

// Rule member-invitations-end.
TEST_F(People, WithAMemberEndTheInvitationsThatTheyMade) {
  const auto admin = door.member("admin@example.com", Role::admin);
  const auto kept = door.code_for("kept@example.com", Role::viewer);
  const auto low = door.code_for("low@example.com", Role::viewer, MemberActor::of_account(admin));
  const auto high = door.code_for("high@example.com", Role::admin, MemberActor::of_account(admin));
  EXPECT_TRUE(door.change_role("ws_1", MemberActor::of_operator(), admin, Role::developer, {}));
  EXPECT_FALSE(door.sign_up_with("high@example.com", high));
  EXPECT_TRUE(door.sign_up_with("low@example.com", low));
  EXPECT_TRUE(door.change_role("ws_1", MemberActor::of_operator(), admin, Role::admin, {}));
  const auto back = door.code_for("back@example.com", Role::viewer, MemberActor::of_account(admin));
  EXPECT_TRUE(door.change_role("ws_1", MemberActor::of_operator(), admin, std::nullopt, {}));
  EXPECT_FALSE(door.sign_up_with("back@example.com", back));
  EXPECT_TRUE(door.sign_up_with("kept@example.com", kept));
}

TEST_F(People, AChangeIsSeenByAnotherProcessAndAfterARestart) {
  const auto id = door.member("ada@example.com", Role::viewer);
  door.member("owner@example.com", Role::owner);
  const auto comes_true = [](auto condition) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < end) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  };
  {
    Process other(folder);
    EXPECT_TRUE(other.member_of(id, 1, "ws_1")) << "read at its start";
    EXPECT_TRUE(other.change_role("ws_1", MemberActor::of_operator(), id, Role::admin, {}));
    EXPECT_TRUE(comes_true([&] { return door.member_of(id, 1)->role == Role::admin; }));
    EXPECT_TRUE(other.change_role("ws_1", MemberActor::of_operator(), id, std::nullopt, {}));
    EXPECT_TRUE(comes_true([&] { return !door.member_of(id, 1, "ws_1"); }));
    EXPECT_TRUE(other.accounts.end_all_log_ins(id, {}));
    EXPECT_TRUE(comes_true([&] { return !door.member_of(id, 1); }));
  }
  Process again(folder);
  EXPECT_FALSE(again.member_of(id, 1));
  EXPECT_TRUE(again.member_of(id, 2));
  EXPECT_FALSE(again.member_of(id, 2, "ws_1"));
}

TEST_F(People, WhoIsRemovedMayBeInvitedAgain) {
  const auto id = door.member("ada@example.com", Role::viewer);
  EXPECT_TRUE(door.change_role("ws_1", MemberActor::of_operator(), id, std::nullopt, {}));
  const auto code = door.code_for("ada@example.com", Role::admin);
  const auto account = door.accounts.account(id);
  const auto joined =
      door.members.accept_invitation(rules::hash_of_invitation_code(code), **account, {});
  ASSERT_TRUE(joined);
  EXPECT_EQ(door.member_of(id, 1)->role, Role::admin);
  EXPECT_EQ(door.members.accept_invitation(rules::hash_of_invitation_code(code), **account, {})
                .error()
                .code,
            ErrorCode::not_found);
}

}  // namespace
}  // namespace stagedoor::store
