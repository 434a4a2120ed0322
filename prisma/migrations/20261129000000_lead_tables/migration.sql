-- What callers say of a lead, what its onboarding writes and what an index orders by part: a step no longer writes ten
-- indexes of a row that a caller wrote once. Stop API, relays and workers first: the code before this one cannot go on.
SET lock_timeout = '10s';

DROP TRIGGER lead_touch_updated_at ON lead;
DROP FUNCTION intake_lead(text, jsonb);
DROP FUNCTION intake_lead(jsonb);
DROP FUNCTION touch_updated_at();

-- Where the round of a lead's onboarding stands. No index but the key: a change stays on its page (HOT).
CREATE TABLE "onboarding" (
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'PENDING',
    "round" INTEGER NOT NULL DEFAULT 1,
    "accepted_commands" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "onboarding_pkey" PRIMARY KEY ("lead_id")
) WITH (fillfactor = 50);

-- What is known of a lead from elsewhere, or from people who know it.
CREATE TABLE "lead_enrichment" (
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "document" JSONB NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "lead_enrichment_pkey" PRIMARY KEY ("lead_id")
);

-- The score in force.
CREATE TABLE "lead_score" (
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "score" SMALLINT NOT NULL,
    "band" TEXT NOT NULL,
    "breakdown" JSONB NOT NULL,
    "lead_created_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "lead_score_pkey" PRIMARY KEY ("lead_id")
) WITH (fillfactor = 90);

-- What must come to an end, until it has: an onboarding, the telling of an assignee, an enrichment.
CREATE TABLE "watch" (
    "lead_id" UUID NOT NULL,
    "run" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "look_after" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "watch_pkey" PRIMARY KEY ("lead_id","run")
);

INSERT INTO onboarding (lead_id, organization_id, state, round, accepted_commands, changed_at)
SELECT id, organization_id, onboarding_state::text, onboarding_round, accepted_commands::text[], updated_at FROM lead;
INSERT INTO lead_enrichment (lead_id, organization_id, document, changed_at)
SELECT id, organization_id, enrichment, updated_at FROM lead WHERE enrichment IS NOT NULL;
INSERT INTO lead_score (lead_id, organization_id, score, band, breakdown, lead_created_at, changed_at)
SELECT id, organization_id, score, score_band::text, coalesce(score_breakdown, '[]'), created_at, updated_at
FROM lead WHERE score IS NOT NULL AND score_band IS NOT NULL;
INSERT INTO watch (lead_id, run, organization_id, since, look_after)
SELECT id, 'onboarding', organization_id, updated_at, reconcile_after FROM lead
WHERE onboarding_state IN ('PENDING', 'RUNNING');
INSERT INTO watch (lead_id, run, organization_id)
SELECT id, 'assignment-' || assignment, organization_id FROM lead
WHERE assigned_to IS NOT NULL
  AND id IN (SELECT lead_id FROM lead_event WHERE type = 'lead.assigned' AND at > now() - interval '1 day')
  AND NOT EXISTS (SELECT FROM notification n WHERE n.lead_id = lead.id AND n.assignment = lead.assignment);

ALTER TABLE "lead" DROP CONSTRAINT "lead_score_is_its_lines";
DROP INDEX "lead_organization_id_score_band_created_at_id_idx", "lead_reconcile_after_idx", "lead_updated_at_id_idx";
-- Filters on text can use an index under row-level security, those on an enum cannot: its comparison may leak.
ALTER TABLE "lead"
  DROP COLUMN "score", DROP COLUMN "score_band", DROP COLUMN "score_breakdown", DROP COLUMN "enrichment",
  DROP COLUMN "onboarding_state", DROP COLUMN "onboarding_round", DROP COLUMN "accepted_commands",
  DROP COLUMN "reconcile_after",
  ADD COLUMN "active_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  ALTER COLUMN "status" DROP DEFAULT, ALTER COLUMN "status" TYPE TEXT USING status::text,
  ALTER COLUMN "status" SET DEFAULT 'NEW',
  ALTER COLUMN "source" DROP DEFAULT, ALTER COLUMN "source" TYPE TEXT USING source::text,
  ALTER COLUMN "source" SET DEFAULT 'WEBSITE',
  ALTER COLUMN "priority" DROP DEFAULT, ALTER COLUMN "priority" TYPE TEXT USING priority::text,
  ALTER COLUMN "priority" SET DEFAULT 'NORMAL';
