CREATE INDEX CONCURRENTLY "lead_organization_id_id_idx" ON "lead"("organization_id", "id");
