CREATE INDEX CONCURRENTLY "lead_organization_id_archived_assigned_to_created_at_id_idx" ON "lead"("organization_id", "archived", "assigned_to", "created_at" DESC, "id" DESC);
