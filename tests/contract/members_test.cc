// What every store of members and invitations promises, and the verbs on it, run against the SQLite
// ones.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "people_for_test.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::AuditAction;
using rules::MemberActor;
using rules::Role;
using namespace std::chrono_literals;

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
