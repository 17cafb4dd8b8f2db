#include "rules/session_report.h"

#include <gtest/gtest.h>

#include "rules/session_analytics.h"
#include "rules/session_record.h"

namespace stagedoor::rules {
namespace {

using namespace std::chrono_literals;

std::string snapshot(std::string_view persona) {
  return "{\"persona\":" + std::string(persona) + ",\"personaId\":\"p-1\"}";
}

TEST(SessionReport, FactsTellThePersonaAsItWasMintedFor) {
  const auto facts = facts_of(snapshot(R"({"name":"Ada","systemPrompt":"You are Ada."})"),
                              {"Shop", R"({"client":"page"})"}, Transcripts::kept);
  EXPECT_EQ(facts.persona_id, "p-1");
  EXPECT_EQ(facts.persona_name, "Ada");
  EXPECT_EQ(facts.persona, R"({"name":"Ada","systemPrompt":"You are Ada."})");
  EXPECT_EQ(facts.client_label, "Shop");
  EXPECT_EQ(facts.client_metadata, R"({"client":"page"})");
  EXPECT_EQ(facts.kind, SessionKind::turnkey);
  EXPECT_TRUE(facts.keeps_transcript);
}

TEST(SessionReport, WhoMakesTheWordsIsTold) {
  const auto kind = [](std::string_view persona) {
    return facts_of(snapshot(persona), {}, Transcripts::kept).kind;
  };
  EXPECT_EQ(kind(R"({"llmId":"CUSTOMER_CLIENT_V1"})"), SessionKind::client_words);
  EXPECT_EQ(kind(R"({"brainType":"CUSTOMER_CLIENT_V1"})"), SessionKind::client_words);
  EXPECT_EQ(kind(R"({"disableBrains":true})"), SessionKind::client_words);
  EXPECT_EQ(kind(R"({"enableAudioPassthrough":true})"), SessionKind::client_words);
  EXPECT_EQ(kind(R"({"llmId":"0f1e2d3c"})"), SessionKind::own_model);
  EXPECT_EQ(kind(R"({"llmId":"a7cf662c-2ace-4de1-a21e-ef0fbf144bb7"})"), SessionKind::turnkey);
}

// Rule session-transcript-by-consent.
TEST(SessionReport, ATranscriptIsKeptOnlyWhereSettingAndPersonaLetItBe) {
  const auto keeps = [](std::string_view persona, Transcripts setting) {
    return facts_of(snapshot(persona), {}, setting).keeps_transcript;
  };
  EXPECT_TRUE(keeps(R"({"zeroDataRetention":false})", Transcripts::kept));
  EXPECT_FALSE(keeps(R"({"zeroDataRetention":true})", Transcripts::kept));
  EXPECT_FALSE(keeps("{}", Transcripts::left_out));
}

// Rule session-report-redacted.
TEST(SessionReport, NothingThatLetsSomebodyInStaysInASnapshot) {
  const auto facts = facts_of(
      snapshot(
          R"({"name":"Ada","systemPrompt":"The key is av_live_0123456789abcdefgh.",)"
          R"("tools":[{"type":"server","url":"https://me:pass1@hooks.example/T0/B0/pass2?k=pass3",)"
          R"("headers":{"X-Api-Key":"pass4","Accept":"pass5"},"queryParameters":{"key":"pass6"},)"
          R"("parameters":{"properties":{"token":{"type":"string"}}}}],)"
          R"("llm":{"secret":"pass7","api_key":"pass8","maxTokens":7},"voice":{"signedUrl":"pass9"}})"),
      {"av_live_0123456789abcdefgh", R"({"token":"pass0"})"}, Transcripts::kept);
  EXPECT_EQ(facts.client_label, "av_live_***");
  EXPECT_EQ(facts.client_metadata, R"({"token":"[redacted]"})");
  EXPECT_EQ(facts.persona.find("pass"), std::string::npos) << facts.persona;
  EXPECT_EQ(facts.persona.find("0123456789"), std::string::npos);
  for (const auto* kept :
       {"\"https://hooks.example/[redacted]\"", "\"X-Api-Key\"", "\"Accept\"", "\"maxTokens\":7",
        "\"token\":{\"type\":\"string\"}", "\"name\":\"Ada\""})
    EXPECT_NE(facts.persona.find(kept), std::string::npos) << kept << " in " << facts.persona;
}

// Rule session-report-redacted.
TEST(SessionReport, WhatAClientSaysAboutItselfIsRedactedToo) {
  EXPECT_EQ(redacted_object(R"({"client":"js-sdk","Session-Token":"eyJ","n":[1,{}],"m":{}})"),
            R"({"client":"js-sdk","Session-Token":"[redacted]","n":[1,{}],"m":{}})");
  EXPECT_EQ(redacted_object("[]"), "");
  EXPECT_EQ(redacted_object("{"), "");
}

TEST(SessionReport, EveryEndIsOneOfThreeExits) {
  for (const auto* reason : {"client", "hung_up", "persona_ended", "ended"})
    EXPECT_EQ(exit_status_of(reason), ExitStatus::normal_exit) << reason;
  for (const auto* reason : {"length_reached", "idle", "silence", "silent", "abandoned", "revoked",
                             "shutting_down", "replaced", "minutes_used_up"})
    EXPECT_EQ(exit_status_of(reason), ExitStatus::closed_by_engine) << reason;
  for (const auto* reason : {"lost", "server_died", "handshake_failed", "never heard of"})
    EXPECT_EQ(exit_status_of(reason), ExitStatus::error) << reason;
}

TEST(SessionAnalytics, APercentileIsAValueThatWasMeasured) {
  EXPECT_FALSE(percentiles_of({}));
  const auto one = *percentiles_of({7});
  EXPECT_EQ(one.p50, 7);
  EXPECT_EQ(one.p99, 7);
  std::vector<std::int64_t> hundred;
  for (int value = 100; value > 0; --value) hundred.push_back(value);
  const auto all = *percentiles_of(hundred);
  EXPECT_EQ(all.count, 100u);
  EXPECT_EQ(all.least, 1);
  EXPECT_EQ(all.p50, 50);
  EXPECT_EQ(all.p90, 90);
  EXPECT_EQ(all.p95, 95);
  EXPECT_EQ(all.p99, 99);
  EXPECT_EQ(all.most, 100);
  // Of four the half is two, and more than nine tenths are all of them.
  const auto four = *percentiles_of({40, 10, 30, 20});
  EXPECT_EQ(four.p50, 20);
  EXPECT_EQ(four.p90, 40);
}

TEST(SessionAnalytics, ATurnCountsInThePartsThatItHas) {
  TurnTimes times;
  times.add(
      std::vector<ReportedTurn>{{"a", {}, 100ms, 400ms}, {"b", {}, {}, 600ms}, {"c", {}, {}, {}}});
  const auto percentiles = std::move(times).percentiles();
  EXPECT_EQ(percentiles.transcription->count, 1u);
  EXPECT_EQ(percentiles.response->count, 2u);
  EXPECT_EQ(percentiles.total->least, 500);
  EXPECT_EQ(percentiles.total->most, 600);
}

TEST(SessionAnalytics, AtMost31DaysAreLookedAt) {
  const base::Instant from(0ms);
  EXPECT_TRUE(check_analytics_span(from, from + std::chrono::days(31)));
  EXPECT_FALSE(check_analytics_span(from, from + std::chrono::days(31) + 1ms));
  EXPECT_FALSE(check_analytics_span(from, from));
}

TEST(SessionQueries, TheWordsAboutLiveFacesMeanNoOtherSessions) {
  SessionRecord motion;
  motion.id = "20260101000000_0005";
  auto face = motion;
  face.id = "0190";
  face.facts = SessionFacts{.persona_id = "p-1",
                            .persona_name = {},
                            .persona = {},
                            .kind = SessionKind::turnkey,
                            .client_label = "Shop Window",
                            .client_metadata = {},
                            .keeps_transcript = true};
  const auto means = [&](auto change) {
    SessionQuery query;
    change(query);
    return std::pair(is_meant(query, motion), is_meant(query, face));
  };
  using Both = std::pair<bool, bool>;
  EXPECT_EQ(means([](auto&) {}), Both(true, true));
  EXPECT_EQ(means([](auto& query) { query.persona_id = "p-1"; }), Both(false, true));
  EXPECT_EQ(means([](auto& query) { query.persona_id = "p-2"; }), Both(false, false));
  EXPECT_EQ(means([](auto& query) { query.kind = SessionKind::turnkey; }), Both(false, true));
  EXPECT_EQ(means([](auto& query) { query.of = SessionQuery::Of::live_faces; }), Both(false, true));
  EXPECT_EQ(means([](auto& query) { query.client_label = "Shop Window"; }), Both(false, true));
  EXPECT_EQ(means([](auto& query) { query.client_label = "Shop"; }), Both(false, false));
  EXPECT_EQ(means([](auto& query) { query.search = "window"; }), Both(false, true));
  EXPECT_EQ(means([](auto& query) { query.search = "20260101000000_0005"; }), Both(true, false));
  EXPECT_EQ(means([](auto& query) { query.search = "20260101"; }), Both(false, false));
  EXPECT_EQ(means([](auto& query) { query.began_from = base::Instant(1ms); }), Both(false, false));
  EXPECT_EQ(means([](auto& query) { query.began_before = base::Instant(1ms); }), Both(true, true));
}

}  // namespace
}  // namespace stagedoor::rules
