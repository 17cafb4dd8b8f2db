#include "rules/tool.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

constexpr std::string_view webhook =
    R"({"name":"order","description":"Orders.","type":"SERVER_WEBHOOK","config":)"
    R"({"url":"https://shop.example/order","method":"PUT","headers":{"X-Key":"hush","X-Of":"a"}}})";
constexpr std::string_view client =
    R"({"name":"show","description":"Shows.","type":"CLIENT","disableInterruptions":true,)"
    R"("config":{"awaitResult":true,"toolTimeoutSeconds":20,"parameters":{"type":"object"}}})";

std::expected<ItemDraft, ItemFaults> read(std::string_view text) {
  base::JsonReader reader;
  return tool_form().read(*reader.read(text));
}
std::string fault_of(const std::expected<ItemDraft, ItemFaults>& draft) {
  return draft ? "" : draft.error().front().path + ' ' + draft.error().front().code;
}
CatalogItem kept(std::string_view text) {
  auto draft = read(text);
  EXPECT_TRUE(draft) << fault_of(draft);
  CatalogItem item;
  item.kind = ItemKind::tool;
  item.name = draft->name;
  item.content = draft->content;
  item.secret = std::move(draft->secret);
  return item;
}
std::expected<ItemDraft, ItemFaults> changed(const CatalogItem& before, std::string_view text) {
  base::JsonReader reader;
  return tool_form().changed(before, *reader.read(text));
}

// Rule kept-secret-sealed.
TEST(Tool, HidesTheHeadersOfAWebhookInItsContent) {
  const auto tool = kept(webhook);
  EXPECT_FALSE(tool.content.contains("hush"));
  EXPECT_TRUE(tool.content.contains(R"("headers":{"X-Key":"***","X-Of":"***"})")) << tool.content;
  EXPECT_EQ(tool.secret.expose(), R"({"X-Key":"hush","X-Of":"a"})");
}

