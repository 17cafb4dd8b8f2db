-- Links to personas that are given to anybody (rules/share_link.h, where the kinds are numbered).
-- `token` is sealed under the server secret, `token_hash` its hash under a key of that secret;
-- `made_generation` is the generation of the account that made it, null of a key's.
CREATE TABLE share_links (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  environment INTEGER NOT NULL,
  persona_id TEXT NOT NULL REFERENCES personas (id) ON DELETE CASCADE,
  app_id TEXT NOT NULL,
  made_by TEXT NOT NULL,
  made_generation INTEGER,
  token_hash BLOB NOT NULL UNIQUE,
  token BLOB NOT NULL,
  kind INTEGER NOT NULL,
  expires_at INTEGER,
  uses_max INTEGER,
  uses INTEGER NOT NULL,
  allowed_origins TEXT NOT NULL,
  any_origin INTEGER NOT NULL,
  without_watermark INTEGER NOT NULL,
  is_enabled INTEGER NOT NULL,
  is_primary INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX share_links_by_workspace ON share_links (workspace_id, environment, created_at);
CREATE INDEX share_links_by_persona ON share_links (persona_id);
CREATE UNIQUE INDEX share_links_primary ON share_links (persona_id) WHERE is_primary = 1;
