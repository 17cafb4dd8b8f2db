-- What a key may do and how it stands. `scopes` is a set of bits (rules/permission.h), -1: the
-- usual ones. `networks` are CIDR ranges with a space between. `hash_kind` 1: imported, the hash
-- is made of a SHA-256 that came from elsewhere.
ALTER TABLE api_keys ADD COLUMN scopes INTEGER NOT NULL DEFAULT -1;
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
ALTER TABLE api_keys ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN tier TEXT NOT NULL DEFAULT 'free';
ALTER TABLE api_keys ADD COLUMN own_limit TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN created_by TEXT NOT NULL DEFAULT 'operator';
ALTER TABLE api_keys ADD COLUMN frozen_at INTEGER;
ALTER TABLE api_keys ADD COLUMN frozen_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN replaced_by INTEGER;
ALTER TABLE api_keys ADD COLUMN hash_kind INTEGER NOT NULL DEFAULT 0;
-- In the order in which keys are listed, and for what one key has made.
DROP INDEX api_keys_by_app;
CREATE INDEX api_keys_by_app ON api_keys (app_id, environment, created_at);
CREATE INDEX api_keys_by_maker ON api_keys (created_by) WHERE created_by LIKE 'key_%';

-- Limits of rules/rate_limit.h as text, empty: none of its own.
ALTER TABLE apps ADD COLUMN rate_limit TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN end_user_limit TEXT NOT NULL DEFAULT '';
-- Of live sessions (rules/monthly_minutes.h); null: no such limit.
ALTER TABLE apps ADD COLUMN monthly_minutes INTEGER;
-- Reports of leaks that have frozen a key, as the SHA-256 of what was signed.
CREATE TABLE leak_reports (
  api_key_id INTEGER NOT NULL,
  report BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (api_key_id, report)
) STRICT, WITHOUT ROWID;

-- When and from where a key was last used, and how often ever; one row per key that ever was.
CREATE TABLE api_key_uses (
  api_key_id INTEGER PRIMARY KEY,
  last_at INTEGER NOT NULL,
  last_peer TEXT NOT NULL,
  count INTEGER NOT NULL
) STRICT;

