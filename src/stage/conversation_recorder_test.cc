#include "stage/conversation_recorder.h"

#include <gtest/gtest.h>

namespace stagedoor::stage {
namespace {

using namespace std::chrono_literals;
using rules::MessageRole;
using rules::ReportedToolCall;
using rules::Transcripts;

class Recorder : public ::testing::Test {
 protected:
  static SpokenText said(Speaker who, std::string turn, std::string text) {
    SpokenText told;
    told.message_id = turn + "-message";
    told.content = std::move(text);
    told.role = who;
    told.correlation_id = std::move(turn);
    return told;
  }
  void user(const std::string& turn, std::string text) {
    recorder_.speech_text(said(Speaker::user, turn, std::move(text)), now_);
  }
  void persona(const std::string& turn, std::string text) {
    recorder_.speech_text(said(Speaker::persona, turn, std::move(text)), now_);
  }
  enum class How { whole, interrupted };
  void end(const std::string& turn, How how) {
    auto told = said(Speaker::persona, turn, "");
    told.is_end_of_speech = true;
    told.is_interrupted = how == How::interrupted;
    recorder_.speech_text(told, now_);
  }
  static ToolCallNotice call(std::string id, std::string result = "", std::string error = "") {
    ToolCallNotice notice;
    notice.kind = rules::ToolKind::webhook;
    notice.call_id = std::move(id);
    notice.name = "weather";
    notice.arguments = R"({"city":"Bern"})";
    notice.correlation_id = "a";
    notice.result = std::move(result);
    notice.error = std::move(error);
    return notice;
  }

