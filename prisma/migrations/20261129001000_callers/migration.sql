-- What lists go by that changes while a lead is onboarded: its last change, whoever made it, and the state of its
-- onboarding. In a narrow table of its own, so that a step writes two small indexes, and none of the lead's.
-- The table is filled before writers are kept waiting, which is only while it catches up with what they wrote meanwhile.
SET lock_timeout = '5s';

CREATE TABLE "lead_listing" (
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "lead_created_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,
    "onboarding_state" TEXT NOT NULL DEFAULT 'PENDING',

    CONSTRAINT "lead_listing_pkey" PRIMARY KEY ("lead_id")
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
SELECT keep_to_own_organization('lead_listing');

INSERT INTO lead_listing (lead_id, organization_id, lead_created_at, changed_at, onboarding_state)
SELECT id, organization_id, created_at, updated_at, onboarding_state FROM lead_view;

-- CreateIndex
CREATE INDEX "lead_listing_organization_id_changed_at_lead_id_idx" ON "lead_listing"("organization_id", "changed_at", "lead_id");

-- CreateIndex
CREATE INDEX "lead_listing_organization_id_onboarding_state_lead_created__idx" ON "lead_listing"("organization_id", "onboarding_state", "lead_created_at" DESC, "lead_id" DESC);

-- The time of a change of a lead. Until its transaction ends others see, by a lock that hinders nobody, the second in
-- which it changes something: what it will have stored is not earlier than that.
CREATE FUNCTION lead_change_time() RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(
    20261129, floor(extract(epoch FROM clock_timestamp() - timestamptz '2026-01-01Z'))::integer);
  RETURN clock_timestamp();
END $$;

-- All changes of leads before this time are stored, so that who reads them in their order misses none that is committed
-- later. Ask in a statement of its own, before that which reads.
CREATE FUNCTION lead_changes_settled_until() RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
  asked_at timestamptz := date_trunc('milliseconds', clock_timestamp());
  pending bigint;
BEGIN
  SELECT min(objid::bigint) INTO pending FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 20261129 AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
  RETURN least(asked_at, timestamptz '2026-01-01Z' + pending * interval '1 second');
END $$;

CREATE FUNCTION list_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO lead_listing (lead_id, organization_id, lead_created_at, changed_at)
    VALUES (NEW.id, NEW.organization_id, NEW.created_at, NEW.updated_at);
  RETURN NULL;
END $$;

-- Several changes of a transaction are one.
CREATE FUNCTION list_lead_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed_lead uuid := CASE TG_TABLE_NAME WHEN 'lead' THEN to_jsonb(NEW)->>'id' ELSE to_jsonb(NEW)->>'lead_id' END;
BEGIN
  UPDATE lead_listing SET changed_at = lead_change_time()
    WHERE lead_id = changed_lead AND xmin <> pg_current_xact_id()::xid;
  RETURN NULL;
END $$;

CREATE FUNCTION list_onboarding_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lead_listing SET changed_at = lead_change_time(), onboarding_state = NEW.state
    WHERE lead_id = NEW.lead_id AND (xmin <> pg_current_xact_id()::xid OR onboarding_state <> NEW.state);
  RETURN NULL;
END $$;

CREATE TRIGGER list_lead AFTER INSERT ON lead FOR EACH ROW EXECUTE FUNCTION list_lead();
CREATE TRIGGER list_lead_change AFTER UPDATE ON lead
  FOR EACH ROW WHEN (NEW.updated_at <> OLD.updated_at) EXECUTE FUNCTION list_lead_change();
CREATE TRIGGER list_lead_change AFTER INSERT OR UPDATE ON lead_enrichment
  FOR EACH ROW EXECUTE FUNCTION list_lead_change();
CREATE TRIGGER list_lead_change AFTER INSERT OR UPDATE ON lead_score
  FOR EACH ROW EXECUTE FUNCTION list_lead_change();
CREATE TRIGGER list_onboarding_state AFTER UPDATE ON onboarding
  FOR EACH ROW EXECUTE FUNCTION list_onboarding_state();
-- Intake inserts the state that a listing begins with.
CREATE TRIGGER list_first_onboarding_state AFTER INSERT ON onboarding
  FOR EACH ROW WHEN (NEW.state <> 'PENDING') EXECUTE FUNCTION list_onboarding_state();

INSERT INTO lead_listing AS c (lead_id, organization_id, lead_created_at, changed_at, onboarding_state)
SELECT v.id, v.organization_id, v.created_at, v.updated_at, v.onboarding_state
FROM lead_view v LEFT JOIN lead_listing known ON known.lead_id = v.id
WHERE (known.changed_at, known.onboarding_state) IS DISTINCT FROM (v.updated_at, v.onboarding_state)
ON CONFLICT (lead_id) DO UPDATE SET changed_at = EXCLUDED.changed_at, onboarding_state = EXCLUDED.onboarding_state;
DELETE FROM lead_listing c WHERE NOT EXISTS (SELECT FROM lead l WHERE l.id = c.lead_id);

-- AddForeignKey
ALTER TABLE "lead_listing" ADD CONSTRAINT "lead_listing_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE OR REPLACE VIEW lead_view WITH (security_invoker = true) AS
SELECT l.id, l.organization_id, l.name, l.email, l.email_key, l.phone, l.company, l.status, l.source, l.assigned_to,
       l.assignment, l.priority, l.locale, l.attributes,
       s.score, s.band AS score_band, s.breakdown AS score_breakdown, e.document AS enrichment,
       o.state AS onboarding_state, o.round AS onboarding_round, o.accepted_commands,
       l.version, l.created_at, c.changed_at AS updated_at
FROM lead l
JOIN onboarding o ON o.lead_id = l.id
JOIN lead_listing c ON c.lead_id = l.id
LEFT JOIN lead_enrichment e ON e.lead_id = l.id
LEFT JOIN lead_score s ON s.lead_id = l.id;

-- As before, and filters by the state of the onboarding as well: {onboarding_state}.
CREATE OR REPLACE FUNCTION search_leads(organization text, patterns text[], filter jsonb, page_size integer)
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
  IF filter ? 'onboarding_state' THEN
    condition := condition || ' AND EXISTS (SELECT FROM onboarding o WHERE o.lead_id = l.id AND o.state = $3 ->> ''onboarding_state'')';
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

-- Corrects a lead by what a caller with access says of it: once, where only anonymous forms have spoken of it so far, or
-- whenever the caller asks for it, `on_duplicate` = update. Whoever changes a lead with access counts its version up, so
-- the first version of a lead that a form has brought is the form's word.
--
-- submission: as of intake_lead
CREATE OR REPLACE FUNCTION correct_lead(known lead, submission jsonb, received timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  is_asked_for boolean := coalesce(submission ->> 'on_duplicate' = 'update', false);
  is_form_word boolean;
  stated jsonb;
  said lead;
  corrected lead;
  before jsonb;
  after jsonb;
  is_assigned boolean;
  changes jsonb;
BEGIN
  IF NOT submission ? 'stated' THEN
    RETURN;
  END IF;
  IF is_asked_for THEN -- not more than that: a twin that holds the lead against erasure is not waited for
    SELECT * INTO known FROM lead l WHERE l.id = known.id FOR NO KEY UPDATE;
  END IF;
  is_form_word := known.version = 1 AND coalesce(
    (SELECT e.metadata ? 'form' FROM lead_event e WHERE e.lead_id = known.id ORDER BY e.at, e.seq LIMIT 1), false);
  IF NOT is_asked_for AND NOT is_form_word THEN
    RETURN;
  END IF;

  SELECT jsonb_object_agg(field, value) INTO stated
    FROM jsonb_each(submission) AS sent(field, value)
    WHERE submission -> 'stated' ? field AND (is_asked_for OR field NOT IN ('status', 'priority'));
  said := jsonb_populate_record(known, stated);
  is_assigned := said.assigned_to IS DISTINCT FROM known.assigned_to;
  before := to_jsonb(known);
  after := to_jsonb(said);
  SELECT jsonb_object_agg(field, jsonb_build_object('from', before -> field, 'to', after -> field)) INTO changes
    FROM jsonb_object_keys(stated) AS field
    WHERE field <> 'assigned_to' AND before -> field IS DISTINCT FROM after -> field;
  IF NOT is_form_word AND NOT is_assigned AND changes IS NULL THEN
    RETURN;
  END IF;

  UPDATE lead l
    SET name = said.name, email = said.email, phone = said.phone, company = said.company, status = said.status,
        source = said.source, assigned_to = said.assigned_to, priority = said.priority, locale = said.locale,
        attributes = said.attributes,
        assignment = l.assignment + (is_assigned AND said.assigned_to IS NOT NULL)::integer,
        version = l.version + 1, active_at = received
    WHERE l.id = known.id AND l.version = known.version
    RETURNING * INTO corrected;
  IF NOT FOUND THEN -- somebody else with access came first
    RETURN;
  END IF;

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
  IF corrected.priority <> known.priority THEN -- a run that is under way learns of it
    INSERT INTO outbox (id, lead_id, organization_id, kind, payload)
    SELECT new_id(), known.id, known.organization_id, 'SIGNAL_ONBOARDING',
           jsonb_build_object('signal', 'changePriority', 'priority', corrected.priority, 'version', corrected.version,
                              'round', o.round, 'requestId', submission #> '{metadata,requestId}')
    FROM onboarding o WHERE o.lead_id = known.id AND o.state IN ('PENDING', 'RUNNING');
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
--   on_duplicate            update: a lead that is there is changed by what is stated; else it is kept (may be absent)
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
  received timestamptz := lead_change_time();
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

-- [{id, outcome}] → [{outcome, stored}] with the leads as they are; gone, and none, where one was erased.
CREATE FUNCTION read_outcomes(outcomes jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('outcome', CASE WHEN v.id IS NULL THEN 'gone' ELSE o.value ->> 'outcome' END,
                                               'stored', to_jsonb(v)) ORDER BY o.place), '[]')
  FROM jsonb_array_elements(outcomes) WITH ORDINALITY AS o(value, place)
  LEFT JOIN lead_view v ON v.id = (o.value ->> 'id')::uuid
$$;

-- Takes leads of one organization in, in one round trip and one transaction: all that is new, and what is touched, with
-- the idempotency key, or nothing. New leads are written together, in the order of their e-mails, so that two batches
-- never wait for each other in a circle; of two with one e-mail the first is new. The others go through intake_lead.
--
-- batch:
--   items    submissions as of intake_lead, without what all have in common, each with its place
--   shared   what they have in common: organization_id, metadata, order_delay_ms
--   idempotency_key, request_hash, idempotency_ttl   (the key may be absent)
--
-- Answers {status: done | replayed, results: [{outcome, stored}]} in the order of the items, outcome as of intake_lead;
-- or {status: key_reused}. A key keeps ids only, and a repetition is answered with the leads as they are then.
CREATE FUNCTION intake_leads(organization text, batch jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  idem_key text := idempotency_id(batch ->> 'idempotency_key');
  received timestamptz;
  known idempotency_key;
  created uuid[];
  other record;
  outcomes jsonb;
BEGIN
  PERFORM set_config('app.organization_id', organization, true);
  received := lead_change_time();
  IF idem_key IS NOT NULL THEN
    PERFORM set_config('lock_timeout', '1500ms', true);
    INSERT INTO idempotency_key AS k (organization_id, key, request_hash, expires_at)
      VALUES (organization, idem_key, batch ->> 'request_hash', received + (batch ->> 'idempotency_ttl')::interval)
      ON CONFLICT (organization_id, key) DO UPDATE
        SET request_hash = EXCLUDED.request_hash, expires_at = EXCLUDED.expires_at, created_at = received,
            lead_id = NULL, response = NULL, duplicate = false
        WHERE k.expires_at <= received;
    IF NOT FOUND THEN
      SELECT * INTO STRICT known FROM idempotency_key k WHERE k.organization_id = organization AND k.key = idem_key;
      IF known.request_hash <> batch ->> 'request_hash' THEN
        RETURN '{"status": "key_reused"}';
      END IF;
      RETURN jsonb_build_object('status', 'replayed', 'results', read_outcomes(known.response));
    END IF;
  END IF;

  WITH sent AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(batch -> 'items') AS s(
      place integer, id uuid, event_id uuid, order_id uuid, name text, email text, email_key text, phone text, company text,
      status text, source text, assigned_to text, priority text, locale text, attributes jsonb, order_payload jsonb)
  ), taken AS (
    INSERT INTO lead (id, organization_id, name, email, email_key, phone, company, status, source, assigned_to,
                      assignment, priority, locale, attributes, created_at, updated_at, active_at)
    SELECT id, organization, name, email, email_key, phone, company, status, source, assigned_to,
           (assigned_to IS NOT NULL)::integer, priority, locale, attributes, received, received, received
    FROM sent ORDER BY email_key, place
    ON CONFLICT (organization_id, email_key) DO NOTHING
    RETURNING id
  ), new AS MATERIALIZED (
    SELECT sent.* FROM sent JOIN taken USING (id)
  ), begun AS (
    INSERT INTO onboarding (lead_id, organization_id, changed_at) SELECT id, organization, received FROM new
  ), told AS (
    INSERT INTO lead_event (id, lead_id, organization_id, type, at, data, metadata)
    SELECT event_id, id, organization, 'lead.created', received,
           jsonb_build_object('leadId', id, 'organizationId', organization, 'name', name, 'email', email,
                              'status', status, 'source', source, 'assignedTo', assigned_to),
           batch -> 'shared' -> 'metadata' FROM new
  ), ordered AS (
    INSERT INTO outbox (id, lead_id, organization_id, kind, payload, available_at, created_at)
    SELECT order_id, id, organization, 'START_ONBOARDING', order_payload, received, received FROM new
  ), watched AS (
    INSERT INTO watch (lead_id, run, organization_id, since, look_after)
    SELECT id, 'onboarding', organization, received, received FROM new
  )
  SELECT coalesce(array_agg(id), '{}'), coalesce(jsonb_object_agg(place, jsonb_build_object('id', id, 'outcome', 'created')), '{}')
    INTO created, outcomes FROM new;

  FOR other IN
    SELECT value AS item, (value ->> 'place')::integer AS place FROM jsonb_array_elements(batch -> 'items')
    WHERE (value ->> 'id')::uuid <> ALL (created) ORDER BY value ->> 'email_key', place
  LOOP
    SELECT outcomes || jsonb_build_object(other.place, jsonb_build_object('id', i.stored -> 'id', 'outcome', i.outcome))
      INTO STRICT outcomes FROM intake_lead(batch -> 'shared' || other.item) AS i;
  END LOOP;
  SELECT coalesce(jsonb_agg(value ORDER BY key::integer), '[]') INTO outcomes FROM jsonb_each(outcomes);

  IF idem_key IS NOT NULL THEN
    UPDATE idempotency_key k SET response = outcomes WHERE k.organization_id = organization AND k.key = idem_key;
  END IF;
  RETURN jsonb_build_object('status', 'done', 'results', read_outcomes(outcomes));
END $$;
