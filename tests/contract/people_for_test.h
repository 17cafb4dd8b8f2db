// A process with accounts, members and the verbs on them, in a folder of its own.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

inline const std::string our_issuer = "https://door.example";
inline const std::string password = "correct horse";

inline rules::AuditSealer sealer_of(const Folder& folder, base::Random& random) {
  auto database = folder.database();
  auto sealer = open_audit_key(database, folder.file("audit-key"), random);
  EXPECT_TRUE(sealer);
  return *std::move(sealer);
}

inline std::vector<base::Secret> seeds() {
  std::vector<base::Secret> seeds;
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
  std::string code_for(const std::string& email, rules::Role role,
                       const rules::MemberActor& by = rules::MemberActor::of_operator(),
                       const std::string& workspace = "ws_1") {
    auto invited = invite(workspace, by, email, role, {});
    EXPECT_TRUE(invited);
    return invited ? std::string(invited->code.expose()) : std::string();
  }
  base::Result<actions::SignUp::Made> sign_up_with(const std::string& email,
                                                   const std::string& code) {
    actions::SignUp::Request request;
    request.email = email;
    request.password = base::Secret(password);
    if (!code.empty()) request.code = base::Secret(code);
    return sign_up(request, {});
  }
  // A member of ws_1; its account's id.
  std::string member(const std::string& email, rules::Role role) {
    const auto made = sign_up_with(email, code_for(email, role));
    EXPECT_TRUE(made);
    return made ? made->account.id : std::string();
  }
  base::Result<actions::LoggedIn> log_in_as(const std::string& email,
                                            const std::string& with = password) {
    return log_in(*rules::read_email(email), base::Secret(with), {});
  }
  base::Result<actions::LoggedIn> refresh_with(const actions::LoggedIn& before) {
    return refresh(base::Secret(before.refresh_token.expose()), {});
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
  crypto::HmacKey refresh_key{base::Secret(std::string(32, 'r'))};
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

}  // namespace stagedoor::store
