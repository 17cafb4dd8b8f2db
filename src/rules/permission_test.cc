#include "rules/permission.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

Permissions read(std::vector<std::string> scopes) {
  const auto set = read_scopes(scopes);
  EXPECT_TRUE(set);
  return set.value_or(Permissions());
}

// Rule permission-nothing-by-default.
TEST(Permissions, ASetThatNamesNothingAllowsNothing) {
  const Permissions none;
  EXPECT_TRUE(none.is_empty());
  for (std::size_t i = 0; i < permission_count; ++i)
    EXPECT_FALSE(none.has(static_cast<Permission>(i)));
  EXPECT_TRUE(read({}).is_empty());
}

// Rule permission-nothing-by-default.
TEST(Permissions, BitsThatNoPermissionHasAreDropped) {
  EXPECT_EQ(Permissions::of_bits(0xffff'ffff).bits(), (1u << permission_count) - 1);
}

// Rule api-key-scopes.
TEST(Scopes, OneNamesOnePermissionAnAreaAllOfItsVerbs) {
  EXPECT_EQ(read({"tokens:mint"}), Permissions{Permission::tokens_mint});
  EXPECT_EQ(read({"keys:*"}),
            (Permissions{Permission::keys_read, Permission::keys_write, Permission::keys_verify}));
  EXPECT_EQ(read({"tokens:mint", "sessions:read"}),
            (Permissions{Permission::tokens_mint, Permission::sessions_read}));
}

// Rule api-key-scopes.
TEST(Scopes, ReadOnlyChangesNothing) {
  const auto set = read({"read-only"});
  for (const auto permission : {Permission::sessions_read, Permission::keys_read,
                                Permission::usage_read, Permission::audit_read})
    EXPECT_TRUE(set.has(permission)) << name_of(permission);
  for (const auto permission :
       {Permission::tokens_mint, Permission::tokens_revoke, Permission::sessions_end,
        Permission::keys_write, Permission::apps_write, Permission::tts_speak})
    EXPECT_FALSE(set.has(permission)) << name_of(permission);
}

// Rule api-key-scopes.
TEST(Scopes, NoneGivesAKeyWhatBelongsToPeople) {
  for (const auto permission :
       {Permission::members_read, Permission::members_write, Permission::workspace_write}) {
    EXPECT_FALSE(read({"*"}).has(permission)) << name_of(permission);
    EXPECT_FALSE(read_scopes({std::string(name_of(permission))}));
  }
  EXPECT_EQ(read({"*"}), Permissions::usual_of_api_keys());
}

// Rule api-key-scopes.
TEST(Scopes, ChangingItsAppIsGivenToAKeyByNameOnly) {
  EXPECT_FALSE(Permissions::usual_of_api_keys().has(Permission::apps_write));
  EXPECT_FALSE(read({"*", "read-only"}).has(Permission::apps_write));
  EXPECT_EQ(read({"*", "apps:write", "rooms:mint"}), Permissions::of_api_keys());
  EXPECT_TRUE(read({"apps:*"}).has(Permission::apps_write));
}

// Rule api-key-scopes.
TEST(Scopes, AnUnknownOneIsRefusedWithTheNearestKnownOne) {
  for (const auto* scope : {"token:mint", "tokens:mnt", "", ":*", "tokens:", "TOKENS:MINT"}) {
    const auto refused = read_scopes({scope});
    ASSERT_FALSE(refused) << scope;
    EXPECT_EQ(refused.error().code, ErrorCode::malformed);
  }
  EXPECT_NE(read_scopes({"tokens:mnt"}).error().hint.find("tokens:mint"), std::string::npos);
}

// Rule api-key-scopes.
TEST(Scopes, AKeyWithoutScopesMayDoAllThatTheThirdSeedLists) {
  const auto set = Permissions::usual_of_api_keys();
  for (const auto permission :
       {Permission::conversations_read, Permission::conversations_write, Permission::tts_speak,
        Permission::tokens_mint, Permission::keys_write})
    EXPECT_TRUE(set.has(permission)) << name_of(permission);
  EXPECT_FALSE(set.has(Permission::rooms_mint)) << "which signs for the whole server's project";
}

TEST(Scopes, AreWrittenAndReadBackAsTheSame) {
  for (std::uint32_t bits = 1; bits < 1u << permission_count; bits = bits * 3 + 1) {
    const auto set = Permissions::of_bits(bits).both(Permissions::of_api_keys());
    const auto scopes = scopes_of(set);
    EXPECT_EQ(read({scopes.begin(), scopes.end()}), set);
  }
}

}  // namespace
}  // namespace stagedoor::rules
