#include "server/knowledge_runner.h"

#include <gtest/gtest.h>

#include "engines/events_for_test.h"

namespace stagedoor::server {
namespace {

// Finds what it is told, and keeps what it was asked for.
class Told : public rules::Knowledge {
 public:
  base::Result<std::vector<rules::Document>> list(const rules::ItemScope&,
                                                  std::string_view) override {
    return std::vector<rules::Document>();
  }
  base::Result<std::int64_t> count(const rules::ItemScope&, std::string_view) override { return 0; }
  base::Result<rules::Document> find(const rules::ItemScope&, std::string_view) override {
    return base::fail(base::ErrorCode::not_found, "none");
  }
  base::Result<std::string> content(const rules::ItemScope&, std::string_view) override {
    return base::fail(base::ErrorCode::not_found, "none");
  }
  base::Result<std::vector<rules::Passage>> search(const rules::ItemScope& scope,
                                                   const Query& query) override {
    asked_scope = scope;
    asked = query;
    if (is_down) return base::fail(base::ErrorCode::unavailable, "down");
    return found;
  }
  base::Result<base::Done> add(const rules::Document&, std::string_view,
                               const std::vector<std::string_view>&,
                               const rules::AuditEntry&) override {
    return base::Done{};
  }
  base::Result<rules::Document> rename(const rules::ItemScope&, std::string_view, std::string_view,
                                       const rules::AuditEntry&) override {
    return base::fail(base::ErrorCode::not_found, "none");
  }
  base::Result<base::Done> remove(const rules::ItemScope&, std::string_view,
                                  const rules::AuditEntry&) override {
    return base::Done{};
  }
  rules::ItemScope asked_scope;
  Query asked;
  std::vector<rules::Passage> found;
  bool is_down = false;
};

base::Result<std::string> answer_of(rules::Knowledge& knowledge, const std::string& arguments) {
  KnowledgeSearches searches(knowledge);
  const auto runner = searches.over({"ws_1", rules::Environment::live}, {"g1", "g2"});
  const auto results = std::make_shared<engines::Events<base::Result<std::string>>>();
  stage::WebhookCall call;
  call.arguments = arguments;
  const auto job = runner->call(std::move(call), [results](base::Result<std::string> result) {
    results->add(std::move(result));
  });
  return results->wait_for([](const auto& seen) { return !seen.empty(); }).at(0);
}

rules::Passage passage(std::string content) {
  rules::Passage one;
  one.filename = "a.txt";
  one.content = std::move(content);
  return one;
}

// Rule knowledge-of-one-workspace.
TEST(KnowledgeRunner, SearchesTheGroupsOfItsToolInTheScopeOfItsSession) {
  Told knowledge;
  knowledge.found = {passage("Dogs may come in.")};
  EXPECT_EQ(*answer_of(knowledge, R"({"query":"dogs, cats"})"),
            R"([{"filename":"a.txt","content":"Dogs may come in."}])");
  EXPECT_EQ(knowledge.asked_scope.workspace_id, "ws_1");
  EXPECT_EQ(knowledge.asked_scope.environment, rules::Environment::live);
  EXPECT_EQ(knowledge.asked.group_ids, (std::vector<std::string>{"g1", "g2"}));
  EXPECT_EQ(knowledge.asked.words, (std::vector<std::string>{"dogs", "cats"}));
}

TEST(KnowledgeRunner, SaysWhereNothingWasFoundOrTheModelSaidNothing) {
  Told knowledge;
  for (const auto* arguments : {R"({"query":"x"})", "{}", "[", ""})
    EXPECT_EQ(*answer_of(knowledge, arguments), "Nothing was found.") << arguments;
  knowledge.is_down = true;
  EXPECT_EQ(answer_of(knowledge, R"({"query":"x"})").error().code, base::ErrorCode::unavailable);
}

TEST(KnowledgeRunner, GivesAModelABoundedAmountToRead) {
  Told knowledge;
  for (int i = 0; i < 5; ++i) knowledge.found.push_back(passage(std::string(8000, 'x')));
  EXPECT_LE(answer_of(knowledge, R"({"query":"x"})")->size(), 17u << 10);
}

}  // namespace
}  // namespace stagedoor::server
