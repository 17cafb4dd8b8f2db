-- Whose app a thing is (rules/item_scope.h); null: the workspace's, as all that was there before.
-- A document is its group's.
ALTER TABLE personas ADD COLUMN app_id TEXT;
ALTER TABLE avatars ADD COLUMN app_id TEXT;
ALTER TABLE catalog_items ADD COLUMN app_id TEXT;
-- Apps that share a persona have each a primary link of their own.
DROP INDEX share_links_primary;
CREATE UNIQUE INDEX share_links_primary ON share_links (persona_id, app_id) WHERE is_primary = 1;
