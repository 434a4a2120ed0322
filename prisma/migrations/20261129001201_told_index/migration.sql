-- For the operator's endpoint, which is told of the notifications of all organizations.
CREATE INDEX CONCURRENTLY "lead_event_told_idx" ON "lead_event"("xid", "seq") WHERE (type = 'notification.created');
