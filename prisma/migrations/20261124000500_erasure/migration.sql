-- Retention looks for the leads, of all organizations, that were left alone the longest.
-- CreateIndex
CREATE INDEX "lead_updated_at_id_idx" ON "lead"("updated_at", "id");

-- What is kept of an Idempotency-Key, which callers make as they like: also of an e-mail.
CREATE FUNCTION idempotency_id(key text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(convert_to(key, 'UTF8')), 'hex')
$$;
UPDATE idempotency_key SET key = idempotency_id(key);

-- Takes one lead in, in one round trip and one transaction: the lead, its event, the order to onboard it and the
-- idempotency key stand or fall together. Ids come from the caller, the times from this database.
--
-- submission: the lead in the columns' names, and
--   event_id, order_id      UUID v7
--   metadata                who sent it, for the event
--   touch                   what is kept of a submission that turns out to be a duplicate
--   order_payload           what the outbox row carries
--   order_delay_ms          how long relays leave the order to the caller, who is about to carry it out
--   idempotency_key, request_hash, idempotency_ttl   (the key may be absent)
--
-- outcome: created | duplicate | key_reused (another body) | gone (erased since), replayed = the key was known.
CREATE OR REPLACE FUNCTION intake_lead(submission jsonb)
  RETURNS TABLE (outcome text, replayed boolean, stored jsonb) LANGUAGE plpgsql AS $$
DECLARE
  org text := submission ->> 'organization_id';
  idem_key text := idempotency_id(submission ->> 'idempotency_key');
  received timestamptz := clock_timestamp();
  known idempotency_key;
  taken lead;
BEGIN
  IF idem_key IS NOT NULL THEN
    -- A twin that is still running holds the row: wait for it a moment, then give up with lock_not_available.
    PERFORM set_config('lock_timeout', '1500ms', true);
    INSERT INTO idempotency_key AS k (organization_id, key, request_hash, expires_at)
      VALUES (org, idem_key, submission ->> 'request_hash', received + (submission ->> 'idempotency_ttl')::interval)
      ON CONFLICT (organization_id, key) DO UPDATE
        SET request_hash = EXCLUDED.request_hash, expires_at = EXCLUDED.expires_at, created_at = received,
            lead_id = NULL, response = NULL, duplicate = false
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
                      assignment, priority, locale, attributes, created_at, updated_at)
      VALUES ((submission ->> 'id')::uuid, org, submission ->> 'name', submission ->> 'email',
              submission ->> 'email_key', submission ->> 'phone', submission ->> 'company',
              (submission ->> 'status')::lead_status, (submission ->> 'source')::lead_source,
              submission ->> 'assigned_to', CASE WHEN submission ->> 'assigned_to' IS NULL THEN 0 ELSE 1 END,
              (submission ->> 'priority')::lead_priority, submission ->> 'locale', submission -> 'attributes',
              received, received)
      ON CONFLICT (organization_id, email_key) DO NOTHING
      RETURNING * INTO taken;
    IF FOUND THEN
      outcome := 'created';
      INSERT INTO lead_event (id, lead_id, organization_id, type, at, data, metadata)
        VALUES ((submission ->> 'event_id')::uuid, taken.id, org, 'lead.created', received,
                jsonb_build_object('leadId', taken.id, 'organizationId', org, 'name', taken.name, 'email', taken.email,
                                   'status', taken.status, 'source', taken.source, 'assignedTo', taken.assigned_to),
                submission -> 'metadata');
      INSERT INTO outbox (id, lead_id, organization_id, kind, payload, available_at, created_at)
        VALUES ((submission ->> 'order_id')::uuid, taken.id, org, 'START_ONBOARDING', submission -> 'order_payload',
                received + (submission ->> 'order_delay_ms')::integer * interval '1 millisecond', received);
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
      EXIT;
    END IF;
    -- The lead that was in the way has been erased meanwhile: take this one in after all.
  END LOOP;

  IF idem_key IS NOT NULL THEN
    UPDATE idempotency_key k
      SET lead_id = taken.id, response = to_jsonb(taken), duplicate = (outcome = 'duplicate')
      WHERE k.organization_id = org AND k.key = idem_key;
  END IF;
  replayed := false;
  stored := to_jsonb(taken);
  RETURN NEXT;
END $$;
