#include "rules/built_in.h"

#include <gtest/gtest.h>

#include <set>

namespace stagedoor::rules {
namespace {

// Rule built-in-ids.
TEST(BuiltIn, HasTheIdsThatTheVendorsDocumentsPrint) {
  EXPECT_EQ(built_in_avatar("30fa96d0-26c4-4e55-94a0-517025942e18")->name, "Cara");
  EXPECT_EQ(built_in_avatar("071b0286-4cce-4808-bee2-e642f1062de3")->name, "Liv");
  for (const auto* id :
       {"6bfbe25a-979d-40f3-a92b-5394170af54b", "de23e340-1416-4dd8-977d-065a7ca11697"})
    EXPECT_NE(built_in_voice(id), nullptr);
  for (const auto* id :
       {"a7cf662c-2ace-4de1-a21e-ef0fbf144bb7", "0934d97d-0c3a-4f33-91b0-5e136a0ef466",
        "7736a22f-2d79-4720-952c-25fdca55ad40", "CUSTOMER_CLIENT_V1"})
    EXPECT_NE(built_in_language_model(id), nullptr);
}

TEST(BuiltIn, KnowsNothingElse) {
  for (const auto* id : {"", "30FA96D0-26C4-4E55-94A0-517025942E18", "x"}) {
    EXPECT_EQ(built_in_avatar(id), nullptr);
    EXPECT_EQ(built_in_voice(id), nullptr);
    EXPECT_EQ(built_in_language_model(id), nullptr);
  }
  EXPECT_EQ(built_in_avatar("a7cf662c-2ace-4de1-a21e-ef0fbf144bb7"), nullptr);
}

TEST(BuiltIn, HasEachIdOnce) {
  std::set<std::string_view> ids;
  std::size_t count = 0;
  for (const auto all : {built_in_avatars(), built_in_voices(), built_in_language_models()}) {
    ASSERT_FALSE(all.empty());
    for (const auto& one : all) {
      ids.insert(one.id);
      ++count;
    }
  }
  EXPECT_EQ(ids.size(), count);
}

}  // namespace
}  // namespace stagedoor::rules
