#include "anam/session_analytics.h"

#include <array>
#include <string>
#include <utility>

#include "anam/error_reply.h"
#include "anam/report_reply.h"
#include "base/iso_time.h"
#include "base/json_shape.h"
#include "base/json_writer.h"
#include "front/query.h"
#include "rules/api_key.h"
#include "rules/persona.h"
#include "rules/session_analytics.h"

namespace stagedoor::anam {
namespace {

using http::Request;
using http::Response;
using rules::SessionKind;
using rules::SessionQuery;

constexpr std::chrono::days span_default{7};

// The times of its parts that a turn has, and all that was said in it where that is wished.
void append_turn(std::string& out, int index, const rules::ReportedTurn& turn,
                 const rules::SessionReport* messages) {
  std::optional<std::chrono::milliseconds> total;
  if (turn.response)
    total = turn.transcription.value_or(std::chrono::milliseconds(0)) + *turn.response;
  base::JsonWriter told(out);
  told.number("turnIndex", index)
      .text("correlationId", turn.correlation_id)
      .text("startedAt", base::iso_time(turn.began_at));
  append_millis(told, "transcriptionMs", turn.transcription);
  append_millis(told, "responseMs", turn.response);
  append_millis(told, "totalMs", total);
  if (messages != nullptr) {
    std::vector<rules::ReportedMessage> of_turn;
    for (const auto& message : messages->messages)
      if (message.turn == index) of_turn.push_back(message);
    append_messages(told.begin("messages"), of_turn);
  }
  told.end();
}

void append_turns(base::JsonWriter& body, const rules::SessionReport& report, bool with_messages) {
  auto& out = body.begin("turns");
  char before = '[';
  if (report.turns.empty()) out += before;
  for (std::size_t at = 0; at < report.turns.size(); ++at) {
    out += std::exchange(before, ',');
    append_turn(out, static_cast<int>(at), report.turns[at], with_messages ? &report : nullptr);
  }
  out += ']';
}

base::Instant time_in_query(const Request& request, std::string_view name, base::Instant otherwise,
                            rules::Faults& faults) {
  const auto text = request.query(name);
  if (!text || text->empty()) return otherwise;
  if (const auto time = base::parse_iso_time(*text)) return *time;
  base::add_fault(faults, std::string(name), "invalid_form",
                  "must be a time such as 2026-11-24T15:27:01Z, or a day");
  return otherwise;
}

// `sessionType`: what this server has none of means no session.
struct KindWish {
  std::optional<SessionKind> kind;
  bool is_of_none = false;
};
KindWish kind_in_query(const Request& request, rules::Faults& faults) {
  const auto text = request.query("sessionType").value_or("");
  static constexpr auto of_none = std::to_array<std::string_view>({"livekit", "elevenlabs_agent"});
  if (text.empty()) return {};
  for (const auto kind : {SessionKind::turnkey, SessionKind::client_words, SessionKind::own_model})
    if (text == word_of(kind)) return {.kind = kind};
  if (std::ranges::find(of_none, text) != of_none.end()) return {.kind = {}, .is_of_none = true};
  base::add_fault(faults, "sessionType", "invalid_choice",
                  "must be turnkey, custom_llm_server, custom_llm_client, livekit or "
                  "elevenlabs_agent");
  return {};
}

// nullopt: none is meant.
using Wish = std::optional<SessionQuery>;
std::expected<Wish, rules::PersonaRefusal> read_wish(const rules::Caller& caller,
                                                     const Request& request, base::Instant now) {
  rules::Faults faults;
  auto query = rules::visible_sessions(caller);
  query.state = rules::SessionState::ended;
  query.of = SessionQuery::Of::live_faces;
  query.count_max = rules::analytics_sessions_max;
  query.began_before = time_in_query(request, "to", now, faults);
  query.began_from = time_in_query(request, "from", *query.began_before - span_default, faults);
  query.persona_id = request.query("personaId").value_or("");
  query.client_label = request.query("clientLabel").value_or("");
  const auto kind = kind_in_query(request, faults);
  query.kind = kind.kind;
  if (faults.empty())
    if (const auto span = rules::check_analytics_span(*query.began_from, *query.began_before);
        !span)
      base::add_fault(faults, "from", "out_of_range", span.error().hint);
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  bool is_of_none = kind.is_of_none;
  if (const auto key = request.query("apiKeyId").value_or(""); !key.empty()) {
    query.api_key_id = rules::parse_api_key_id(key);
    is_of_none |= !query.api_key_id;
  }
  if (is_of_none) return Wish();
  return Wish(std::move(query));
}

void append_exits(base::JsonWriter& body, const std::vector<rules::SessionRecord>& sessions) {
  using rules::ExitStatus;
  std::array<std::int64_t, 3> counts{};
  for (const auto& session : sessions)
    ++counts[static_cast<std::size_t>(rules::exit_status_of(session.end_reason))];
  base::JsonWriter exits(body.begin("exitStatuses"));
  exits.number("NORMAL_EXIT", counts[static_cast<std::size_t>(ExitStatus::normal_exit)])
      .number("ERROR", counts[static_cast<std::size_t>(ExitStatus::error)])
      .number("CLOSED_BY_ENGINE", counts[static_cast<std::size_t>(ExitStatus::closed_by_engine)])
      .end();
}

}  // namespace

void SessionAnalytics::add_to(http::Router& router, const front::Guard& guard) const {
  router.add({"GET", "/v1/sessions/analytics",
              guard.slow(rules::Permission::sessions_read,
                         [this](const rules::Caller& caller, const Request& in, Response& out) {
                           of_many(caller, in, out);
                         })});
  router.add({"GET", "/v1/sessions/{id}/analytics",
              guard.slow(rules::Permission::sessions_read,
                         [this](const rules::Caller& caller, const Request& in, Response& out) {
                           of_one(caller, in, out);
                         })});
}

void SessionAnalytics::of_one(const rules::Caller& caller, const Request& request,
                              Response& response) const {
  const auto wish = request.query("includeMessages").value_or("false");
  if (wish != "true" && wish != "false") {
    const auto refusal =
        rules::refusal_of({{"includeMessages", "invalid_choice", "must be true or false"}});
    return reply(response, refusal.error, refusal.faults);
  }
  const auto session =
      parts_.records.find(rules::visible_sessions(caller), std::string(request.path_part("id")));
  if (!session) return reply(response, session.error());
  const auto report = parts_.reports.find(session->id);
  if (!report) return reply(response, report.error());
  static const rules::SessionFacts none;
  const auto& facts = session->facts ? *session->facts : none;
  rules::TurnTimes times;
  times.add(report->turns);
  base::JsonWriter body(response.start(200, "application/json"));
  body.text("sessionId", session->id)
      .text_or_null("personaId", facts.persona_id)
      .text_or_null("personaName", facts.persona_name)
      .text_or_null("clientLabel", facts.client_label)
      .text("sessionType", word_of(facts.kind))
      .text("startTime", base::iso_time(session->began_at));
  const auto& ended_at = session->ended_at;
  body.text_or_null("endTime", ended_at ? base::iso_time(*ended_at) : "");
  append_millis(body, "durationMs",
                ended_at ? std::optional(*ended_at - session->began_at) : std::nullopt);
  body.text_or_null("exitStatus",
                    ended_at ? word_of(rules::exit_status_of(session->end_reason)) : "");
  body.number("totalTurns", static_cast<std::int64_t>(report->turns.size()))
      .json("isTruncated", report->is_cut ? "true" : "false");
  append_latencies(body, std::move(times).percentiles());
  append_turns(body, *report, wish == "true");
  body.end();
  response.header("Cache-Control", "no-store");
}

void SessionAnalytics::of_many(const rules::Caller& caller, const Request& request,
                               Response& response) const {
  auto wish = read_wish(caller, request, parts_.clock.now());
  if (!wish) return reply(response, wish.error().error, wish.error().faults);
  rules::SessionPage page;
  if (*wish) {
    auto found = parts_.records.list(**wish);
    if (!found) return reply(response, found.error());
    page = *std::move(found);
  }
  std::vector<std::string> ids;
  std::vector<std::int64_t> lengths;
  for (const auto& session : page.sessions) {
    ids.push_back(session.id);
    lengths.push_back((*session.ended_at - session.began_at).count());
  }
  const auto turns = parts_.reports.turns_of(ids);
  if (!turns) return reply(response, turns.error());
  rules::TurnTimes times;
  std::size_t turn_count = 0;
  for (const auto& of_session : *turns) {
    times.add(of_session);
    turn_count += of_session.size();
  }
  base::JsonWriter body(response.start(200, "application/json"));
  body.number("totalSessions", static_cast<std::int64_t>(ids.size()))
      .number("totalTurns", static_cast<std::int64_t>(turn_count))
      .json("isTruncated", page.beyond.empty() ? "false" : "true");
  append_exits(body, page.sessions);
  append_percentiles(body, "sessionLengthMs", rules::percentiles_of(std::move(lengths)));
  append_latencies(body, std::move(times).percentiles());
  body.end();
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::anam
