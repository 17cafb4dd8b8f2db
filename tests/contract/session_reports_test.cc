// What every store of sessions' reports keeps, and what it takes away.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "actions/remove_session.h"
#include "opened_for_test.h"
#include "store/sqlite_session_records.h"
#include "store/sqlite_session_reports.h"

namespace stagedoor::store {
namespace {

using rules::MessageRole;
using rules::ReportedToolCall;
using rules::SessionReport;

class SessionReports : public ::testing::Test {
 protected:
  void SetUp() override {
    add_session("face", 1000);
    add_session("other", 2000);
  }
  void add_session(const std::string& id, std::int64_t began_at) {
    auto database = folder_.database();
    ASSERT_TRUE(database.execute(
        "INSERT INTO sessions VALUES ('" + id +
        "', x'00112233445566778899aabbccddeeff', 'ws_1', 'app_1', 1, 7, 'eve', 'avatar', 'anam', "
        "'192.0.2.1', " +
        std::to_string(began_at) + ", " + std::to_string(began_at) + ", NULL, '', 1, 0)"));
  }
  void end_session(const std::string& id) {
    auto database = folder_.database();
    ASSERT_TRUE(
        database.execute("UPDATE sessions SET ended_at = 9000, end_reason = 'hung_up' "
                         "WHERE id = '" +
                         id + "'"));
  }
  static rules::SessionFacts facts() {
    rules::SessionFacts facts;
    facts.persona_id = "p-1";
    facts.persona_name = "Ada";
    facts.persona = R"({"name":"Ada"})";
    facts.client_label = "Shop Window";
    facts.client_metadata = R"({"client":"js-sdk"})";
    return facts;
  }
  static SessionReport report(const std::string& words) {
    SessionReport report;
    report.turns = {{"turn", base::Instant(1100ms), 250ms, 600ms},
                    {"next", base::Instant(1900ms), {}, {}}};
    report.messages = {{0, MessageRole::user, base::Instant(1200ms), {}, false, words},
                       {0, MessageRole::persona, base::Instant(1300ms), 700ms, true, "I see."}};
    auto& call = report.tool_calls.emplace_back();
    call.turn = 1;
    call.correlation_id = "next";
    call.call_id = "call";
    call.name = "weather";
    call.kind = rules::ToolKind::webhook;
    call.status = ReportedToolCall::Status::failed;
    call.started_at = base::Instant(1400ms);
    call.completed_at = base::Instant(1500ms);
    call.arguments = "{}";
    call.error = "late";
    return report;
  }
  // Waits until the writer has done all that it was given before.
  void settle() {
    ASSERT_TRUE(opened_.writer.run_quietly(
        [](SqliteDatabase&) -> base::Result<base::Done> { return base::Done{}; }));
  }
  void keep(const std::string& id, const std::string& words = "Hello.") {
    reports_.begin(id, facts(), base::Instant(1000ms));
    reports_.end(id, report(words), base::Instant(9000ms));
    settle();
  }
  rules::AuditEntry entry() { return opened_.entry("session.remove"); }
  static rules::SessionQuery ours() {
    rules::SessionQuery query;
    query.workspace_id = "ws_1";
    return query;
  }
  std::string all_bytes() {
    std::string bytes;
    for (const auto* name : {"store.db", "store.db-wal"}) {
      std::ifstream file(folder_.file(name), std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(file), {});
    }
    return bytes;
  }

