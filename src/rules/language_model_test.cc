#include "rules/language_model.h"

#include <gtest/gtest.h>

#include "rules/audit_action.h"

namespace stagedoor::rules {
namespace {

constexpr std::string_view good =
    R"({"displayName":"Ours","llmFormat":"openai","modelName":"m-1","secret":"sk-hush",)"
    R"("urls":[{"url":"https://llm.example/v1"}]})";

std::expected<ItemDraft, ItemFaults> read(std::string_view text) {
  base::JsonReader reader;
  return language_model_form().read(*reader.read(text));
}
std::string fault_of(const std::expected<ItemDraft, ItemFaults>& draft) {
  return draft ? "" : draft.error().front().path + ' ' + draft.error().front().code;
}
CatalogItem kept(std::string_view text = good) {
  auto draft = read(text);
  EXPECT_TRUE(draft) << fault_of(draft);
  CatalogItem item;
  item.name = draft->name;
  item.content = draft->content;
  item.secret = std::move(draft->secret);
  return item;
}
std::expected<ItemDraft, ItemFaults> changed(const CatalogItem& before, std::string_view text) {
  base::JsonReader reader;
  return language_model_form().changed(before, *reader.read(text));
}
std::string with(std::string_view from, std::string_view to) {
  std::string text(good);
  text.replace(text.find(from), from.size(), to);
  return text;
}

// Rule language-model-key-stays.
TEST(LanguageModel, KeepsItsKeyApartFromItsContent) {
  const auto model = kept();
  EXPECT_EQ(model.name, "Ours");
  EXPECT_EQ(model.secret.expose(), "sk-hush");
  EXPECT_FALSE(model.content.contains("hush"));
  EXPECT_FALSE(model.content.contains("secret"));
}

TEST(LanguageModel, IsAskedAtTheCompletionsOfItsAddress) {
  EXPECT_EQ(terms_of(kept()).url, "https://llm.example/v1/chat/completions");
  const auto whole = with("https://llm.example/v1", "https://llm.example/v1/chat/completions/");
  EXPECT_EQ(terms_of(kept(whole)).url, "https://llm.example/v1/chat/completions");
  EXPECT_EQ(terms_of(kept()).model, "m-1");
}

TEST(LanguageModel, SaysHowItIsAskedOnlyWhereThatWasSaid) {
  const auto plain = terms_of(kept());
  EXPECT_EQ(plain.reasoning_effort, "");
  EXPECT_FALSE(plain.temperature);
  EXPECT_FALSE(plain.answer_tokens_max);
  const auto terms =
      terms_of(kept(with("{", R"({"temperature":0.25,"maxTokens":99,"reasoningEffort":"low",)")));
  EXPECT_EQ(terms.reasoning_effort, "low");
  EXPECT_EQ(terms.temperature, 0.25);
  EXPECT_EQ(terms.answer_tokens_max, 99);
  EXPECT_EQ(terms_of(kept(with("{", R"({"reasoningEffort":"default",)"))).reasoning_effort, "");
}

TEST(LanguageModel, NamesTheMemberThatIsAtFault) {
  EXPECT_EQ(fault_of(read("{}")), "displayName missing");
  EXPECT_EQ(fault_of(read(with("openai", "gemini"))), "llmFormat unsupported");
  EXPECT_EQ(fault_of(read(with("openai", "none"))), "llmFormat unsupported");
  EXPECT_EQ(fault_of(read(with("https://llm", "ftp://llm"))), "urls[0].url invalid_form");
  EXPECT_EQ(fault_of(read(with(R"([{"url":"https://llm.example/v1"}])", "[]"))), "urls missing");
  EXPECT_EQ(fault_of(read(with("sk-hush", ""))), "secret invalid_form");
  EXPECT_EQ(fault_of(read(with("sk-hush", "a b"))), "secret invalid_form");
  EXPECT_EQ(fault_of(read(with("sk-hush", R"(a\r\nX: y)"))), "secret invalid_form");
  EXPECT_EQ(fault_of(read(with(R"("secret":"sk-hush",)", ""))), "secret missing");
}

// Rule language-model-key-stays.
TEST(LanguageModel, ChangesWhatIsNamedAndKeepsItsKeyUntilThereIsANewOne) {
  const auto before = kept();
  const auto renamed =
      changed(before, R"({"displayName":"Theirs","url":"https://llm.example/v2"})");
  ASSERT_TRUE(renamed) << fault_of(renamed);
  EXPECT_EQ(renamed->name, "Theirs");
  EXPECT_EQ(renamed->secret.expose(), "sk-hush");
  EXPECT_TRUE(renamed->content.contains("https://llm.example/v2"));
  EXPECT_FALSE(renamed->content.contains("llm.example/v1"));
  const auto rekeyed = changed(before, R"({"secret":"sk-new"})");
  ASSERT_TRUE(rekeyed) << fault_of(rekeyed);
  EXPECT_EQ(rekeyed->secret.expose(), "sk-new");
  EXPECT_EQ(rekeyed->content, before.content);
}

// Rule language-model-key-stays.
TEST(LanguageModel, IsNotMovedToAnotherHostWithTheKeyOfTheOneBefore) {
  const auto before = kept();
  for (const auto* url : {"https://b.example/v1", "http://llm.example/v1",
                          "https://llm.example:444/v1", "https://llm.example@b.example/v1"})
    EXPECT_EQ(fault_of(changed(before, R"({"url":")" + std::string(url) + "\"}")), "secret missing")
        << url;
  const auto moved = changed(before, R"({"url":"https://b.example/v1","secret":"sk-b"})");
  ASSERT_TRUE(moved) << fault_of(moved);
  EXPECT_EQ(moved->secret.expose(), "sk-b");
}

TEST(LanguageModel, RefusesAChangeThatItDoesNotKnowOrThatLeavesItUnplayable) {
  const auto before = kept();
  EXPECT_EQ(fault_of(changed(before, R"({"unknown":1})")), "unknown unknown_member");
  EXPECT_EQ(fault_of(changed(before, R"({"displayName":null})")), "displayName missing");
  EXPECT_EQ(fault_of(changed(before, R"({"secret":null})")), "secret invalid_form");
  EXPECT_EQ(fault_of(changed(before, R"({"llmFormat":"anthropic"})")), "llmFormat unsupported");
  EXPECT_EQ(fault_of(changed(before, R"({"url":"https://a.example","urls":[]})")), "url conflict");
  EXPECT_EQ(fault_of(changed(before, "[]")), " invalid_type");
}

}  // namespace
}  // namespace stagedoor::rules
