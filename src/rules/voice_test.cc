#include "rules/voice.h"

#include <gtest/gtest.h>

#include "rules/built_in.h"

namespace stagedoor::rules {
namespace {

// Rule voice-ids-stable.
TEST(Voice, HasAnIdThatFollowsFromItsNamesAlone) {
  const auto id = voice_id_of("flite", "slt");
  EXPECT_EQ(id, voice_id_of("flite", "slt"));
  EXPECT_NE(id, voice_id_of("flite", "rms"));
  EXPECT_NE(id, voice_id_of("espeak-ng", "slt"));
  ASSERT_EQ(id.size(), 36u);
  EXPECT_EQ(id[14], '8');
  EXPECT_TRUE(std::string_view("89ab").contains(id[19]));
  // Personas rest on it.
  EXPECT_EQ(id, "0cbb0ddc-a222-8f17-9e94-abca32fa082c");
}

// Rule built-in-ids.
TEST(Voice, BeginsWithThoseThatTheVendorsDocumentsPrint) {
  const Voices voices;
  ASSERT_EQ(voices.all().size(), built_in_voices().size());
  for (const auto& one : built_in_voices()) EXPECT_NE(voices.find(one.id), nullptr);
  EXPECT_EQ(voices.find("x"), nullptr);
  EXPECT_EQ(voices.find_or_first("x").id, built_in_voices().front().id);
}

TEST(Voice, TakesThePlaceOfOneWithItsId) {
  Voices voices;
  const std::string id(built_in_voices().front().id);
  voices.add({.id = id, .name = "Told", .engine = {}, .engine_name = "slt", .language = {}});
  voices.add({.id = "new", .name = "New", .engine = "e", .engine_name = "n", .language = "de"});
  EXPECT_EQ(voices.all().size(), built_in_voices().size() + 1);
  EXPECT_EQ(voices.find(id)->engine_name, "slt");
  EXPECT_EQ(voices.all().front().id, id);
  EXPECT_EQ(voices.find("new")->language, "de");
}

}  // namespace
}  // namespace stagedoor::rules
