#include "server/knowledge_runner.h"

#include <utility>

#include "base/json.h"

namespace stagedoor::server {
namespace {

using base::ErrorCode;

std::string query_of(const std::string& arguments) {
  base::JsonReader reader;
  const auto json = reader.read(arguments);
  const auto query = json ? json->member("query") : std::nullopt;
  return std::string(query ? query->text().value_or("") : "");
}

}  // namespace

class KnowledgeRunner : public stage::ToolRunner {
 public:
  KnowledgeRunner(KnowledgeSearches& searches, rules::ItemScope scope,
                  std::vector<std::string> group_ids)
      : searches_(searches), scope_(std::move(scope)), group_ids_(std::move(group_ids)) {}

  std::unique_ptr<stage::Job> call(stage::WebhookCall call, stage::ToolSink sink) override {
    auto job = std::make_unique<engines::StoppableJob>();
    auto work = [&knowledge = searches_.knowledge_, scope = scope_, group_ids = group_ids_,
                 query = query_of(call.arguments), token = job->token(), sink] {
      if (token.stop_requested()) return;
      const auto found =
          knowledge.search(scope, {.group_ids = group_ids, .words = rules::words_of_query(query)});
      if (token.stop_requested()) return;
      if (found) return sink(rules::text_of_passages(*found));
      sink(base::fail(found.error()));
    };
    if (!searches_.pool_.submit(std::move(work)))
      sink(
          base::fail(ErrorCode::rate_limited, "too many searches wait", "Too many searches wait."));
    return job;
  }

 private:
  KnowledgeSearches& searches_;
  const rules::ItemScope scope_;
  const std::vector<std::string> group_ids_;
};

std::shared_ptr<stage::ToolRunner> KnowledgeSearches::over(rules::ItemScope scope,
                                                           std::vector<std::string> group_ids) {
  return std::make_shared<KnowledgeRunner>(*this, std::move(scope), std::move(group_ids));
}

}  // namespace stagedoor::server
