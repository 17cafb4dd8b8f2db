-- Limits of single end users (rules/end_user_limits.h) as text. Empty: it was taken away, which is
-- kept for a while so that other processes hear of it. `change` grows with every change of any, as
-- that of api_keys does.
CREATE TABLE end_user_limits (
  app_id TEXT NOT NULL REFERENCES apps (id),
  end_user_id TEXT NOT NULL,
  rate_limit TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  change INTEGER NOT NULL,
  PRIMARY KEY (app_id, end_user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX end_user_limits_by_change ON end_user_limits (change);
CREATE INDEX end_user_limits_held ON end_user_limits (app_id) WHERE rate_limit <> '';
CREATE INDEX end_user_limits_taken_away ON end_user_limits (changed_at) WHERE rate_limit = '';
