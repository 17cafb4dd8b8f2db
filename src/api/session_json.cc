#include "api/session_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/iso_time.h"
#include "base/json.h"
#include "rules/api_key.h"
#include "rules/knowledge.h"

namespace stagedoor::api {
namespace {

using base::JsonWriter;
using rules::ReportedToolCall;
using rules::SessionRecord;

// Where it lives, up to when it was last seen.
std::int64_t seconds_of(const SessionRecord& session) {
  const auto lasted = session.ended_at.value_or(session.last_seen_at) - session.began_at;
  return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(lasted).count(), 0);
}

std::string key_of(const SessionRecord& session) {
  return session.api_key_id == 0 ? "" : rules::api_key_id_text(session.api_key_id);
}

std::string_view object_or_empty(const std::string& json) {
  return json.empty() ? "{}" : std::string_view(json);
}

void write_own_words(JsonWriter& writer, const SessionRecord& session) {
  writer.text("id", session.id)
      .text("state", session.ended_at ? "ended" : "live")
      .text("app_id", session.app_id)
      .text("environment", rules::name_of(session.environment))
      .text("dialect", session.dialect)
      .text("avatar_id", session.avatar_id)
      .text_or_null("end_user_id", session.end_user_id)
      .text_or_null("api_key_id", key_of(session))
      .text("session_token_id", session.token_id)
      .text("peer", session.peer)
      .number("connections", session.connections)
      .number("began_at", base::unix_seconds(session.began_at));
  if (session.ended_at) {
    writer.number("ended_at", base::unix_seconds(*session.ended_at));
  } else {
    writer.json("ended_at", "null");
  }
  writer.text_or_null("end_reason", session.end_reason).number("seconds", seconds_of(session));
}

std::string_view exit_word(const SessionRecord& session) {
  if (!session.ended_at) return {};
  switch (rules::exit_status_of(session.end_reason)) {
    case rules::ExitStatus::normal_exit:
      return "NORMAL_EXIT";
    case rules::ExitStatus::error:
      return "ERROR";
    case rules::ExitStatus::closed_by_engine:
      return "CLOSED_BY_ENGINE";
  }
  std::unreachable();
}

// Contract 1.2 of the Anam dialect. There is one engine, this server: none is named.
void write_anams_words(JsonWriter& writer, const SessionRecord& session) {
  static const rules::SessionFacts none;
  const auto& facts = session.facts ? *session.facts : none;
  const auto began_at = base::iso_time(session.began_at);
  writer.text_or_null("personaId", facts.persona_id)
      .text_or_null("clientLabel", facts.client_label)
      .text("startTime", began_at)
      .text_or_null("endTime", session.ended_at ? base::iso_time(*session.ended_at) : "");
  if (session.ended_at) {
    writer.number("sessionLengthMs", (*session.ended_at - session.began_at).count());
  } else {
    writer.json("sessionLengthMs", "null");
  }
  writer.text_or_null("exitStatus", exit_word(session))
      .json("engineHost", "null")
      .json("engineProtocol", "null")
      .json("engineVersion", "null")
      .json("clientMetadata", object_or_empty(facts.client_metadata))
      .json("personaConfig", facts.persona.empty() ? "null" : std::string_view(facts.persona))
      .text_or_null("apiKeyId", key_of(session))
      .text("organizationId", session.workspace_id)
      .text("createdAt", began_at)
      .text("updatedAt", base::iso_time(session.ended_at.value_or(session.last_seen_at)));
}

std::string_view word_of(ReportedToolCall::Status status) {
  switch (status) {
    case ReportedToolCall::Status::started:
      return "started";
    case ReportedToolCall::Status::completed:
      return "completed";
    case ReportedToolCall::Status::failed:
      return "failed";
  }
  std::unreachable();
}

// The JSON that a model wrote, where it did; otherwise, and where it was cut, its text.
void write_arguments(JsonWriter& call, const std::string& arguments) {
  thread_local base::JsonReader reader;
  if (reader.read(arguments)) {
    call.json("arguments", arguments);
  } else {
    call.text_or_null("arguments", arguments);
  }
}

void write_tool_call(std::string& out, const ReportedToolCall& told) {
  JsonWriter call(out);
  call.number("turnIndex", told.turn)
      .text("correlationId", told.correlation_id)
      .text("toolCallId", told.call_id)
      .text("toolName", told.name)
      .text("toolType", rules::type_of(told.kind))
      .text_or_null("toolSubtype", rules::subtype_of(told.kind))
      .text("status", word_of(told.status))
      .text("startedAt", base::iso_time(told.started_at));
  if (told.completed_at) {
    const std::chrono::duration<double> lasted = *told.completed_at - told.started_at;
    call.text("completedAt", base::iso_time(*told.completed_at))
        .json("durationSeconds", fmt::format("{:.3f}", lasted.count()));
  } else {
    call.json("completedAt", "null").json("durationSeconds", "null");
  }
  write_arguments(call, told.arguments);
  call.text_or_null("errorMessage", told.error)
      .text_or_null("result", told.result)
      .texts("documentsAccessed", told.kind == rules::ToolKind::knowledge
                                      ? rules::documents_in(told.result)
                                      : std::vector<std::string>())
      .end();
}

}  // namespace

void write_session(std::string& out, const SessionRecord& session) {
  JsonWriter writer(out);
  write_own_words(writer, session);
  write_anams_words(writer, session);
  writer.end();
}

void write_session(std::string& out, const SessionRecord& session,
                   const rules::SessionReport* report) {
  JsonWriter writer(out);
  write_own_words(writer, session);
  write_anams_words(writer, session);
  auto& calls = writer.begin("toolCalls");
  calls += '[';
  if (report != nullptr) {
    for (const auto& call : report->tool_calls) {
      if (&call != &report->tool_calls.front()) calls += ',';
      write_tool_call(calls, call);
    }
  }
  calls += ']';
  writer.end();
}

void write_meta(JsonWriter& body, const NumberedPage& page) {
  const auto last = std::max<std::size_t>((page.total + page.size - 1) / page.size, 1);
  JsonWriter meta(body.begin("meta"));
  const auto number = [](std::size_t value) { return static_cast<std::int64_t>(value); };
  meta.number("total", number(page.total)).number("lastPage", number(last));
  meta.number("currentPage", number(page.number)).number("perPage", number(page.size));
  const auto neighbour = [&](base::JsonName name, std::size_t value) {
    if (value >= 1 && value <= last) {
      meta.number(name, number(value));
    } else {
      meta.json(name, "null");
    }
  };
  neighbour("prev", page.number - 1);
  neighbour("next", page.number + 1);
  meta.end();
}

}  // namespace stagedoor::api
