CREATE INDEX CONCURRENTLY "lead_event_organization_id_xid_seq_idx" ON "lead_event"("organization_id", "xid", "seq");