  Folder folder_;
  Opened opened_{folder_};
  SqliteSessionReports reports_{opened_.writer, opened_.readers, opened_.audit, {}};
  SqliteSessionRecords records_{opened_.readers};
};

TEST_F(SessionReports, OneIsFoundAsItWasKeptOnceTheSessionIsOver) {
  reports_.begin("face", facts(), base::Instant(1000ms));
  settle();
  EXPECT_EQ(reports_.find("face").error().code, base::ErrorCode::not_found);
  keep("face");
  const auto found = reports_.find("face");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->turns.size(), 2u);
  EXPECT_EQ(found->turns[0].transcription, 250ms);
  EXPECT_EQ(found->turns[0].response, 600ms);
  EXPECT_EQ(found->turns[1].response, std::nullopt);
  ASSERT_EQ(found->messages.size(), 2u);
  EXPECT_EQ(found->messages[0].text, "Hello.");
  EXPECT_EQ(found->messages[0].spoken_for, std::nullopt);
  EXPECT_EQ(found->messages[1].role, MessageRole::persona);
  EXPECT_EQ(found->messages[1].spoken_for, 700ms);
  EXPECT_TRUE(found->messages[1].is_interrupted);
  ASSERT_EQ(found->tool_calls.size(), 1u);
  EXPECT_EQ(found->tool_calls[0].kind, rules::ToolKind::webhook);
  EXPECT_EQ(found->tool_calls[0].status, ReportedToolCall::Status::failed);
  EXPECT_EQ(found->tool_calls[0].completed_at, base::Instant(1500ms));
  EXPECT_EQ(found->tool_calls[0].error, "late");
  EXPECT_FALSE(found->is_cut);
}

TEST_F(SessionReports, ARecordTellsTheFactsFromTheBeginningOn) {
  reports_.begin("face", facts(), base::Instant(1000ms));
  settle();
  const auto record = records_.find(ours(), "face");
  ASSERT_TRUE(record);
  ASSERT_TRUE(record->facts);
  EXPECT_EQ(record->facts->persona_id, "p-1");
  EXPECT_EQ(record->facts->persona, R"({"name":"Ada"})");
  EXPECT_EQ(record->facts->client_label, "Shop Window");
  EXPECT_EQ(record->facts->client_metadata, R"({"client":"js-sdk"})");
  EXPECT_FALSE(records_.find(ours(), "other")->facts);
  auto query = ours();
  query.search = "shop";
  const auto page = records_.numbered(query, 0);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->total, 1u);
  EXPECT_EQ(page->sessions.at(0).id, "face");
}

TEST_F(SessionReports, ASessionThatGoesOnHasOneReportTheLaterPartBehind) {
  keep("face", "First.");
  reports_.begin("face", facts(), base::Instant(5000ms));
  settle();
  EXPECT_FALSE(reports_.find("face"));
  keep("face", "Second.");
  const auto found = reports_.find("face");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->messages.size(), 4u);
  EXPECT_EQ(found->messages[2].text, "Second.");
  EXPECT_EQ(found->messages[2].turn, 2);
  EXPECT_EQ(found->turns.size(), 4u);
  EXPECT_EQ(found->tool_calls.at(1).turn, 3);
}

// Rule session-report-bounded.
TEST_F(SessionReports, TogetherThePartsAreNoLongerThanAReportMayBe) {
  SessionReport long_one;
  for (std::size_t at = 0; at < rules::report_messages_max - 1; ++at)
    long_one.messages.push_back({0, MessageRole::user, base::Instant(1200ms), {}, false, "x"});
  reports_.begin("face", facts(), base::Instant(1000ms));
  reports_.end("face", long_one, base::Instant(2000ms));
  keep("face");
  const auto found = reports_.find("face");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->messages.size(), rules::report_messages_max);
  EXPECT_TRUE(found->is_cut);
}

TEST_F(SessionReports, TurnsOfManyComeInTheOrderOfTheirSessions) {
  keep("face");
  const auto turns = reports_.turns_of(std::vector<std::string>{"other", "face", "none"});
  ASSERT_TRUE(turns);
  ASSERT_EQ(turns->size(), 3u);
  EXPECT_TRUE(turns->at(0).empty());
  EXPECT_EQ(turns->at(1).size(), 2u);
  EXPECT_TRUE(turns->at(2).empty());
}

