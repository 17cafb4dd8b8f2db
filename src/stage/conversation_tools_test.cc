// What a persona's model calls: stage/conversation.h, its tools.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "stage/conversation.h"
#include "stage/engines_for_test.h"

namespace stagedoor::stage {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto awaited = ConversationTool::Result::awaited;
constexpr auto ignored = ConversationTool::Result::ignored;

ConversationTool client_tool(std::string name) {
  ConversationTool tool;
  tool.tool.name = std::move(name);
  tool.result = awaited;
  return tool;
}

ConversationTool webhook(std::string name, ConversationTool::Result result) {
  ConversationTool tool;
  tool.kind = ConversationTool::Kind::webhook;
  tool.tool.name = std::move(name);
  tool.result = result;
  tool.timeout = 2s;
  tool.webhook.url = "https://example.org/" + tool.tool.name;
  return tool;
}

ConversationSettings persona_with(std::vector<ConversationTool> tools) {
  auto settings = silent_persona();
  settings.tools = std::move(tools);
  return settings;
}

TEST(Conversation, AClientToolsResultGoesToTheModelWhichThenAnswers) {
  Play play(persona_with({client_tool("open_door")}));
  auto& conversation = play.begin();
  conversation.user_text("Open the door.");
  play.chat.call("t1", "open_door", R"({"door":1})");
  play.chat.end();
  play.turn_loop();
  EXPECT_THAT(play.notes, ElementsAre("tool started open_door"));
  EXPECT_THAT(play.chat.requests, SizeIs(1)) << "the model waits for the result";
  conversation.tool_result("other", std::string("no"));
  conversation.tool_result("t1", std::string("opened"));
  ASSERT_THAT(play.chat.requests, SizeIs(2));
  const auto& messages = play.chat.requests[1].messages;
  EXPECT_THAT(said(messages), ElementsAre("user: Open the door.", "persona: ", "tool: opened"));
  EXPECT_EQ(messages[1].tool_calls[0].arguments, R"({"door":1})");
  EXPECT_EQ(messages[2].tool_call_id, "t1");
  play.chat.say("It is open.");
  play.chat.end();
  play.turn_loop();
  play.run(1500ms);
  EXPECT_THAT(
      said(conversation.history()),
      ElementsAre("user: Open the door.", "persona: ", "tool: opened", "persona: It is open."));
}

TEST(Conversation, AToolThatDoesNotAnswerInTimeHasFailed) {
  Play play(persona_with({webhook("weather", awaited)}));
  auto& conversation = play.begin();
  conversation.user_text("Weather?");
  play.chat.call("w", "weather", R"({"town":"Bern"})");
  play.chat.call("x", "nothing", "{}");
  play.chat.end();
  play.turn_loop();
  ASSERT_THAT(play.tools.calls, SizeIs(1));
  EXPECT_EQ(play.tools.calls[0].arguments, R"({"town":"Bern"})");
  play.run(1900ms);
  EXPECT_THAT(play.chat.requests, SizeIs(1));
  play.run(200ms);
  EXPECT_THAT(play.notes, ElementsAre("tool started weather", "tool started nothing",
                                      "tool failed nothing There is no such tool.",
                                      "tool failed weather The tool did not answer in time."));
  EXPECT_THAT(play.chat.requests, SizeIs(2));
}

TEST(Conversation, AWebhookWhoseResultIsIgnoredKeepsNobodyWaitingAndItsResultIsToldWhenItComes) {
  Play play(persona_with({webhook("log", ignored)}));
  auto& conversation = play.begin();
  conversation.user_text("Note that.");
  play.chat.call("l", "log", R"({"what":"that"})");
  play.chat.end();
  play.turn_loop();
  ASSERT_THAT(play.tools.calls, SizeIs(1));
  EXPECT_EQ(play.tools.calls[0].arguments, R"({"what":"that"})");
  ASSERT_THAT(play.chat.requests, SizeIs(2)) << "the model goes on at once";
  EXPECT_EQ(play.chat.requests[1].messages.back().role, ChatMessage::Role::tool);
  EXPECT_THAT(play.notes, ElementsAre("tool started log")) << "it is under way";
  play.chat.say("It is noted.");
  play.chat.end();
  play.turn_loop();
  play.run(1000ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "It is noted.");
  play.tools.sinks[0](std::string("logged"));
  play.turn_loop();
  EXPECT_THAT(play.notes, ElementsAre("tool started log", "tool completed log logged"));
  EXPECT_THAT(play.chat.requests, SizeIs(2)) << "the model is not asked for it";
}

TEST(Conversation, AWebhookWhoseResultIsIgnoredGoesOnAfterAnInterruptionUntilItsOwnTimeIsOver) {
  Play play(persona_with({webhook("log", ignored)}));
  auto& conversation = play.begin();
  conversation.user_text("Note that.");
  play.chat.call("l", "log", "{}");
  play.chat.end();
  play.turn_loop();
  conversation.interrupt();
  EXPECT_TRUE(*play.tools.wanted[0]);
  EXPECT_THAT(play.notes, ElementsAre("tool started log"));
  play.run(2100ms);
  EXPECT_FALSE(*play.tools.wanted[0]);
  EXPECT_THAT(play.notes,
              ElementsAre("tool started log", "tool failed log The tool did not answer in time."));
}

TEST(Conversation, OnlyAWebhookWhoseResultIsIgnoredIsFinishedWhoeverHasGone) {
  Play play(persona_with({webhook("log", ignored), webhook("weather", awaited)}));
  play.begin().user_text("Both.");
  play.chat.call("l", "log", "{}");
  play.chat.call("w", "weather", "{}");
  play.turn_loop();
  ASSERT_THAT(play.tools.calls, SizeIs(2));
  EXPECT_EQ(play.tools.calls[0].if_abandoned, WebhookCall::IfAbandoned::finished);
  EXPECT_EQ(play.tools.calls[1].if_abandoned, WebhookCall::IfAbandoned::dropped);
}

TEST(Conversation, AnInterruptedTurnsToolsHaveFailedAndTheModelIsToldSo) {
  Play play(persona_with({client_tool("open_door"), webhook("weather", awaited)}));
  auto& conversation = play.begin();
  conversation.user_text("Open the door.");
  play.chat.call("t", "open_door", "{}");
  play.chat.call("w", "weather", "{}");
  play.chat.end();
  play.turn_loop();
  conversation.user_text("Stop.");
  EXPECT_THAT(play.notes, ElementsAre("tool started open_door", "tool started weather",
                                      "tool failed open_door The turn was interrupted.",
                                      "tool failed weather The turn was interrupted."));
  EXPECT_FALSE(*play.tools.wanted[0]) << "the call is dropped";
  const auto& messages = play.chat.requests.back().messages;
  EXPECT_THAT(said(messages), ElementsAre("user: Open the door.",
                                          "persona: ", "tool: Error: The turn was interrupted.",
                                          "tool: Error: The turn was interrupted.", "user: Stop."));
  conversation.tool_result("t", std::string("opened"));
  play.tools.sinks[0](std::string("rain"));
  play.turn_loop();
  EXPECT_THAT(play.notes, SizeIs(4)) << "what comes late is not told";
}

TEST(Conversation, ToolsThatRunWhenTheSessionEndsHaveFailedBeforeItsEndIsTold) {
  Play play(persona_with({client_tool("open_door")}));
  auto& conversation = play.begin();
  conversation.user_text("Open the door.");
  play.chat.call("t", "open_door", "{}");
  play.chat.end();
  play.turn_loop();
  play.on_end = [&] { play.notes.push_back("ended"); };
  conversation.stop();
  EXPECT_THAT(play.notes, ElementsAre("tool started open_door",
                                      "tool failed open_door The session has ended.", "ended"));
}

TEST(Conversation, AClientAnswersForItsOwnToolsOnly) {
  Play play(persona_with({webhook("weather", awaited), webhook("log", ignored)}));
  auto& conversation = play.begin();
  conversation.user_text("Weather?");
  play.chat.call("w", "weather", "{}");
  play.chat.call("l", "log", "{}");
  play.chat.end();
  play.turn_loop();
  conversation.tool_result("w", std::string("always sunny"));
  conversation.tool_result("l", std::string("logged"));
  EXPECT_THAT(play.notes, ElementsAre("tool started weather", "tool started log"));
  EXPECT_THAT(play.chat.requests, SizeIs(1));
}

TEST(Conversation, AKnowledgeToolIsRunByWhoeverSearchesForIt) {
  auto settings = silent_persona();
  const auto searches = std::make_shared<PuppetTools>();
  ConversationTool tool;
  tool.kind = ConversationTool::Kind::knowledge;
  tool.result = ConversationTool::Result::awaited;
  tool.tool.name = "find";
  tool.runner = searches;
  settings.tools = {tool};
  Play play(settings);
  auto& conversation = play.begin();
  conversation.user_text("Dogs?");
  play.chat.call("k", "find", R"({"query":"dogs"})");
  play.chat.end();
  play.turn_loop();
  ASSERT_THAT(searches->calls, SizeIs(1));
  EXPECT_THAT(play.tools.calls, IsEmpty());
  EXPECT_EQ(searches->calls[0].arguments, R"({"query":"dogs"})");
}

TEST(Conversation, ASystemToolEndsTheSessionOnceTheGoodbyeIsSpoken) {
  auto settings = silent_persona();
  ConversationTool tool;
  tool.kind = ConversationTool::Kind::system;
  tool.action = ConversationTool::Action::end_call;
  tool.tool.name = "end_call";
  settings.tools = {tool};
  Play play(settings);
  auto& conversation = play.begin();
  conversation.user_text("Bye.");
  play.chat.say("Goodbye my friend.");
  play.chat.call("e", "end_call", "{}");
  play.chat.end();
  play.turn_loop();
  play.run(300ms);
  EXPECT_THAT(play.end_reasons, IsEmpty());
  play.run(1000ms);
  EXPECT_EQ(play.text_of(Speaker::persona), "Goodbye my friend.");
  EXPECT_THAT(play.end_reasons, ElementsAre(EndReason::persona_ended));
}

TEST(Conversation, ASystemToolStopsWhatThePersonaIsSaying) {
  auto settings = silent_persona();
  ConversationTool tool;
  tool.kind = ConversationTool::Kind::system;
  tool.action = ConversationTool::Action::interrupt;
  tool.tool.name = "hush";
  settings.tools = {tool};
  Play play(settings);
  auto& conversation = play.begin();
  conversation.user_text("Talk.");
  play.chat.say("One two three four five six seven eight nine ten. ");
  play.turn_loop();
  play.run(500ms);
  play.chat.call("h", "hush", "{}");
  play.chat.end();
  play.turn_loop();
  play.run(500ms);
  EXPECT_TRUE(play.texts.back().is_interrupted);
  EXPECT_FALSE(play.text_of(Speaker::persona).contains("ten"));
  EXPECT_THAT(play.end_reasons, IsEmpty());
}

TEST(Conversation, ToolsThatCallEachOtherForeverAreStopped) {
  Play play(silent_persona());
  auto& conversation = play.begin();
  conversation.user_text("Go.");
  for (std::size_t round = 0; round < 20; ++round) {
    if (play.chat.requests.size() != round + 1) break;
    play.chat.call("id", "nothing", "{}");
    play.chat.end();
    play.turn_loop();
  }
  EXPECT_THAT(play.chat.requests, SizeIs(tool_rounds_max));
  EXPECT_THAT(play.warnings, SizeIs(1));
}

// Rule face-turns-bounded.
TEST(Conversation, NoMoreThanSoManyWebhooksOfASessionRunAtOnce) {
  for (const auto result : {awaited, ignored}) {
    Play play(persona_with({webhook("log", result)}));
    auto& conversation = play.begin();
    conversation.user_text("Note that.");
    for (std::size_t call = 0; call < webhooks_max + 1; ++call)
      play.chat.call(std::to_string(call), "log", "{}");
    play.turn_loop();
    EXPECT_THAT(play.tools.calls, SizeIs(webhooks_max));
    EXPECT_EQ(play.notes.back(), "tool failed log Too many tools run at once.");
    play.tools.sinks.front()(std::string("noted"));
    play.turn_loop();
    play.chat.call("again", "log", "{}");
    play.turn_loop();
    EXPECT_THAT(play.tools.calls, SizeIs(webhooks_max + 1)) << "one that is over gives its place";
  }
}

}  // namespace
}  // namespace stagedoor::stage
