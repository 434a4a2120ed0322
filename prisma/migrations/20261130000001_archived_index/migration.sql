CREATE INDEX CONCURRENTLY "lead_organization_id_archived_created_at_id_idx" ON "lead"("organization_id", "archived", "created_at" DESC, "id" DESC);
