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
-- not gone through again. Answers the place where it ended, or no row when it found nothing.
CREATE FUNCTION erase_leftovers(erased uuid, batch integer, after_at timestamptz, after_seq bigint)
  RETURNS TABLE (at timestamptz, seq bigint) LANGUAGE plpgsql AS $$
DECLARE
  answers integer;
BEGIN
  RETURN QUERY
    WITH these AS (
      SELECT e.lead_id, e.at, e.seq FROM lead_event e
      WHERE e.lead_id = erased AND (e.at, e.seq) > (after_at, after_seq) AND e.type <> 'lead.erased'
      ORDER BY e.at, e.seq LIMIT batch FOR UPDATE SKIP LOCKED),
    gone AS (
      DELETE FROM lead_event e USING these
      WHERE e.lead_id = these.lead_id AND e.at = these.at AND e.seq = these.seq RETURNING e.at, e.seq)
    SELECT gone.at, gone.seq FROM gone ORDER BY gone.at DESC, gone.seq DESC LIMIT 1;
  IF FOUND THEN
    RETURN;
  END IF;
  -- The keys stay until they expire: a repetition of their requests must not bring the person back.
  UPDATE idempotency_key SET response = NULL, request_hash = '' WHERE (organization_id, key) IN (
    SELECT k.organization_id, k.key FROM idempotency_key k WHERE k.lead_id = erased AND k.request_hash <> ''
    LIMIT batch FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS answers = ROW_COUNT;
  IF answers > 0 THEN
    RETURN QUERY SELECT after_at, after_seq;
  END IF;
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
    SELECT e.lead_id, e.at, e.seq FROM lead_event e WHERE e.lead_id = touched AND e.type = 'lead.touched'
    ORDER BY e.at DESC, e.seq DESC OFFSET 1000 LIMIT 1000),
  gone AS (
    DELETE FROM lead_event e USING surplus s WHERE (e.lead_id, e.at, e.seq) = (s.lead_id, s.at, s.seq) RETURNING e.at)
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
