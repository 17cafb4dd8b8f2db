-- Documents of knowledge groups, which are catalog items, and the passages that they were cut into.
-- What belongs to a group goes with it.
CREATE TABLE documents (
  id TEXT PRIMARY KEY,
  group_id TEXT NOT NULL REFERENCES catalog_items (id) ON DELETE CASCADE,
  workspace_id TEXT NOT NULL,
  environment INTEGER NOT NULL,
  filename TEXT NOT NULL,
  type TEXT NOT NULL,
  content TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX documents_by_group ON documents (group_id, created_at);
CREATE INDEX documents_by_workspace ON documents (workspace_id, bytes);
CREATE TABLE passages (
  id INTEGER PRIMARY KEY,
  document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  group_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  content TEXT NOT NULL
) STRICT;
CREATE INDEX passages_by_document ON passages (document_id, number);
-- The words of the passages; the group stands among them, so that a search reaches no other. Kept by
-- the statements of store/sqlite_knowledge.h: no trigger may touch a virtual table here, since the
-- schema is not trusted.
CREATE VIRTUAL TABLE passage_words USING fts5(
  group_id, content, content = 'passages', content_rowid = 'id'
);