-- Calls per key and hour (`hour` is hours since the epoch), and from which networks.
CREATE TABLE api_key_hours (
  hour INTEGER NOT NULL,
  api_key_id INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  refusals INTEGER NOT NULL,
  PRIMARY KEY (hour, api_key_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE api_key_networks (
  api_key_id INTEGER NOT NULL,
  peer TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (api_key_id, peer)
) STRICT, WITHOUT ROWID;

-- People. `generation` grows with every log-out everywhere; tokens of an older one are refused.
-- `issuer` and `subject` are empty for local accounts; `password_hash` is empty for others. `change`
-- grows with every change of any account, and of any member, as that of api_keys does.
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  email_is_verified INTEGER NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  change INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_by_own_email ON accounts (email_key) WHERE issuer = '';
CREATE UNIQUE INDEX accounts_by_identity ON accounts (issuer, subject) WHERE issuer <> '';
CREATE INDEX accounts_by_change ON accounts (change);
-- Who was removed stays, with `removed_at`, so that other processes see it.
CREATE TABLE members (
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  account_id TEXT NOT NULL REFERENCES accounts (id),
  role INTEGER NOT NULL,
  since INTEGER NOT NULL,
  removed_at INTEGER,
  change INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_account ON members (account_id);
CREATE INDEX members_by_change ON members (change);
CREATE TABLE invitations (
  id TEXT PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  email_key TEXT NOT NULL,
  role INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  accepted_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_email ON invitations (email_key);
CREATE INDEX invitations_by_workspace ON invitations (workspace_id, created_at);
-- A family is one log-in; each refresh spends one row and adds the next.
CREATE TABLE refresh_tokens (
  hash BLOB PRIMARY KEY,
  family TEXT NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_by_account ON refresh_tokens (account_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- The audit log; `seal` is an HMAC over the seal before and the entry (rules/audit.h). One row of
-- audit_head tells where the log ends, with an HMAC as the proof that it does.
CREATE TABLE audit_log (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  workspace_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome INTEGER NOT NULL,
  peer TEXT NOT NULL,
  request_id TEXT NOT NULL,
  detail TEXT NOT NULL,
  seal BLOB NOT NULL
) STRICT;
CREATE INDEX audit_log_by_workspace ON audit_log (workspace_id, number);
CREATE TABLE audit_head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  number INTEGER NOT NULL,
  seal BLOB NOT NULL,
  proof BLOB NOT NULL
) STRICT;

-- Every session that was let in, once. `last_seen_at` moves while it lives, so that one whose server
-- died is counted up to then; `ended_at` is null while it lives. `api_key_id` is 0 where a person
-- minted its token; `connections` counts how often its client has come.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  token_id BLOB NOT NULL,
  workspace_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  environment INTEGER NOT NULL,
  api_key_id INTEGER NOT NULL,
  end_user_id TEXT NOT NULL,
  avatar_id TEXT NOT NULL,
  dialect TEXT NOT NULL,
  peer TEXT NOT NULL,
  began_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  ended_at INTEGER,
  end_reason TEXT NOT NULL DEFAULT '',
  connections INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_app ON sessions (app_id, began_at);
CREATE INDEX sessions_by_key ON sessions (api_key_id, began_at);
CREATE INDEX sessions_open ON sessions (id) WHERE ended_at IS NULL;

-- The session of a token's first use.
ALTER TABLE redemptions ADD COLUMN session_id TEXT;
-- A retry by a client that redeemed a token is told from a second client by its mark
-- (rules/redemption.h).
CREATE TABLE client_marks (
  expires_at INTEGER NOT NULL,
  token_id BLOB NOT NULL,
  mark BLOB NOT NULL,
  session_id TEXT NOT NULL,
  use INTEGER NOT NULL,
  PRIMARY KEY (expires_at, token_id, mark)
) STRICT, WITHOUT ROWID;

-- What was minted for one subject up to a time, and opens nothing any more. `subject` is numbered in
-- rules/token_revocation.h; an empty app is all apps of the workspace. `change` grows with every row,
-- so that another process can read what is new.
CREATE TABLE token_revocations (
  subject INTEGER NOT NULL,
  workspace_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  environment INTEGER NOT NULL,
  value TEXT NOT NULL,
  minted_until INTEGER NOT NULL,
  forget_at INTEGER NOT NULL,
  change INTEGER NOT NULL,
  PRIMARY KEY (subject, workspace_id, app_id, environment, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_revocations_by_change ON token_revocations (change);
CREATE INDEX token_revocations_by_end ON token_revocations (forget_at);

-- A persona is its content, JSON in the canonical form of rules/persona.h, which may name an avatar
-- that is built in.
ALTER TABLE personas RENAME TO former_personas;
CREATE TABLE personas (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  environment INTEGER NOT NULL,
  name TEXT NOT NULL,
  content TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX personas_by_workspace ON personas (workspace_id, environment, created_at);
INSERT INTO personas (id, workspace_id, environment, name, content, created_at, updated_at)
  SELECT id, workspace_id, 1, name,
         json_object('avatarId', avatar_id, 'name', name, 'systemPrompt', system_prompt),
         created_at, created_at
  FROM former_personas;
DROP TABLE former_personas;
-- The same content is kept once, under its SHA-256. `minted_at`: when a token was last minted for
-- it, an hour too early at most.
CREATE TABLE persona_snapshots (
  digest BLOB PRIMARY KEY,
  content TEXT NOT NULL,
  minted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX persona_snapshots_by_minting ON persona_snapshots (minted_at);

-- Its rowid tells which of two of the same millisecond came first.
CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  app_id TEXT NOT NULL,
  environment INTEGER NOT NULL,
  avatar_id TEXT NOT NULL,
  settings TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT;
CREATE INDEX conversations_by_app ON conversations (app_id, environment, created_at);
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  role TEXT NOT NULL,
  content TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (conversation_id, number)
) STRICT, WITHOUT ROWID;

-- Avatars of people (the third dialect's consumer avatars).
CREATE TABLE consumer_avatars (
  id TEXT PRIMARY KEY,
  short_id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  slug TEXT NOT NULL,
  content TEXT NOT NULL,
  is_public INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (owner, slug)
) STRICT, WITHOUT ROWID;
