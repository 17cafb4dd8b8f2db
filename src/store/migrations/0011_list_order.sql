-- In which order the things of one list were made (store/list_number.h). What is there already keeps
-- the order in which it was shown.
ALTER TABLE personas ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE personas SET number = made.number FROM
  (SELECT id, row_number() OVER
     (PARTITION BY workspace_id, environment ORDER BY created_at, id DESC) AS number
   FROM personas) AS made
  WHERE made.id = personas.id;
DROP INDEX personas_by_workspace;
CREATE UNIQUE INDEX personas_by_workspace ON personas (workspace_id, environment, number);

ALTER TABLE catalog_items ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE catalog_items SET number = made.number FROM
  (SELECT id, row_number() OVER
     (PARTITION BY workspace_id, kind, environment ORDER BY created_at, id DESC) AS number
   FROM catalog_items) AS made
  WHERE made.id = catalog_items.id;
DROP INDEX catalog_items_by_workspace;
CREATE UNIQUE INDEX catalog_items_by_workspace
  ON catalog_items (workspace_id, kind, environment, number);

ALTER TABLE documents ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE documents SET number = made.number FROM
  (SELECT id, row_number() OVER (PARTITION BY group_id ORDER BY created_at, id DESC) AS number
   FROM documents) AS made
  WHERE made.id = documents.id;
DROP INDEX documents_by_group;
CREATE UNIQUE INDEX documents_by_group ON documents (group_id, number);

ALTER TABLE share_links ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE share_links SET number = made.number FROM
  (SELECT id, row_number() OVER
     (PARTITION BY workspace_id, environment ORDER BY created_at, id DESC) AS number
   FROM share_links) AS made
  WHERE made.id = share_links.id;
DROP INDEX share_links_by_workspace;
CREATE UNIQUE INDEX share_links_by_workspace ON share_links (workspace_id, environment, number);

ALTER TABLE avatars ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE avatars SET number = made.number FROM
  (SELECT id, row_number() OVER (PARTITION BY workspace_id ORDER BY created_at, id DESC) AS number
   FROM avatars) AS made
  WHERE made.id = avatars.id;
DROP INDEX avatars_by_workspace;
CREATE UNIQUE INDEX avatars_by_workspace ON avatars (workspace_id, number);

ALTER TABLE consumer_avatars ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE consumer_avatars SET number = made.number FROM
  (SELECT id, row_number() OVER (PARTITION BY owner ORDER BY created_at, id DESC) AS number
   FROM consumer_avatars) AS made
  WHERE made.id = consumer_avatars.id;
CREATE UNIQUE INDEX consumer_avatars_by_owner ON consumer_avatars (owner, number);

ALTER TABLE conversations ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE conversations SET number = made.number FROM
  (SELECT id, row_number() OVER
     (PARTITION BY app_id, environment ORDER BY created_at, rowid) AS number
   FROM conversations) AS made
  WHERE made.id = conversations.id;
DROP INDEX conversations_by_app;
CREATE UNIQUE INDEX conversations_by_app ON conversations (app_id, environment, number);

ALTER TABLE api_keys ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE api_keys SET number = made.number FROM
  (SELECT id, row_number() OVER
     (PARTITION BY app_id, environment ORDER BY created_at, id) AS number
   FROM api_keys) AS made
  WHERE made.id = api_keys.id;
DROP INDEX api_keys_by_app;
CREATE UNIQUE INDEX api_keys_by_app ON api_keys (app_id, environment, number);

-- Of sessions it tells which of those that began in one millisecond came first; 0: one of before.
ALTER TABLE sessions ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
DROP INDEX sessions_by_app;
CREATE INDEX sessions_by_app ON sessions (app_id, began_at, number);
DROP INDEX sessions_by_workspace;
CREATE INDEX sessions_by_workspace ON sessions (workspace_id, began_at, number);
