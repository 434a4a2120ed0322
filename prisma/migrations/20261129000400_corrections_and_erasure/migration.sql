-- For a table of organizations: under the role of the API each sees its own rows.
CREATE OR REPLACE FUNCTION keep_to_own_organization(tenant_table regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
  EXECUTE format($policy$CREATE POLICY own_organization ON %s TO lead_api
                   USING (organization_id = current_setting('app.organization_id', true))$policy$, tenant_table);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO lead_api', tenant_table);
END $$;

-- Corrects a lead of which only anonymous forms have spoken by what a caller with access says of it; once. Whoever changes
-- a lead with access counts its version up, so the first version of a lead that a form has brought is the form's word.
--
-- submission: as of intake_lead
DROP FUNCTION correct_lead(lead, jsonb, timestamptz);
CREATE FUNCTION correct_lead(known lead, submission jsonb, received timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  stated jsonb;
  said lead;
  corrected lead;
  before jsonb;
  after jsonb;
  is_assigned boolean;
  changes jsonb;
BEGIN
  IF NOT submission ? 'stated' OR known.version > 1 OR NOT coalesce(
    (SELECT e.metadata ? 'form' FROM lead_event e WHERE e.lead_id = known.id ORDER BY e.at, e.seq LIMIT 1), false)
  THEN
    RETURN;
  END IF;

  SELECT jsonb_object_agg(field, value) INTO stated
    FROM jsonb_each(submission) AS sent(field, value) WHERE submission -> 'stated' ? field;
  said := jsonb_populate_record(known, stated);
  is_assigned := said.assigned_to IS DISTINCT FROM known.assigned_to;
  UPDATE lead l
    SET name = said.name, email = said.email, phone = said.phone, company = said.company, source = said.source,
        assigned_to = said.assigned_to, locale = said.locale, attributes = said.attributes,
        assignment = l.assignment + (is_assigned AND said.assigned_to IS NOT NULL)::integer,
        version = l.version + 1, active_at = received
    WHERE l.id = known.id AND l.version = 1
    RETURNING * INTO corrected;
  IF NOT FOUND THEN -- somebody else with access came first
    RETURN;
  END IF;

  before := to_jsonb(known);
  after := to_jsonb(said);
  SELECT jsonb_object_agg(field, jsonb_build_object('from', before -> field, 'to', after -> field)) INTO changes
    FROM jsonb_object_keys(stated) AS field
    WHERE field <> 'assigned_to' AND before -> field IS DISTINCT FROM after -> field;
  IF changes IS NOT NULL THEN
    INSERT INTO lead_event (id, lead_id, organization_id, type, at, data, metadata)
      VALUES (gen_random_uuid(), known.id, known.organization_id, 'lead.updated', received,
              jsonb_build_object('changes', changes), submission -> 'metadata');
  END IF;
  IF is_assigned THEN
    INSERT INTO lead_event (id, lead_id, organization_id, type, at, data, metadata)
      VALUES (gen_random_uuid(), known.id, known.organization_id, 'lead.assigned', received,
              jsonb_build_object('from', known.assigned_to, 'to', said.assigned_to), submission -> 'metadata');
  END IF;
  IF corrected.assignment > known.assignment THEN
    INSERT INTO outbox (id, lead_id, organization_id, kind, payload)
      VALUES ((submission ->> 'order_id')::uuid, known.id, known.organization_id, 'NOTIFY_ASSIGNEE',
              jsonb_build_object('assignment', corrected.assignment, 'priority', corrected.priority,
                                 'requestId', submission #> '{metadata,requestId}'));
    INSERT INTO watch (lead_id, run, organization_id)
      VALUES (known.id, 'assignment-' || corrected.assignment, known.organization_id);
  END IF;
END $$;

-- Takes one lead in, in one round trip and one transaction: the lead, its event, the order to onboard it, the watch over
-- that and the idempotency key stand or fall together. Ids come from the caller, the times from this database.
--
-- submission: the lead in the columns' names, and
--   event_id, order_id      UUID v7
--   metadata                who sent it, for the event
--   touch                   what is kept of a submission that turns out to be a duplicate
--   stated                  the columns that the caller itself has named; absent when it is a form
--   order_payload           what the outbox row carries
--   order_delay_ms          how long relays leave the order to the caller, who is about to carry it out
--   idempotency_key, request_hash, idempotency_ttl   (the key may be absent)
--
-- outcome: created | duplicate | key_reused (another body) | gone (erased since), replayed = the key was known.
CREATE OR REPLACE FUNCTION intake_lead(submission jsonb)
  RETURNS TABLE (outcome text, replayed boolean, stored jsonb) LANGUAGE plpgsql AS $$
DECLARE
  org text := submission ->> 'organization_id';
  new_id uuid := (submission ->> 'id')::uuid;
  idem_key text := idempotency_id(submission ->> 'idempotency_key');
  received timestamptz := clock_timestamp();
  known idempotency_key;
  taken lead;
BEGIN
  IF idem_key IS NOT NULL THEN
    -- A twin that is still running holds the row: wait for it a moment, then give up with lock_not_available.
    PERFORM set_config('lock_timeout', '1500ms', true);
    INSERT INTO idempotency_key AS k (organization_id, key, request_hash, lead_id, expires_at)
      VALUES (org, idem_key, submission ->> 'request_hash', new_id,
              received + (submission ->> 'idempotency_ttl')::interval)
      ON CONFLICT (organization_id, key) DO UPDATE
        SET request_hash = EXCLUDED.request_hash, expires_at = EXCLUDED.expires_at, created_at = received,
            lead_id = EXCLUDED.lead_id, response = NULL, duplicate = false
        WHERE k.expires_at <= received;
    IF NOT FOUND THEN
      SELECT * INTO STRICT known FROM idempotency_key k WHERE k.organization_id = org AND k.key = idem_key;
      RETURN QUERY SELECT
        CASE
          WHEN known.response IS NULL THEN 'gone'
          WHEN known.lead_id IS NOT NULL AND NOT EXISTS (SELECT FROM lead l WHERE l.id = known.lead_id) THEN 'gone'
          WHEN known.request_hash <> submission ->> 'request_hash' THEN 'key_reused'
          WHEN known.duplicate THEN 'duplicate'
          ELSE 'created'
        END, true, known.response;
      RETURN;
    END IF;
  END IF;

  LOOP
    INSERT INTO lead (id, organization_id, name, email, email_key, phone, company, status, source, assigned_to,
                      assignment, priority, locale, attributes, created_at, updated_at, active_at)
      VALUES (new_id, org, submission ->> 'name', submission ->> 'email', submission ->> 'email_key',
              submission ->> 'phone', submission ->> 'company', submission ->> 'status', submission ->> 'source',
              submission ->> 'assigned_to', CASE WHEN submission ->> 'assigned_to' IS NULL THEN 0 ELSE 1 END,
              submission ->> 'priority', submission ->> 'locale', submission -> 'attributes',
              received, received, received)
      ON CONFLICT (organization_id, email_key) DO NOTHING
      RETURNING * INTO taken;
    IF FOUND THEN
      outcome := 'created';
      INSERT INTO onboarding (lead_id, organization_id, changed_at) VALUES (taken.id, org, received);
      INSERT INTO lead_event (id, lead_id, organization_id, type, at, data, metadata)
        VALUES ((submission ->> 'event_id')::uuid, taken.id, org, 'lead.created', received,
                jsonb_build_object('leadId', taken.id, 'organizationId', org, 'name', taken.name, 'email', taken.email,
                                   'status', taken.status, 'source', taken.source, 'assignedTo', taken.assigned_to),
                submission -> 'metadata');
      INSERT INTO outbox (id, lead_id, organization_id, kind, payload, available_at, created_at)
        VALUES ((submission ->> 'order_id')::uuid, taken.id, org, 'START_ONBOARDING', submission -> 'order_payload',
                received + (submission ->> 'order_delay_ms')::integer * interval '1 millisecond', received);
      INSERT INTO watch (lead_id, run, organization_id, since, look_after)
        VALUES (taken.id, 'onboarding', org, received, received);
      EXIT;
    END IF;

    -- Held until the touch is committed: an erasure that has begun is waited for, one that begins now waits for it.
    SELECT * INTO taken FROM lead l WHERE l.organization_id = org AND l.email_key = submission ->> 'email_key'
      FOR KEY SHARE;
    IF FOUND THEN
      outcome := 'duplicate';
      INSERT INTO lead_event (id, lead_id, organization_id, type, at, data, metadata)
        VALUES ((submission ->> 'event_id')::uuid, taken.id, org, 'lead.touched', received,
                submission -> 'touch', submission -> 'metadata');
      PERFORM correct_lead(taken, submission, received);
      PERFORM note_activity(taken.id);
      EXIT;
    END IF;
    -- The lead that was in the way has been erased meanwhile: take this one in after all.
  END LOOP;

  SELECT to_jsonb(v) INTO STRICT stored FROM lead_view v WHERE v.id = taken.id;
  IF idem_key IS NOT NULL THEN
    UPDATE idempotency_key k
      SET lead_id = taken.id, response = stored, duplicate = (outcome = 'duplicate')
      WHERE k.organization_id = org AND k.key = idem_key;
  END IF;
  replayed := false;
  RETURN NEXT;
END $$;

-- Deletes at most so many of what is left of an erased lead, from a place on: the rows before it, deleted as well, are
-- not gone through again. They are named by their place in the table: no plan for them depends on its size. Answers the
-- place where it ended, or no row when it found nothing.
CREATE OR REPLACE FUNCTION erase_leftovers(erased uuid, batch integer, after_at timestamptz, after_seq bigint)
  RETURNS TABLE (at timestamptz, seq bigint) LANGUAGE plpgsql AS $$
DECLARE
  answers integer;
BEGIN
  -- The keys stay until they expire: a repetition of their requests must not bring the person back.
  UPDATE idempotency_key SET response = NULL, request_hash = '' WHERE ctid = ANY (ARRAY(
    SELECT k.ctid FROM idempotency_key k WHERE k.lead_id = erased AND k.request_hash <> ''
    LIMIT batch FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS answers = ROW_COUNT;
  RETURN QUERY
    WITH gone AS (
      DELETE FROM lead_event e WHERE e.ctid = ANY (ARRAY(
        SELECT l.ctid FROM lead_event l
        WHERE l.lead_id = erased AND (l.at, l.seq) > (after_at, after_seq) AND l.type <> 'lead.erased'
        ORDER BY l.at, l.seq LIMIT batch FOR UPDATE SKIP LOCKED))
      RETURNING e.at, e.seq)
    SELECT gone.at, gone.seq FROM gone ORDER BY gone.at DESC, gone.seq DESC LIMIT 1;
  IF NOT FOUND AND answers > 0 THEN
    RETURN QUERY SELECT after_at, after_seq;
  END IF;
END $$;

-- Keeps the newest thousand touches of a lead and counts the rest in one entry, so that no form fills a timeline.
CREATE OR REPLACE FUNCTION bound_touches(touched uuid, organization text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  dropped integer;
  last timestamptz;
BEGIN
  WITH gone AS (
    DELETE FROM lead_event e WHERE e.ctid = ANY (ARRAY(
      SELECT l.ctid FROM lead_event l WHERE l.lead_id = touched AND l.type = 'lead.touched'
      ORDER BY l.at DESC, l.seq DESC OFFSET 1000 LIMIT 1000 FOR UPDATE SKIP LOCKED))
    RETURNING e.at)
  SELECT count(*), max(at) INTO dropped, last FROM gone;
  IF dropped > 0 THEN
    INSERT INTO lead_event AS e (id, lead_id, organization_id, type, step_key, data)
      VALUES (gen_random_uuid(), touched, organization, 'lead.touches-dropped', 'touches',
              jsonb_build_object('count', dropped, 'until', last))
      ON CONFLICT (lead_id, step_key) DO UPDATE
        SET data = jsonb_build_object('count', (e.data ->> 'count')::integer + dropped, 'until', last);
  END IF;
END $$;
