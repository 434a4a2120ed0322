-- CreateEnum
CREATE TYPE "onboarding_signal" AS ENUM ('enrichNow', 'skipEnrichment', 'cancel');

-- AlterTable
ALTER TABLE "lead" ADD COLUMN "accepted_commands" "onboarding_signal"[] DEFAULT ARRAY[]::"onboarding_signal"[],
ADD COLUMN "reconcile_after" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp();

-- DropIndex
DROP INDEX "lead_onboarding_state_updated_at_idx";

-- CreateIndex
CREATE INDEX "lead_reconcile_after_idx" ON "lead"("reconcile_after") WHERE (onboarding_state IN ('PENDING', 'RUNNING'));

-- CreateIndex
CREATE INDEX "lead_event_at_idx" ON "lead_event"("at") WHERE (type = 'lead.assigned');

-- A change of a lead makes the reconciler wait anew. Its own note on a lead, which moves reconcile_after, is no change.
CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  NEW.reconcile_after := NEW.updated_at;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER lead_touch_updated_at BEFORE UPDATE ON lead
  FOR EACH ROW WHEN (NEW.reconcile_after = OLD.reconcile_after) EXECUTE FUNCTION touch_updated_at();