ALTER TABLE "score" ALTER COLUMN "band" TYPE TEXT USING band::text;
DROP TYPE "lead_status";
DROP TYPE "lead_source";
DROP TYPE "lead_priority";
DROP TYPE "score_band";
DROP TYPE "onboarding_state";
DROP TYPE "onboarding_signal";

-- The last that a caller or the person did: a change, or a touch.
UPDATE lead SET active_at = coalesce(
  (SELECT max(at) FROM lead_event e WHERE e.lead_id = lead.id AND e.step_key IS NULL), lead.created_at);

ALTER TABLE "lead"
  ADD CONSTRAINT "lead_status" CHECK (status IN ('NEW', 'CONTACTED', 'QUALIFIED', 'UNQUALIFIED', 'CONVERTED', 'LOST')),
  ADD CONSTRAINT "lead_source" CHECK (
    source IN ('WEBSITE', 'FORM', 'ADS', 'EVENT', 'REFERRAL', 'PARTNER', 'CRM', 'IMPORT', 'OTHER')),
  ADD CONSTRAINT "lead_priority" CHECK (priority IN ('CRITICAL', 'HIGH', 'NORMAL', 'LOW'));
ALTER TABLE "score" ADD CONSTRAINT "score_band" CHECK (band IN ('HOT', 'WARM', 'COLD'));
ALTER TABLE "onboarding"
  ADD CONSTRAINT "onboarding_state" CHECK (
    state IN ('PENDING', 'RUNNING', 'COMPLETED', 'PARTIAL', 'FAILED', 'CANCELED')),
  ADD CONSTRAINT "onboarding_commands" CHECK (accepted_commands <@ ARRAY['enrichNow', 'skipEnrichment', 'cancel']);
ALTER TABLE "lead_score"
  ADD CONSTRAINT "lead_score_band" CHECK (band IN ('HOT', 'WARM', 'COLD')),
  ADD CONSTRAINT "lead_score_is_its_lines" CHECK (score = score_of(breakdown)) NOT VALID;

-- CreateIndex
CREATE INDEX "lead_active_at_id_idx" ON "lead"("active_at", "id");

-- CreateIndex
CREATE INDEX "lead_score_organization_id_band_lead_created_at_lead_id_idx" ON "lead_score"("organization_id", "band", "lead_created_at" DESC, "lead_id" DESC);

-- CreateIndex
CREATE INDEX "watch_look_after_idx" ON "watch"("look_after");

-- AddForeignKey
ALTER TABLE "onboarding" ADD CONSTRAINT "onboarding_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "lead_enrichment" ADD CONSTRAINT "lead_enrichment_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "lead_score" ADD CONSTRAINT "lead_score_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "watch" ADD CONSTRAINT "watch_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A timeline is read by its lead, in its order; nothing is looked up by an entry's id.
ALTER TABLE "lead_event" DROP CONSTRAINT "lead_event_pkey";
DROP INDEX "lead_event_seq_key", "lead_event_lead_id_at_seq_idx", "lead_event_at_idx";
ALTER TABLE "lead_event" ADD CONSTRAINT "lead_event_pkey" PRIMARY KEY ("lead_id","at","seq");

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER lead_touch_updated_at BEFORE UPDATE ON lead
  FOR EACH ROW WHEN (NEW.active_at = OLD.active_at OR NEW.version <> OLD.version) EXECUTE FUNCTION touch_updated_at();

CREATE FUNCTION touch_changed_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_at := clock_timestamp();
  RETURN NEW;
END $$;

DO $$
DECLARE
  part text;
