// What a live face leaves of itself: who it played and for whom, what was said, what was called,
// and how long its turns took. Kept beside the session's row of the ledger
// (rules/session_record.h).
//
// Rule session-report-bounded: a report holds at most 2,000 messages, 2,000 turns, 1 MiB of what
// was said, 500 tool calls and 256 KiB of their arguments and results; what comes after that is
// left out, and the report says that it was cut.
//
// Rule session-report-redacted: of a persona and of the client's own words about itself a report
// keeps the names of webhooks' headers and query and not their values, of addresses only the host,
// nothing whose name says that it is a secret, and no credential that we know.
//
// Rule session-transcript-by-consent: what was said, and what was given to tools and came back, is
// kept only where the settings let it be and the persona does not ask for zero data retention.
// How long turns took is kept either way.
//
// Rule session-report-forgotten: a report is taken away once it is as old as the settings say; the
// ledger's own row stays.
//
// Rule session-removed-for-good: a session that is over can be removed: its report, its client's
// address and its end user are gone from the store, and nobody is shown it any more. That it was,
// how long and on whose key, stays in the ledger, which is what usage is counted from.
//
// Used by: anam/live_face.h, anam/sessions.h, api/sessions.h, actions/remove_session.h
// Kept by: store/sqlite_session_reports.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/audit.h"
#include "rules/tool_kind.h"

namespace stagedoor::rules {

inline constexpr std::size_t report_messages_max = 2000;
inline constexpr std::size_t report_turns_max = 2000;
inline constexpr std::size_t report_text_bytes_max = 1u << 20;
inline constexpr std::size_t report_tool_calls_max = 500;
inline constexpr std::size_t report_tool_bytes_max = 256u << 10;
inline constexpr std::size_t client_metadata_bytes_max = 4u << 10;

// Who makes the persona's words, or its sound: this server, the client, or a language model that
// the workspace keeps. The numbers are kept: add at the end.
enum class SessionKind : unsigned char { turnkey, client_words, own_model };

// What is known of a live face when it begins. The texts are redacted.
struct SessionFacts {
  std::string persona_id;  // empty: an inline persona
  std::string persona_name;
  std::string persona;  // its content, a JSON object
  SessionKind kind = SessionKind::turnkey;
  std::string client_label;
  std::string client_metadata;  // a JSON object, or empty
  bool keeps_transcript = true;
};

enum class MessageRole : unsigned char { user, persona };

struct ReportedMessage {
  int turn = 0;  // an index into `turns`
  MessageRole role = MessageRole::user;
  base::Instant at;                                     // when it began
  std::optional<std::chrono::milliseconds> spoken_for;  // nullopt: it was typed
  bool is_interrupted = false;
  std::string text;
};

struct ReportedToolCall {
  enum class Status : unsigned char { started, completed, failed };
  int turn = 0;
  std::string correlation_id, call_id, name;
  ToolKind kind = ToolKind::client;
  Status status = Status::started;
  base::Instant started_at;
  std::optional<base::Instant> completed_at;
  std::string arguments;  // JSON, or empty
  std::string result, error;
};

// One exchange: what the user said and what the persona answered, or words of the persona alone.
struct ReportedTurn {
  std::string correlation_id;
  base::Instant began_at;
  // From the end of the user's speech until its words were known.
  std::optional<std::chrono::milliseconds> transcription;
  // From then until the persona's answer was first heard.
  std::optional<std::chrono::milliseconds> response;
};

struct SessionReport {
  std::vector<ReportedMessage> messages;
  std::vector<ReportedToolCall> tool_calls;
  std::vector<ReportedTurn> turns;
  bool is_cut = false;
};

// How a session ended, in three words.
enum class ExitStatus : unsigned char { normal_exit, error, closed_by_engine };
// By the reason that the ledger has. One that it does not know is an error.
ExitStatus exit_status_of(std::string_view end_reason);

// A JSON object without what must not be kept of it (rule session-report-redacted); empty for what
// is no JSON object.
std::string redacted_object(std::string_view json);

// The facts of a persona's snapshot (rules/persona.h) and of what the client says; redacted.
struct ClientWords {
  std::string_view label, metadata;
};
enum class Transcripts : unsigned char { kept, left_out };
SessionFacts facts_of(std::string_view snapshot, ClientWords client, Transcripts setting);

// Where reports are kept. Safe for concurrent use.
class SessionReports {
 public:
  virtual ~SessionReports() = default;
  // Each is kept soon and does not wait; a session that has been removed stays so. A session that
  // goes on after an end has one report, the later part behind the earlier one.
  virtual void begin(std::string_view session_id, SessionFacts facts, base::Instant at) = 0;
  virtual void end(std::string_view session_id, SessionReport report, base::Instant at) = 0;

  // Not from an event loop. `not_found`: there is none, or not yet, or not any more.
  virtual base::Result<SessionReport> find(const std::string& session_id) = 0;
  // The turns of each; none where there is no report. Not from an event loop.
  virtual base::Result<std::vector<std::vector<ReportedTurn>>> turns_of(
      std::span<const std::string> session_ids) = 0;
  // Takes away all that rule session-removed-for-good names, and keeps the entry, in one
  // transaction. `not_found` where the workspace has no such session, or it was removed before;
  // `conflict` while it lives. Not from an event loop.
  virtual base::Result<base::Done> remove(const std::string& workspace_id,
                                          const std::string& session_id,
                                          const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
