-- Whose face sheet an avatar is drawn by (web/faces); until here its name told. `removed_at`: it was
-- taken away, and the row stays so that what names it can still be read.
ALTER TABLE avatars ADD COLUMN character TEXT NOT NULL DEFAULT 'ada';
ALTER TABLE avatars ADD COLUMN updated_at INTEGER;
ALTER TABLE avatars ADD COLUMN removed_at INTEGER;
UPDATE avatars SET character = 'bruno' WHERE lower(name) = 'bruno';
CREATE INDEX avatars_by_workspace ON avatars (workspace_id, created_at);