// Rule session-report-forgotten.
TEST_F(SessionReports, WhatIsAsOldAsTheSettingsSayIsTakenAwayAndTheLedgersRowStays) {
  keep("face", "Wholly-forgotten words.");
  end_session("face");
  const base::Instant ended(9000ms);
  reports_.look_after(ended + std::chrono::days(30));
  settle();
  EXPECT_TRUE(reports_.find("face"));
  reports_.look_after(ended + std::chrono::days(30) + 1ms);
  settle();
  EXPECT_EQ(reports_.find("face").error().code, base::ErrorCode::not_found);
  const auto record = records_.find(ours(), "face");
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->facts);
  auto database = folder_.database();
  ASSERT_TRUE(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  EXPECT_EQ(all_bytes().find("Wholly-forgotten"), std::string::npos);
}

// Rule session-report-forgotten.
TEST_F(SessionReports, WhereTheyAreKeptForNoTimeNothingIsWritten) {
  SqliteSessionReports none(opened_.writer, opened_.readers, opened_.audit,
                            {.kept_for = std::chrono::days(0)});
  none.begin("face", facts(), base::Instant(1000ms));
  none.end("face", report("Hello."), base::Instant(9000ms));
  settle();
  EXPECT_FALSE(none.find("face"));
  EXPECT_FALSE(records_.find(ours(), "face")->facts);
}

// Rule session-removed-for-good.
TEST_F(SessionReports, ARemovedSessionIsShownToNobodyAndItsWordsAreGoneFromTheStore) {
  keep("face", "Removed-for-good words.");
  end_session("face");
  ASSERT_TRUE(reports_.remove("ws_1", "face", entry()));
  EXPECT_EQ(reports_.find("face").error().code, base::ErrorCode::not_found);
  EXPECT_EQ(records_.find(ours(), "face").error().code, base::ErrorCode::not_found);
  for (const auto& page : {records_.list(ours()), records_.numbered(ours(), 0)}) {
    ASSERT_TRUE(page);
    ASSERT_EQ(page->sessions.size(), 1u);
    EXPECT_EQ(page->sessions[0].id, "other");
  }
  auto database = folder_.database();
  ASSERT_TRUE(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  EXPECT_EQ(all_bytes().find("Removed-for-good"), std::string::npos);
  auto row = database.prepare("SELECT peer, end_user_id, ended_at FROM sessions WHERE id = 'face'");
  ASSERT_EQ(row->step(), SqliteStatement::Step::row);
  EXPECT_EQ(row->text(0), "");
  EXPECT_EQ(row->text(1), "");
  EXPECT_EQ(row->integer(2), 9000);
  EXPECT_EQ(opened_.audited(), std::vector<std::string>{"session.remove"});
  // What comes late does not bring it back, and it is removed once.
  keep("face");
  EXPECT_FALSE(reports_.find("face"));
  EXPECT_EQ(reports_.remove("ws_1", "face", entry()).error().code, base::ErrorCode::not_found);
}

// Rule session-removed-for-good.
TEST_F(SessionReports, OneThatLivesOrIsOfAnotherWorkspaceIsNotRemoved) {
  keep("face");
  EXPECT_EQ(reports_.remove("ws_1", "face", entry()).error().code, base::ErrorCode::conflict);
  end_session("face");
  EXPECT_EQ(reports_.remove("ws_2", "face", entry()).error().code, base::ErrorCode::not_found);
  EXPECT_EQ(reports_.remove("ws_1", "none", entry()).error().code, base::ErrorCode::not_found);
  EXPECT_TRUE(reports_.find("face"));
  EXPECT_TRUE(opened_.audited().empty());
}

TEST_F(SessionReports, WhatCouldNotBeWrittenIsTriedAgain) {
  auto database = folder_.database();
  ASSERT_TRUE(database.execute("ALTER TABLE session_reports RENAME TO away"));
  reports_.begin("face", facts(), base::Instant(1000ms));
  settle();
  ASSERT_TRUE(database.execute("ALTER TABLE away RENAME TO session_reports"));
  EXPECT_FALSE(records_.find(ours(), "face")->facts);
  reports_.look_after(base::Instant(2000ms));
  settle();
  EXPECT_TRUE(records_.find(ours(), "face")->facts);
}

}  // namespace
}  // namespace stagedoor::store