BEGIN
  FOREACH part IN ARRAY ARRAY['onboarding', 'lead_enrichment', 'lead_score', 'watch'] LOOP
    IF part <> 'watch' THEN
      EXECUTE format('CREATE TRIGGER touch_changed_at BEFORE UPDATE ON %I
                      FOR EACH ROW EXECUTE FUNCTION touch_changed_at()', part);
    END IF;
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format($policy$CREATE POLICY own_organization ON %I TO lead_api
                     USING (organization_id = current_setting('app.organization_id', true))$policy$, part);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO lead_api', part);
  END LOOP;
END $$;

-- A lead as people see it.
CREATE VIEW lead_view WITH (security_invoker = true) AS
SELECT l.id, l.organization_id, l.name, l.email, l.email_key, l.phone, l.company, l.status, l.source, l.assigned_to,
       l.assignment, l.priority, l.locale, l.attributes,
       s.score, s.band AS score_band, s.breakdown AS score_breakdown, e.document AS enrichment,
       o.state AS onboarding_state, o.round AS onboarding_round, o.accepted_commands,
       l.version, l.created_at, greatest(l.updated_at, o.changed_at, e.changed_at, s.changed_at) AS updated_at
FROM lead l
JOIN onboarding o ON o.lead_id = l.id
LEFT JOIN lead_enrichment e ON e.lead_id = l.id
LEFT JOIN lead_score s ON s.lead_id = l.id;
GRANT SELECT ON lead_view TO lead_api;

-- Notes that a caller or the person did something, to the hour: retention counts from there.
CREATE FUNCTION note_activity(lead_id uuid) RETURNS void LANGUAGE sql AS $$
  UPDATE lead SET active_at = clock_timestamp()
  WHERE id = lead_id AND active_at < clock_timestamp() - interval '1 hour'
$$;

-- Takes a lead in for an organization, and sees its rows only. Still one statement: it names the organization itself.
CREATE FUNCTION intake_lead(organization text, submission jsonb)
  RETURNS TABLE (outcome text, replayed boolean, stored jsonb) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.organization_id', organization, true);
  RETURN QUERY SELECT i.outcome, i.replayed, i.stored FROM intake_lead(submission) AS i;
END $$;

-- A page of the leads of an organization, the newest first, that have one of the patterns (of ILIKE) in name, e-mail,
-- company or phone, and pass the filter: {status, source, assigned_to, score_band, before_at, before_id}, all optional.
-- It works as its owner, whom row-level security does not keep from the trigrams, and sees the one organization only:
-- that which the transaction names, where it names one.
CREATE FUNCTION search_leads(organization text, patterns text[], filter jsonb, page_size integer)
  RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  condition text := '';
BEGIN
  IF coalesce(nullif(current_setting('app.organization_id', true), ''), organization) <> organization THEN
    RETURN;
  END IF;
  IF filter ? 'status' THEN condition := condition || ' AND l.status = $3 ->> ''status'''; END IF;
  IF filter ? 'source' THEN condition := condition || ' AND l.source = $3 ->> ''source'''; END IF;
  IF filter ? 'assigned_to' THEN condition := condition || ' AND l.assigned_to = $3 ->> ''assigned_to'''; END IF;
  IF filter ? 'score_band' THEN
    condition := condition || ' AND EXISTS (SELECT FROM lead_score s WHERE s.lead_id = l.id AND s.band = $3 ->> ''score_band'')';
  END IF;
  IF filter ? 'before_at' THEN
    condition := condition || ' AND (l.created_at, l.id) < (($3 ->> ''before_at'')::timestamptz, ($3 ->> ''before_id'')::uuid)';
  END IF;
  RETURN QUERY EXECUTE
    'SELECT l.id FROM lead l WHERE l.organization_id = $1
       AND (l.name ILIKE ANY ($2) OR l.email ILIKE ANY ($2) OR l.company ILIKE ANY ($2) OR l.phone ILIKE ANY ($2))'
    || condition || ' ORDER BY l.created_at DESC, l.id DESC LIMIT $4'
    USING organization, patterns, filter, page_size;
END $$;
REVOKE EXECUTE ON FUNCTION search_leads FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_leads TO lead_api;
