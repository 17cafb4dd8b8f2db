#include "rules/knowledge.h"

#include <gtest/gtest.h>

#include <simdjson.h>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

// Rule knowledge-by-name-and-size.
TEST(Knowledge, ReadsTextsOfKnownKindsAndRefusesOthersByName) {
  for (const auto* name : {"a.txt", "b.c.MD", "t.csv", "x.json", "server.log"})
    EXPECT_TRUE(document_type_of(name)) << name;
  EXPECT_EQ(*document_type_of("Notes.MD"), "md");
  for (const auto* name : {"a.pdf", "a.docx", "a", "txt"})
    EXPECT_EQ(document_type_of(name).error().code, ErrorCode::unsupported) << name;
  EXPECT_TRUE(document_type_of("a.pdf").error().hint.contains("pdf"));
  for (const auto& name : {std::string(), std::string("a\n.txt"), std::string(256, 'a')})
    EXPECT_EQ(document_type_of(name).error().code, ErrorCode::malformed) << name;
}

// Rule knowledge-by-name-and-size.
TEST(Knowledge, TakesUtf8TextOfABoundedSize) {
  EXPECT_TRUE(check_document("Gr\u00fc\u00dfe"));
  EXPECT_FALSE(check_document(""));
  EXPECT_FALSE(check_document("\xff\xfe"));
  EXPECT_FALSE(check_document(std::string_view("a\0b", 3)));
  EXPECT_FALSE(check_document(std::string(document_bytes_max + 1, 'a')));
}

TEST(Knowledge, CutsBetweenWordsWithAnOverlapAndLosesNothing) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "word" + std::to_string(i) + ' ';
  const Cut cut{.length = 300, .overlap = 60};
  const auto passages = passages_of(text, cut);
  ASSERT_GT(passages.size(), 10u);
  std::size_t covered = 0;
  for (const auto passage : passages) {
    EXPECT_LE(passage.size(), cut.length);
    EXPECT_TRUE(passage.starts_with("word"));
    EXPECT_TRUE(passage.ends_with(" "));
    const auto at = static_cast<std::size_t>(passage.data() - text.data());
    EXPECT_LE(at, covered);
    covered = at + passage.size();
  }
  EXPECT_EQ(covered, text.size());
}

TEST(Knowledge, NoPassageIsPartOfTheOneBefore) {
  const auto text = std::string(29, 'a') + ' ' + std::string(69, 'b') + ' ' + std::string(200, 'c');
  std::size_t covered = 0;
  for (const auto passage : passages_of(text, {.length = 100, .overlap = 50})) {
    const auto at = static_cast<std::size_t>(passage.data() - text.data());
    EXPECT_LE(at, covered);
    EXPECT_GT(at + passage.size(), covered);
    covered = at + passage.size();
  }
  EXPECT_EQ(covered, text.size());
}

TEST(Knowledge, NeverCutsACharacterAndAlwaysComesToAnEnd) {
  std::string text;
  for (int i = 0; i < 700; ++i) text += "\u00e4";
  for (const auto& cut : {Cut{.length = 101, .overlap = 50}, Cut{.length = 100, .overlap = 0}}) {
    std::size_t covered = 0;
    for (const auto passage : passages_of(text, cut)) {
      EXPECT_TRUE(simdjson::validate_utf8(passage.data(), passage.size()));
      const auto at = static_cast<std::size_t>(passage.data() - text.data());
      EXPECT_LE(at, covered);
      covered = at + passage.size();
    }
    EXPECT_EQ(covered, text.size());
  }
  EXPECT_TRUE(passages_of("", {}).empty());
  EXPECT_EQ(passages_of("short", {}), std::vector<std::string_view>{"short"});
}

TEST(Knowledge, ChecksHowItIsCut) {
  EXPECT_TRUE(check(Cut()));
  EXPECT_FALSE(check({.length = 99, .overlap = 0}));
  EXPECT_FALSE(check({.length = 8001, .overlap = 0}));
  EXPECT_FALSE(check({.length = 100, .overlap = 51}));
}

TEST(Knowledge, ReadsAQueryAsWords) {
  EXPECT_EQ(words_of_query("How much, \"exactly\"? (\u00fcber 9)"),
            (std::vector<std::string>{"How", "much", "exactly", "\u00fcber", "9"}));
  EXPECT_TRUE(words_of_query(" \"*^: ").empty());
  EXPECT_EQ(words_of_query(std::string(65, 'a') + " b"), std::vector<std::string>{"b"});
  std::string many;
  for (int i = 0; i < 100; ++i) many += "w ";
  EXPECT_EQ(words_of_query(many).size(), 32u);
}

TEST(Knowledge, TheDocumentsOfASearchAreReadBackFromWhatItsModelReads) {
  const auto passage = [](std::string filename, std::string content) {
    Passage one;
    one.filename = std::move(filename);
    one.content = std::move(content);
    return one;
  };
  const auto text =
      text_of_passages({passage("b.md", "x"), passage("a \"1\".md", "y"), passage("b.md", "z"),
                        passage("long.md", std::string(passages_bytes_max, 'l'))});
  EXPECT_EQ(documents_in(text), (std::vector<std::string>{"b.md", "a \"1\".md"}))
      << "what was too long to be read was not accessed";
  for (const auto* other : {"", "Nothing was found.", "{}", "[7]", R"([{"filename":7}])", "[{"})
    EXPECT_TRUE(documents_in(other).empty()) << other;
  EXPECT_EQ(text_of_passages({}), "Nothing was found.");
}

}  // namespace
}  // namespace stagedoor::rules
