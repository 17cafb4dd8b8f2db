-- What a live face leaves of itself beside its row of sessions (rules/session_report.h). `client_metadata`
-- and `persona` are JSON objects, or empty; `kept_at` is when the session began, and later when it
-- ended; `is_whole` 0: it lives, or its server died.
CREATE TABLE session_reports (
  session_id TEXT PRIMARY KEY,
  persona_id TEXT NOT NULL,
  persona_name TEXT NOT NULL,
  kind INTEGER NOT NULL,
  client_label TEXT NOT NULL,
  client_metadata TEXT NOT NULL,
  keeps_transcript INTEGER NOT NULL,
  is_whole INTEGER NOT NULL DEFAULT 0,
  is_cut INTEGER NOT NULL DEFAULT 0,
  kept_at INTEGER NOT NULL,
  persona TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_reports_by_time ON session_reports (kept_at);
-- `turn` is a number of session_turns; `spoken_millis` null: it was typed.
CREATE TABLE session_messages (
  session_id TEXT NOT NULL REFERENCES session_reports (session_id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  role INTEGER NOT NULL,
  at INTEGER NOT NULL,
  spoken_millis INTEGER,
  is_interrupted INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE session_tool_calls (
  session_id TEXT NOT NULL REFERENCES session_reports (session_id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  correlation_id TEXT NOT NULL,
  call_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind INTEGER NOT NULL,
  status INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  completed_at INTEGER,
  arguments TEXT NOT NULL,
  result TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;
-- How long the turns kept their user waiting; null: it had no such part.
CREATE TABLE session_turns (
  session_id TEXT NOT NULL REFERENCES session_reports (session_id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  correlation_id TEXT NOT NULL,
  began_at INTEGER NOT NULL,
  transcription_millis INTEGER,
  response_millis INTEGER,
  PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;
-- Sessions whose app has taken them away: the ledger keeps that they were, and nobody is shown them.
CREATE TABLE removed_sessions (
  session_id TEXT PRIMARY KEY,
  removed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- The newest sessions of a workspace, of all dialects.
CREATE INDEX sessions_by_workspace ON sessions (workspace_id, began_at);
