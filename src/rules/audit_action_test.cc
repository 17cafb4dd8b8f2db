#include "rules/audit_action.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace stagedoor::rules {
namespace {

// Rule audit-one-word.
TEST(AuditAction, EachIsANounAndAVerbAndNamedOnce) {
  std::set<std::string_view> seen;
  for (const auto word : audit_actions()) {
    EXPECT_TRUE(seen.insert(word).second) << word;
    EXPECT_EQ(std::ranges::count(word, '.'), 1) << word;
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_."), word.npos) << word;
    EXPECT_FALSE(word.starts_with('.') || word.ends_with('.')) << word;
  }
}

// Rule audit-one-word.
TEST(AuditAction, AWordIsTheNameOfItsValueSoThatNoTwoAreExchanged) {
  EXPECT_EQ(name_of(AuditAction::account_change_password), "account.change_password");
  EXPECT_EQ(name_of(AuditAction::api_key_rotate), "api_key.rotate");
  EXPECT_EQ(name_of(AuditAction::session_end), "session.end");
  EXPECT_EQ(name_of(AuditAction::token_key_export), "token_key.export");
  EXPECT_TRUE(std::ranges::is_sorted(audit_actions()));
}

}  // namespace
}  // namespace stagedoor::rules
