#include "server/language_models.h"

#include <gtest/gtest.h>

#include "engines/events_for_test.h"
#include "engines/web_server_for_test.h"
#include "rules/language_model.h"

namespace stagedoor::server {
namespace {

using engines::PrivateAddresses;
using engines::WebServer;

// Keeps one language model, with its key.
class OneModel : public rules::CatalogItems {
 public:
  explicit OneModel(const std::string& url) {
    base::JsonReader reader;
    const auto body = reader.read(
        R"({"displayName":"Ours","llmFormat":"openai","modelName":"m-1","secret":"sk-hush",)"
        R"("reasoningEffort":"low","maxTokens":77,"urls":[{"url":")" +
        url + R"("}]})");
    draft_ = rules::language_model_form().read(*body);
    EXPECT_TRUE(draft_);
  }
  base::Result<rules::CatalogItem> find(const rules::ItemScope&, rules::ItemKind,
                                        std::string_view id) override {
    if (id != "ours") return base::fail(base::ErrorCode::not_found, "none");
    rules::CatalogItem item;
    item.content = draft_->content;
    item.secret = base::Secret(draft_->secret.expose());
    return item;
  }
  base::Result<Found> list(const rules::ItemScope&, rules::ItemKind, const Query&) override {
    return Found();
  }
  base::Result<base::Done> create(const rules::CatalogItem&, const rules::AuditEntry&) override {
    return base::Done{};
  }
  base::Result<rules::CatalogItem> change(const rules::ItemScope&, rules::ItemKind,
                                          std::string_view, const Change&,
                                          const rules::AuditEntry&) override {
    return rules::CatalogItem();
  }
  base::Result<base::Done> remove(const rules::ItemScope&, rules::ItemKind, std::string_view,
                                  const rules::AuditEntry&) override {
    return base::Done{};
  }

 private:
  std::expected<rules::ItemDraft, rules::ItemFaults> draft_;
};

WebServer::Answer says_hello() {
  return [](const WebServer::Request&, const auto& send) {
    send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        R"({"choices":[{"message":{"content":"Hello from ours."}}]})");
  };
}

std::vector<stage::ChatEvent> answer_of(stage::Chat& chat) {
  const auto events = std::make_shared<engines::Events<stage::ChatEvent>>();
  const auto job =
      chat.answer({}, [events](stage::ChatEvent event) { events->add(std::move(event)); });
  return events->wait_for([](const auto& seen) {
    return !seen.empty() && (std::holds_alternative<stage::ChatEnd>(seen.back()) ||
                             std::holds_alternative<base::Error>(seen.back()));
  });
}

// Rule language-model-key-stays.
TEST(LanguageModels, AskTheEndpointOfTheWorkspaceWithItsKey) {
  engines::WebCalls calls({});
  WebServer server(says_hello());
  OneModel items(server.url() + "/v1");
  const LanguageModels models({items, calls, PrivateAddresses::allowed});
  const auto chat = models({"ws_1", rules::Environment::test}, "ours");
  ASSERT_TRUE(chat);
  const auto events = answer_of(**chat);
  EXPECT_EQ(std::get<stage::ChatDelta>(events.front()).text, "Hello from ours.");
  const auto request = server.requests().front();
  EXPECT_TRUE(request.head.starts_with("POST /v1/chat/completions ")) << request.head;
  EXPECT_TRUE(request.head.contains("Authorization: Bearer sk-hush")) << request.head;
  EXPECT_TRUE(request.body.contains(R"("model":"m-1")")) << request.body;
  EXPECT_TRUE(request.body.contains(R"("max_tokens":77)")) << request.body;
  EXPECT_TRUE(request.body.contains(R"("reasoning_effort":"low")")) << request.body;
}

// Rule web-calls-guarded.
TEST(LanguageModels, ReachNoPrivateAddressUnlessThatIsAllowed) {
  engines::WebCalls calls({});
  WebServer server(says_hello());
  OneModel items(server.url() + "/v1");
  const LanguageModels models({items, calls, PrivateAddresses::refused});
  const auto chat = models({"ws_1", rules::Environment::test}, "ours");
  ASSERT_TRUE(chat);
  EXPECT_TRUE(std::holds_alternative<base::Error>(answer_of(**chat).back()));
  EXPECT_TRUE(server.requests().empty());
}

TEST(LanguageModels, TellWhereThereIsNone) {
  engines::WebCalls calls({});
  OneModel items("https://llm.example");
  const LanguageModels models({items, calls, PrivateAddresses::refused});
  EXPECT_EQ(models({"ws_1", rules::Environment::test}, "x").error().code,
            base::ErrorCode::not_found);
}

}  // namespace
}  // namespace stagedoor::server
