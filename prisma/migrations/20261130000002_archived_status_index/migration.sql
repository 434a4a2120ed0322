CREATE INDEX CONCURRENTLY "lead_organization_id_archived_status_created_at_id_idx" ON "lead"("organization_id", "archived", "status", "created_at" DESC, "id" DESC);
