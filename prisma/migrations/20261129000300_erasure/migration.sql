-- Leads that are erased, but for entries of their timelines and kept answers that were too many for one transaction:
-- nobody can read these any more, and relays delete them in batches.
CREATE TABLE "erasure" (
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "erasure_pkey" PRIMARY KEY ("lead_id")
);

-- CreateIndex
CREATE INDEX "erasure_since_idx" ON "erasure"("since");

ALTER TABLE erasure ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON erasure TO lead_api
  USING (organization_id = current_setting('app.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON erasure TO lead_api;

-- Deletes at most so many of what is left of an erased lead, from a place on: the rows before it, deleted as well, are
-- not gone through again. Answers the place where it ended, or null when it found nothing.
CREATE FUNCTION erase_leftovers(erased uuid, batch integer, after bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  last bigint;
  answers integer;
BEGIN
  WITH these AS (
    SELECT e.lead_id, e.seq FROM lead_event e
    WHERE e.lead_id = erased AND e.seq > after AND e.type <> 'lead.erased'
    ORDER BY e.seq LIMIT batch FOR UPDATE SKIP LOCKED),
  gone AS (
    DELETE FROM lead_event e USING these WHERE (e.lead_id, e.seq) = (these.lead_id, these.seq) RETURNING e.seq)
  SELECT max(seq) INTO last FROM gone;
  -- The keys stay until they expire: a repetition of their requests must not bring the person back.
  UPDATE idempotency_key SET response = NULL, request_hash = '' WHERE (organization_id, key) IN (
    SELECT k.organization_id, k.key FROM idempotency_key k WHERE k.lead_id = erased AND k.request_hash <> ''
    LIMIT batch FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS answers = ROW_COUNT;
  RETURN CASE WHEN last IS NOT NULL THEN last WHEN answers > 0 THEN after END;
END $$;

CREATE FUNCTION has_leftovers(erased uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM lead_event WHERE lead_id = erased AND type <> 'lead.erased')
      OR EXISTS (SELECT FROM idempotency_key WHERE lead_id = erased AND request_hash <> '')
$$;

-- Keeps the newest thousand touches of a lead and counts the rest in one entry, so that no form fills a timeline.
CREATE FUNCTION bound_touches(touched uuid, organization text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  dropped integer;
  last timestamptz;
BEGIN
  WITH surplus AS (
    SELECT e.lead_id, e.seq FROM lead_event e WHERE e.lead_id = touched AND e.type = 'lead.touched'
    ORDER BY e.seq DESC OFFSET 1000 LIMIT 1000),
  gone AS (
    DELETE FROM lead_event e USING surplus s WHERE (e.lead_id, e.seq) = (s.lead_id, s.seq) RETURNING e.at)
  SELECT count(*), max(at) INTO dropped, last FROM gone;
  IF dropped > 0 THEN
    INSERT INTO lead_event AS e (id, lead_id, organization_id, type, step_key, data)
      VALUES (gen_random_uuid(), touched, organization, 'lead.touches-dropped', 'touches',
              jsonb_build_object('count', dropped, 'until', last))
      ON CONFLICT (lead_id, step_key) DO UPDATE
        SET data = jsonb_build_object('count', (e.data ->> 'count')::integer + dropped, 'until', last);
  END IF;
END $$;

-- Every sixty-fourth touch looks whether there are too many.
CREATE FUNCTION bound_touches_now_and_then() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bound_touches(NEW.lead_id, NEW.organization_id);
  RETURN NULL;
END $$;
CREATE TRIGGER bound_touches AFTER INSERT ON lead_event
  FOR EACH ROW WHEN (NEW.type = 'lead.touched' AND NEW.seq % 64 = 0) EXECUTE FUNCTION bound_touches_now_and_then();
