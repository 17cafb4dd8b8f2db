-- Counting what a workspace and its apps keep (rules/item_scope.h) reads these alone.
CREATE INDEX personas_by_app ON personas (workspace_id, environment, app_id);
CREATE INDEX catalog_items_by_app ON catalog_items (workspace_id, kind, environment, app_id);
CREATE INDEX share_links_by_app ON share_links (workspace_id, environment, app_id);
DROP INDEX documents_by_workspace;
CREATE INDEX documents_by_workspace ON documents (workspace_id, environment, group_id, bytes);
