-- The indexes of lists before there was an archive: what asks for them are processes of the release before.
SET lock_timeout = '5s';

DROP INDEX "lead_organization_id_created_at_id_idx", "lead_organization_id_status_created_at_id_idx",
           "lead_organization_id_source_created_at_id_idx", "lead_organization_id_assigned_to_created_at_id_idx",
           "lead_listing_organization_id_onboarding_state_lead_created__idx",
           "lead_score_organization_id_band_lead_created_at_lead_id_idx";
