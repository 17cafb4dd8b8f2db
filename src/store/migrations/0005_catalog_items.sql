-- What a workspace keeps for its personas (rules/catalog_item.h, where the kinds are numbered);
-- `secret` is sealed under the server secret (rules/kept_secret.h).
CREATE TABLE catalog_items (
  id TEXT PRIMARY KEY,
  kind INTEGER NOT NULL,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  environment INTEGER NOT NULL,
  name TEXT NOT NULL,
  content TEXT NOT NULL,
  secret BLOB,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_items_by_workspace
  ON catalog_items (workspace_id, kind, environment, created_at);
-- A snapshot may hold what lets a tool in elsewhere, so it is sealed too; `content` is then empty.
ALTER TABLE persona_snapshots ADD COLUMN sealed BLOB;
