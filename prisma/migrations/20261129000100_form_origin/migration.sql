-- Corrects a lead of which only anonymous forms have spoken by what a caller with access says of it; once. Whoever changes
-- a lead with access counts its version up, so the first version of a lead that a form has brought is the form's word.
-- The lead is answered as it is then.
--
-- submission: correction        what the caller states, in the columns' names; absent when it is a form itself
--             update_event_id, assign_event_id, order_id, metadata
CREATE FUNCTION correct_lead(known lead, submission jsonb, received timestamptz) RETURNS lead LANGUAGE plpgsql AS $$
DECLARE
  stated jsonb := submission -> 'correction';
  said lead := jsonb_populate_record(known, stated);
  corrected lead;
  before jsonb := to_jsonb(known);
  after jsonb := to_jsonb(said);
  is_assigned boolean := said.assigned_to IS DISTINCT FROM known.assigned_to;
  changes jsonb;
BEGIN
  IF stated IS NULL OR known.version > 1 OR NOT coalesce(
    (SELECT e.metadata ? 'form' FROM lead_event e WHERE e.lead_id = known.id ORDER BY e.seq LIMIT 1), false)
  THEN
    RETURN known;
  END IF;

  UPDATE lead l
    SET name = said.name, email = said.email, phone = said.phone, company = said.company, source = said.source,
        assigned_to = said.assigned_to, locale = said.locale, attributes = said.attributes, version = l.version + 1, active_at = received,
        assignment = l.assignment + (is_assigned AND said.assigned_to IS NOT NULL)::integer
    WHERE l.id = known.id AND l.version = 1
    RETURNING * INTO corrected;
  IF NOT FOUND THEN -- somebody else with access came first
    SELECT * INTO STRICT corrected FROM lead l WHERE l.id = known.id;
    RETURN corrected;
  END IF;

  SELECT jsonb_object_agg(field, jsonb_build_object('from', before -> field, 'to', after -> field)) INTO changes
    FROM jsonb_object_keys(stated) AS field
    WHERE field <> 'assigned_to' AND before -> field IS DISTINCT FROM after -> field;
  IF changes IS NOT NULL THEN
    INSERT INTO lead_event (id, lead_id, organization_id, type, at, data, metadata)
      VALUES ((submission ->> 'update_event_id')::uuid, known.id, known.organization_id, 'lead.updated', received,
              jsonb_build_object('changes', changes), submission -> 'metadata');
  END IF;
  IF is_assigned THEN
    INSERT INTO lead_event (id, lead_id, organization_id, type, at, data, metadata)
      VALUES ((submission ->> 'assign_event_id')::uuid, known.id, known.organization_id, 'lead.assigned', received,
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
  RETURN corrected;
END $$;

-- Takes one lead in, in one round trip and one transaction: the lead, its event, the order to onboard it, the watch over
-- that and the idempotency key stand or fall together. Ids come from the caller, the times from this database.
--
-- submission: the lead in the columns' names, and
--   event_id, order_id      UUID v7
--   metadata                who sent it, for the event
--   touch                   what is kept of a submission that turns out to be a duplicate
--   correction, …_event_id  for correct_lead
--   order_payload           what the outbox row carries
--   order_delay_ms          how long relays leave the order to the caller, who is about to carry it out
--   idempotency_key, request_hash, idempotency_ttl   (the key may be absent)
--
-- outcome: created | duplicate | key_reused (another body) | gone (erased since), replayed = the key was known.
CREATE FUNCTION intake_lead(submission jsonb)
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
