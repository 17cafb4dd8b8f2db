-- What is asked of the audit log by more than its number, and of few of its entries: the room tokens
-- of a key that leaked, and whether an avatar that is gone was a workspace's.
CREATE INDEX audit_log_room_tokens ON audit_log (actor, number) WHERE action = 'room_token.mint';
CREATE INDEX audit_log_removed_avatars ON audit_log (subject) WHERE action = 'avatar.remove';
