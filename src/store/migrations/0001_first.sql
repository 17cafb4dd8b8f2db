-- Times are Unix milliseconds unless the name says seconds.
CREATE TABLE workspaces (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE apps (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  name TEXT NOT NULL,
  token_uses_max INTEGER NOT NULL,
  length_max_seconds INTEGER NOT NULL,
  idle_max_seconds INTEGER NOT NULL,
  sessions_max INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE avatars (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE personas (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  avatar_id TEXT NOT NULL REFERENCES avatars (id),
  name TEXT NOT NULL,
  system_prompt TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `change` grows with every change of any key, so that another process can read what is new.
CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY,
  app_id TEXT NOT NULL REFERENCES apps (id),
  environment INTEGER NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  ends TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  revoked_reason TEXT NOT NULL DEFAULT '',
  change INTEGER NOT NULL
) STRICT;
CREATE INDEX api_keys_by_change ON api_keys (change);
CREATE INDEX api_keys_by_app ON api_keys (app_id, created_at);

-- The expiry leads the key: tokens that are redeemed together lie together, and what has expired
-- is one range at the front.
CREATE TABLE redemptions (
  expires_at INTEGER NOT NULL,
  token_id BLOB NOT NULL,
  uses INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  PRIMARY KEY (expires_at, token_id)
) STRICT, WITHOUT ROWID;
