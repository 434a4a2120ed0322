CREATE INDEX CONCURRENTLY "lead_score_organization_id_lead_archived_band_lead_created__idx" ON "lead_score"("organization_id", "lead_archived", "band", "lead_created_at" DESC, "lead_id" DESC);
