SET lock_timeout = '5s';

-- CreateEnum
CREATE TYPE "bulk_retry_state" AS ENUM ('RUNNING', 'PAUSED', 'COMPLETED', 'CANCELED');

-- AlterEnum
ALTER TYPE "outbox_kind" ADD VALUE 'RETRY_LEADS';

-- AlterTable
ALTER TABLE "outbox" ALTER COLUMN "organization_id" DROP NOT NULL;

-- Keys of operators belong to no organization: the role of the API may not even read them.
-- CreateTable
CREATE TABLE "operator_key" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "operator_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operator_action" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "data" JSONB NOT NULL DEFAULT '{}',
    "caller" JSONB NOT NULL,

    CONSTRAINT "operator_action_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "operator_action_at_id_idx" ON "operator_action"("at", "id");

-- CreateTable
CREATE TABLE "onboarding_failure" (
    "lead_id" UUID NOT NULL,
    "step" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "error_type" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "round" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "onboarding_failure_pkey" PRIMARY KEY ("lead_id","step")
);

-- CreateIndex
CREATE INDEX "onboarding_failure_step_error_type_organization_id_at_idx" ON "onboarding_failure"("step", "error_type", "organization_id", "at");

-- CreateIndex
CREATE INDEX "onboarding_failure_at_idx" ON "onboarding_failure"("at");

-- CreateTable
CREATE TABLE "bulk_retry" (
    "id" UUID NOT NULL,
    "filter" JSONB NOT NULL,
    "state" "bulk_retry_state" NOT NULL DEFAULT 'RUNNING',
    "reason" TEXT NOT NULL,
    "caller" JSONB NOT NULL,
    "total" INTEGER NOT NULL,
    "per_second" INTEGER NOT NULL,
    "enrichment_delay_ms" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "bulk_retry_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "bulk_retry_updated_at_idx" ON "bulk_retry"("updated_at") WHERE (finished_at IS NULL);

-- CreateTable
CREATE TABLE "bulk_retry_lead" (
    "retry_id" UUID NOT NULL,
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "round" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL DEFAULT 'WAITING',
    "reason" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "bulk_retry_lead_pkey" PRIMARY KEY ("retry_id","lead_id"),
    CONSTRAINT "bulk_retry_lead_outcome" CHECK (
      outcome IN ('WAITING', 'UNDER_WAY', 'COMPLETED', 'PARTIAL', 'FAILED', 'CANCELED', 'SKIPPED'))
);

-- CreateIndex
CREATE INDEX "bulk_retry_lead_retry_id_outcome_lead_id_idx" ON "bulk_retry_lead"("retry_id", "outcome", "lead_id");

-- AddForeignKey
ALTER TABLE "onboarding_failure" ADD CONSTRAINT "onboarding_failure_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "bulk_retry_lead" ADD CONSTRAINT "bulk_retry_lead_retry_id_fkey" FOREIGN KEY ("retry_id") REFERENCES "bulk_retry"("id") ON DELETE CASCADE ON UPDATE CASCADE;

SELECT keep_to_own_organization('onboarding_failure');
SELECT keep_to_own_organization('bulk_retry_lead');

-- The steps that a round has failed at, by its entries on the timeline. An error type is a word of ours, never a message;
-- of an enrichment that gave up on some sources it is the first of those, with its reason.
CREATE FUNCTION failures_of(of_lead uuid, of_round integer) RETURNS TABLE (step text, error_type text, at timestamptz)
  LANGUAGE sql STABLE AS $$
  SELECT f.step,
         coalesce(e.data->>'reason',
                  (SELECT concat_ws(':', report->>'provider', report->>'reason')
                   FROM jsonb_array_elements(e.data->'providers') WITH ORDINALITY AS p (report, place)
                   WHERE report ? 'reason' ORDER BY place LIMIT 1),
                  'Unknown'),
         e.at
  FROM (VALUES ('notification', 'notification.failed', 'notify'), ('delivery', 'notification.failed', 'notify'),
               ('enrichment', 'enrichment.partial', 'enrich'), ('outcome', 'onboarding.failed', 'score'))
       AS f (key, type, step)
  JOIN lead_event e ON e.lead_id = of_lead AND e.step_key = concat(of_round, '/', f.key) AND e.type = f.type
$$;

-- Of onboardings that ended before this was kept.
INSERT INTO onboarding_failure (lead_id, step, organization_id, error_type, state, round, at)
SELECT o.lead_id, coalesce(f.step, 'unknown'), o.organization_id, coalesce(f.error_type, 'Unknown'), o.state, o.round,
       coalesce(f.at, o.changed_at)
FROM onboarding o LEFT JOIN LATERAL failures_of(o.lead_id, o.round) AS f ON true
WHERE o.state IN ('PARTIAL', 'FAILED');

-- At the commit, so that the entry which says why is there, whichever was written first. The steps of an onboarding that
-- goes well pay for a comparison of two states.
CREATE FUNCTION note_failure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM onboarding_failure WHERE lead_id = NEW.lead_id;
  INSERT INTO onboarding_failure (lead_id, step, organization_id, error_type, state, round, at)
  SELECT o.lead_id, coalesce(f.step, 'unknown'), o.organization_id, coalesce(f.error_type, 'Unknown'), o.state, o.round,
         coalesce(f.at, o.changed_at)
  FROM onboarding o LEFT JOIN LATERAL failures_of(o.lead_id, o.round) AS f ON true
  WHERE o.lead_id = NEW.lead_id AND o.state IN ('PARTIAL', 'FAILED');
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER note_failure AFTER UPDATE OF state ON onboarding DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.state IN ('PARTIAL', 'FAILED') OR OLD.state IN ('PARTIAL', 'FAILED'))
  EXECUTE FUNCTION note_failure();