TEST(Tool, KeepsAHeaderThatComesBackHiddenAndTakesANewOne) {
  const auto before = kept(webhook);
  const auto after = changed(
      before,
      R"({"config":{"url":"https://shop.example/b","headers":{"X-Key":"***","X-New":"n"}}})");
  ASSERT_TRUE(after) << fault_of(after);
  EXPECT_EQ(after->secret.expose(), R"({"X-Key":"hush","X-New":"n"})");
  const auto renamed = changed(before, R"({"name":"buy"})");
  ASSERT_TRUE(renamed) << fault_of(renamed);
  EXPECT_EQ(renamed->name, "buy");
  EXPECT_EQ(renamed->secret.expose(), before.secret.expose());
}

// The vendor's own tools for agents say a tool as a persona brings one.
TEST(Tool, IsReadInTheFormInWhichPersonasBringTheirOwnToo) {
  const auto same = [](std::string_view inline_form, std::string_view kept_form) {
    EXPECT_EQ(kept(inline_form).content, kept(kept_form).content);
  };
  same(
      R"({"type":"server","subtype":"webhook","name":"order","description":"Orders.",)"
      R"("url":"https://shop.example/order","method":"PUT","headers":{"X-Key":"hush","X-Of":"a"}})",
      webhook);
  same(
      R"({"type":"server","subtype":"knowledge","name":"f","description":"F.","folderIds":["a"]})",
      R"({"type":"SERVER_RAG","name":"f","description":"F.","config":{"documentFolderIds":["a"]}})");
  same(R"({"type":"client","name":"show","description":"Shows.","disableInterruptions":true,)"
       R"("awaitResult":true,"toolTimeoutSeconds":20,"parameters":{"type":"object"}})",
       client);
  same(R"({"type":"system","name":"interrupt","description":"Stops."})",
       R"({"type":"SYSTEM","name":"interrupt","description":"Stops.",)"
       R"("config":{"action":"interrupt"}})");
  same(R"({"type":"system","name":"bye","description":"Ends."})",
       R"({"type":"SYSTEM","name":"bye","description":"Ends.","config":{"action":"end_call"}})");
  EXPECT_EQ(fault_of(read(R"({"type":"server","subtype":"webhook","name":"a","description":"b"})")),
            "url missing");
  EXPECT_EQ(fault_of(read(R"({"type":"server","name":"a","description":"b"})")), "subtype missing");
  EXPECT_EQ(fault_of(read(R"({"type":"server","subtype":"x","name":"a","description":"b"})")),
            "subtype invalid_choice");
}

TEST(Tool, IsChangedByMembersOfItsConfigInEitherForm) {
  const auto before = kept(webhook);
  const auto after = changed(before, R"({"url":"https://shop.example/b","awaitResponse":false})");
  ASSERT_TRUE(after) << fault_of(after);
  EXPECT_TRUE(after->content.contains(R"("awaitResponse":false)")) << after->content;
  EXPECT_TRUE(after->content.contains(R"("method":"PUT")")) << "what is not named stays";
  EXPECT_TRUE(after->content.contains(R"("url":"https://shop.example/b")"));
  EXPECT_EQ(after->secret.expose(), before.secret.expose());
  EXPECT_EQ(fault_of(changed(before, R"({"url":"https://b.example"})")), "headers.X-Key missing")
      << "hidden headers go to no other host";
  EXPECT_EQ(fault_of(changed(before, R"({"url":7})")), "url invalid_type");
  EXPECT_EQ(fault_of(changed(before, R"({"colour":7})")), "colour unknown_member");
}

// In its config a member is one level deeper than where it was said.
TEST(Tool, IsReadableHoweverDeepItsParametersAre) {
  const auto before = kept(client);
  std::string parameters = "{}";
  for (std::size_t depth = 1; depth < base::json_depth_max; ++depth) {
    const auto change = R"({"parameters":)" + parameters + "}";
    const auto whole = R"({"type":"client","name":"n","description":"d",)" + change.substr(1);
    for (const auto& draft : {read(whole), changed(before, change)}) {
      EXPECT_EQ(draft.has_value(), depth < base::any_object_depth_max) << depth;
      base::JsonReader reader;
      if (draft) {
        EXPECT_TRUE(reader.read(draft->content)) << draft->content;
      }
    }
    parameters = R"({"a":)" + parameters + "}";
  }
}

// Rule kept-secret-sealed.
TEST(Tool, TakesNoHiddenHeaderToAnotherHost) {
  const auto before = kept(webhook);
  EXPECT_EQ(fault_of(changed(
                before, R"({"config":{"url":"https://b.example","headers":{"X-Key":"***"}}})")),
            "config.headers.X-Key missing");
  const auto without = changed(before, R"({"config":{"url":"https://b.example"}})");
  ASSERT_TRUE(without) << fault_of(without);
  EXPECT_TRUE(without->secret.is_empty());
}

// Rule kept-tool-in-snapshot.
TEST(Tool, IsPlayedInTheFormInWhichPersonasBringTheirOwn) {
  EXPECT_EQ(inline_tool_of(kept(client)),
            R"({"awaitResult":true,"description":"Shows.","disableInterruptions":true,)"
            R"("name":"show","parameters":{"type":"object"},"toolTimeoutSeconds":20,)"
            R"("type":"client"})");
  EXPECT_EQ(inline_tool_of(kept(webhook)),
            R"({"awaitResponse":true,"description":"Orders.","headers":{"X-Key":"hush",)"
            R"("X-Of":"a"},"method":"PUT","name":"order","subtype":"webhook","type":"server",)"
            R"("url":"https://shop.example/order"})");
  EXPECT_EQ(inline_tool_of(kept(R"({"name":"find","description":"Finds.","type":"SERVER_RAG",)"
                                R"("config":{"documentFolderIds":["a","b"]}})")),
            R"({"description":"Finds.","documentFolderIds":["a","b"],"name":"find",)"
            R"("subtype":"knowledge","type":"server"})");
  EXPECT_EQ(inline_tool_of(kept(R"({"name":"bye","description":"Ends.","type":"SYSTEM",)"
                                R"("config":{"action":"end_call"}})")),
            R"({"action":"end_call","description":"Ends.","name":"bye","type":"system"})");
}

TEST(Tool, NamesTheMemberThatIsAtFault) {
  EXPECT_EQ(fault_of(read("{}")), "config missing");
  const auto of = [](std::string_view type, std::string_view config) {
    return fault_of(read(R"({"name":"n","description":"d","type":")" + std::string(type) +
                         R"(","config":)" + std::string(config) + "}"));
  };
  EXPECT_EQ(of("CLIENT", "{}"), "");
  EXPECT_EQ(of("OTHER", "{}"), "type invalid_choice");
  EXPECT_EQ(of("SERVER_RAG", "{}"), "config.documentFolderIds missing");
  EXPECT_EQ(of("CLIENT", R"({"toolTimeoutSeconds":0})"), "config.toolTimeoutSeconds out_of_range");
  EXPECT_EQ(of("SERVER_WEBHOOK", "{}"), "config.url missing");
  EXPECT_EQ(of("SERVER_WEBHOOK", R"({"url":"gopher://x"})"), "config.url invalid_form");
  EXPECT_EQ(of("SERVER_WEBHOOK", R"({"url":"https://x.example","bodyTemplate":"{{a}}"})"),
            "config.bodyTemplate unsupported");
  EXPECT_EQ(of("SYSTEM", R"({"action":"dance"})"), "config.action invalid_choice");
  EXPECT_EQ(fault_of(read(R"({"name":"a b","description":"d","type":"CLIENT","config":{}})")),
            "name invalid_form");
  EXPECT_EQ(fault_of(changed(kept(client), R"({"unknown":1})")), "unknown unknown_member");
}

}  // namespace
}  // namespace stagedoor::rules