  base::Instant now_ = base::from_unix_seconds(1'795'000'000);
  ConversationRecorder recorder_{Transcripts::kept};
};

TEST_F(Recorder, TellsWhoSaidWhatWhenAndForHowLong) {
  const auto began = now_;
  persona("greeting", "Good ");
  now_ += 300ms;
  persona("greeting", "morning.");
  now_ += 400ms;
  end("greeting", How::whole);
  user("a", "Hello?");
  const auto report = recorder_.take(now_);
  ASSERT_EQ(report.messages.size(), 2u);
  const auto& first = report.messages[0];
  EXPECT_EQ(first.role, MessageRole::persona);
  EXPECT_EQ(first.text, "Good morning.");
  EXPECT_EQ(first.at, began);
  EXPECT_EQ(first.spoken_for, 700ms);
  EXPECT_FALSE(first.is_interrupted);
  EXPECT_EQ(report.messages[1].role, MessageRole::user);
  EXPECT_EQ(report.messages[1].text, "Hello?");
  EXPECT_EQ(report.messages[1].spoken_for, std::nullopt);
  EXPECT_EQ(report.messages[1].turn, 1);
  EXPECT_FALSE(report.is_cut);
}

// Rule report-measures-turns.
TEST_F(Recorder, WaitingIsCountedFromTheEndOfTheUsersVoice) {
  recorder_.user_speech_started("a", now_);
  now_ += 2s;
  recorder_.user_speech_ended("a", now_);
  now_ += 250ms;
  user("a", "When do you open?");
  now_ += 600ms;
  persona("a", "At");
  now_ += 100ms;
  persona("a", " nine.");
  end("a", How::whole);
  const auto report = recorder_.take(now_);
  ASSERT_EQ(report.turns.size(), 1u);
  EXPECT_EQ(report.turns[0].transcription, 250ms);
  EXPECT_EQ(report.turns[0].response, 600ms);
  EXPECT_EQ(report.messages[0].spoken_for, 2s);
}

// Rule report-measures-turns.
TEST_F(Recorder, OfTypedWordsThereIsNoTranscriptionAndOfAGreetingNoWaitingAtAll) {
  persona("greeting", "Hello.");
  end("greeting", How::whole);
  user("a", "Hi.");
  now_ += 400ms;
  persona("a", "Yes?");
  const auto report = recorder_.take(now_);
  ASSERT_EQ(report.turns.size(), 2u);
  EXPECT_EQ(report.turns[0].transcription, std::nullopt);
  EXPECT_EQ(report.turns[0].response, std::nullopt);
  EXPECT_EQ(report.turns[1].transcription, std::nullopt);
  EXPECT_EQ(report.turns[1].response, 400ms);
}

TEST_F(Recorder, AVoiceThatWasNotUnderstoodIsNoTurn) {
  recorder_.user_speech_started("noise", now_);
  recorder_.user_speech_ended("noise", now_);
  EXPECT_TRUE(recorder_.take(now_).turns.empty());
}

TEST_F(Recorder, WhatIsInterruptedOrCutOffByTheEndIsMarkedAndHoldsWhatWasHeard) {
  persona("a", "I was going to");
  user("b", "Stop.");
  now_ += 20ms;
  end("a", How::interrupted);
  persona("b", "All r");
  now_ += 80ms;
  const auto report = recorder_.take(now_);
  ASSERT_EQ(report.messages.size(), 3u);
  EXPECT_EQ(report.messages[0].text, "I was going to");
  EXPECT_TRUE(report.messages[0].is_interrupted);
  EXPECT_EQ(report.messages[1].text, "Stop.");
  EXPECT_TRUE(report.messages[2].is_interrupted);
  EXPECT_EQ(report.messages[2].spoken_for, 80ms);
}

TEST_F(Recorder, ToolCallsAreToldWithTheirTurnAndHowTheyEnded) {
  user("a", "What is the weather?");
  recorder_.tool_call_started(call("1"), now_);
  recorder_.tool_call_started(call("2"), now_);
  recorder_.tool_call_started(call("3"), now_);
  now_ += 90ms;
  recorder_.tool_call_completed(call("2", "rain"), now_);
  recorder_.tool_call_failed(call("1", "", "late"), now_);
  const auto report = recorder_.take(now_);
  ASSERT_EQ(report.tool_calls.size(), 3u);
  EXPECT_EQ(report.tool_calls[0].status, ReportedToolCall::Status::failed);
  EXPECT_EQ(report.tool_calls[0].error, "late");
  EXPECT_EQ(report.tool_calls[1].status, ReportedToolCall::Status::completed);
  EXPECT_EQ(report.tool_calls[1].result, "rain");
  EXPECT_EQ(report.tool_calls[1].completed_at, now_);
  EXPECT_EQ(report.tool_calls[2].status, ReportedToolCall::Status::started);
  EXPECT_EQ(report.tool_calls[2].completed_at, std::nullopt);
}

// Rule session-transcript-by-consent.
TEST_F(Recorder, WithoutConsentOnlyTimesAreKept) {
  recorder_ = ConversationRecorder(Transcripts::left_out);
  user("a", "My secret.");
  recorder_.tool_call_started(call("1"), now_);
  now_ += 400ms;
  persona("a", "I see.");
  end("a", How::whole);
  EXPECT_EQ(recorder_.held_bytes(), 0u);
  const auto report = recorder_.take(now_);
  EXPECT_TRUE(report.messages.empty());
  EXPECT_TRUE(report.tool_calls.empty());
  ASSERT_EQ(report.turns.size(), 1u);
  EXPECT_EQ(report.turns[0].response, 400ms);
}

// Rule session-report-bounded.
TEST_F(Recorder, MessagesTurnsAndTheirTextAreBoundedAndTheReportSaysThatItWasCut) {
  const std::string text(1500, 'x');
  for (int turn = 0; turn < 3000; ++turn) user("turn " + std::to_string(turn), text);
  EXPECT_LE(recorder_.held_bytes(), rules::report_text_bytes_max);
  const auto report = recorder_.take(now_);
  EXPECT_EQ(report.messages.size(), rules::report_messages_max);
  EXPECT_EQ(report.turns.size(), rules::report_turns_max);
  EXPECT_TRUE(report.is_cut);
}

// Rule session-report-bounded.
TEST_F(Recorder, WhatGoesToToolsAndComesBackIsBounded) {
  for (int turn = 0; turn < 600; ++turn) {
    auto notice = call(std::to_string(turn));
    notice.arguments = std::string(3000, 'y');
    recorder_.tool_call_started(notice, now_);
    notice.result = std::string(60'000, 'z');
    recorder_.tool_call_completed(notice, now_);
  }
  EXPECT_LE(recorder_.held_bytes(), rules::report_tool_bytes_max);
  const auto report = recorder_.take(now_);
  EXPECT_EQ(report.tool_calls.size(), rules::report_tool_calls_max);
  EXPECT_TRUE(report.is_cut);
}

TEST_F(Recorder, ATextIsCutBetweenCharacters) {
  user("a", std::string(rules::report_text_bytes_max - 1, 'x'));
  user("b", "\u00e9\u00e9");
  const auto report = recorder_.take(now_);
  EXPECT_EQ(report.messages[1].text, "");
  EXPECT_TRUE(report.is_cut);
}

}  // namespace
}  // namespace stagedoor::stage
