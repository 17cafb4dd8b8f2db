#include "anam/report_reply.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/iso_time.h"

namespace stagedoor::anam {
namespace {

using base::JsonWriter;

void append_message(std::string& out, const rules::ReportedMessage& message) {
  const bool is_persona = message.role == rules::MessageRole::persona;
  JsonWriter told(out);
  told.text("role", is_persona ? "persona" : "user")
      .text("message", message.text)
      .text("timestamp", base::iso_time(message.at));
  if (message.spoken_for) {
    const std::chrono::duration<double> lasted = *message.spoken_for;
    told.json("speakingDurationSeconds", fmt::format("{:.3f}", lasted.count()));
  } else {
    told.json("speakingDurationSeconds", "null");
  }
  if (is_persona) told.json("wasInterrupted", message.is_interrupted ? "true" : "false");
  told.end();
}

}  // namespace

void append_messages(std::string& out, std::span<const rules::ReportedMessage> messages) {
  char before = '[';
  if (messages.empty()) out += before;
  for (const auto& message : messages) {
    out += std::exchange(before, ',');
    append_message(out, message);
  }
  out += ']';
}

void append_millis(JsonWriter& out, base::JsonName name,
                   std::optional<std::chrono::milliseconds> time) {
  if (time) {
    out.number(name, time->count());
  } else {
    out.json(name, "null");
  }
}

void append_percentiles(JsonWriter& out, base::JsonName name,
                        const std::optional<rules::Percentiles>& percentiles) {
  if (!percentiles) {
    out.json(name, "null");
    return;
  }
  JsonWriter part(out.begin(name));
  part.number("count", static_cast<std::int64_t>(percentiles->count))
      .number("min", percentiles->least)
      .number("p50", percentiles->p50)
      .number("p90", percentiles->p90)
      .number("p95", percentiles->p95)
      .number("p99", percentiles->p99)
      .number("max", percentiles->most)
      .end();
}

void append_latencies(JsonWriter& out, const rules::TurnPercentiles& percentiles) {
  JsonWriter latencies(out.begin("latencies"));
  append_percentiles(latencies, "transcriptionMs", percentiles.transcription);
  append_percentiles(latencies, "responseMs", percentiles.response);
  append_percentiles(latencies, "totalMs", percentiles.total);
  latencies.end();
}

std::string_view word_of(rules::ExitStatus status) {
  switch (status) {
    case rules::ExitStatus::normal_exit:
      return "NORMAL_EXIT";
    case rules::ExitStatus::error:
      return "ERROR";
    case rules::ExitStatus::closed_by_engine:
      return "CLOSED_BY_ENGINE";
  }
  std::unreachable();
}

std::string_view word_of(rules::SessionKind kind) {
  switch (kind) {
    case rules::SessionKind::turnkey:
      return "turnkey";
    case rules::SessionKind::client_words:
      return "custom_llm_client";
    case rules::SessionKind::own_model:
      return "custom_llm_server";
  }
  std::unreachable();
}

}  // namespace stagedoor::anam
