CREATE INDEX CONCURRENTLY "lead_organization_id_archived_source_created_at_id_idx" ON "lead"("organization_id", "archived", "source", "created_at" DESC, "id" DESC);
