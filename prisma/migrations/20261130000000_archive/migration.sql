-- Leads that are put aside: they stay whole, and lists and searches leave them out. Every list has its index with the
-- column in it, so what is put aside costs the others nothing; lists of other tables have it from their lead.
SET lock_timeout = '5s';

ALTER TABLE "lead" ADD COLUMN "archived" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "lead_listing" ADD COLUMN "lead_archived" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "lead_score" ADD COLUMN "lead_archived" BOOLEAN NOT NULL DEFAULT false;

-- Rescores go through the leads by their ids, which do not change when a lead is put aside; one that is under way begins
-- anew, and passes over what it has scored.
ALTER TABLE "score_rescore" DROP COLUMN "after_created_at";
UPDATE score_rescore SET after_id = NULL, done = 0 WHERE state IN ('RUNNING', 'PAUSED');

CREATE OR REPLACE VIEW lead_view WITH (security_invoker = true) AS
SELECT l.id, l.organization_id, l.name, l.email, l.email_key, l.phone, l.company, l.status, l.source, l.assigned_to,
       l.assignment, l.priority, l.locale, l.attributes,
       s.score, s.band AS score_band, s.breakdown AS score_breakdown, e.document AS enrichment,
       o.state AS onboarding_state, o.round AS onboarding_round, o.accepted_commands,
       l.version, l.created_at, c.changed_at AS updated_at, l.archived
FROM lead l
JOIN onboarding o ON o.lead_id = l.id
JOIN lead_listing c ON c.lead_id = l.id
LEFT JOIN lead_enrichment e ON e.lead_id = l.id
LEFT JOIN lead_score s ON s.lead_id = l.id;

-- It is a change of the lead as well, which `list_lead_change` takes for noted once its row is written.
CREATE FUNCTION list_archived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lead_listing SET lead_archived = NEW.archived, changed_at = lead_change_time() WHERE lead_id = NEW.id;
  UPDATE lead_score SET lead_archived = NEW.archived WHERE lead_id = NEW.id;
  RETURN NULL;
END $$;

CREATE TRIGGER list_archived AFTER UPDATE OF archived ON lead
  FOR EACH ROW WHEN (NEW.archived <> OLD.archived) EXECUTE FUNCTION list_archived();

-- Scores of leads that are put aside are in no list either.
CREATE OR REPLACE FUNCTION put_scores(present jsonb) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  changed integer;
BEGIN
  INSERT INTO lead_score AS before (lead_id, organization_id, score, band, breakdown, lead_created_at, lead_archived)
  SELECT lead.id, lead.organization_id, s.score, s.band, s.breakdown, lead.created_at, lead.archived
  FROM jsonb_to_recordset(present) AS s(lead_id uuid, score smallint, band text, breakdown jsonb)
  JOIN lead ON lead.id = s.lead_id
  ON CONFLICT (lead_id) DO UPDATE SET score = EXCLUDED.score, band = EXCLUDED.band, breakdown = EXCLUDED.breakdown
  WHERE (before.score, before.band, before.breakdown)
        IS DISTINCT FROM (EXCLUDED.score, EXCLUDED.band, EXCLUDED.breakdown);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

-- As before, without the deliveries to one address that were a part of the notify step, and with one change of the
-- listing where there were two.
CREATE OR REPLACE FUNCTION record_score(step jsonb, calculated_from jsonb, scored jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  opened record;
  id_of_lead uuid := step->>'leadId';
BEGIN
  SELECT * INTO opened FROM open_step(step, 'score');
  IF opened.status <> 'open' THEN
    RETURN jsonb_build_object('status', opened.status, 'recorded', opened.recorded);
  END IF;
  IF score_basis(opened.held) <> calculated_from THEN
    RETURN '{"status": "changed"}';
  END IF;
  IF scored ? 'enrichment'
     AND note_step(step, 'enrichment', scored->'enrichment'->>'type', scored->'enrichment'->'data') THEN
    DELETE FROM enrichment_run r WHERE r.lead_id = id_of_lead AND r.run = scored->'enrichment'->>'run';
  END IF;
  IF scored ? 'notificationFailed' THEN
    PERFORM note_step(step, 'notification', 'notification.failed', scored->'notificationFailed');
  END IF;
  PERFORM add_scores(step->>'organizationId', (scored->>'rules')::integer, (scored->>'cause')::score_cause, NULL,
                     scored->'history');
  IF scored ? 'state' THEN
    UPDATE onboarding SET state = scored->>'state' WHERE lead_id = id_of_lead; -- first: the listing changes once then
  END IF;
  PERFORM put_scores(scored->'present');
  PERFORM note_step(step, 'score', 'score.calculated', scored->'entry');
  IF scored ? 'state' THEN
    PERFORM note_step(step, 'outcome', 'onboarding.completed', jsonb_build_object('state', scored->>'state'));
  END IF;
  IF scored ? 'watched' THEN
    DELETE FROM watch w WHERE w.lead_id = id_of_lead AND w.run = scored->>'watched';
  END IF;
  RETURN '{"status": "open"}';
END $$;

-- As before, among the leads that are {archived} or those that are not.
CREATE OR REPLACE FUNCTION search_leads(organization text, patterns text[], filter jsonb, page_size integer)
  RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  condition text := ' AND l.archived = ($3 ->> ''archived'')::boolean';
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

-- Whoever hands in a lead that was put aside brings it back.
CREATE FUNCTION bring_back(of_lead uuid, submission jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lead l SET archived = false, version = l.version + 1 WHERE l.id = of_lead AND l.archived;
  IF FOUND THEN
    INSERT INTO lead_event (id, lead_id, organization_id, type, data, metadata)
      VALUES (new_id(), of_lead, submission ->> 'organization_id', 'lead.unarchived', '{"reason": "submitted"}',
              submission -> 'metadata');
  END IF;
END $$;

-- As before, and a lead that is there already is put aside no more.
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
      PERFORM bring_back(taken.id, submission);
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
