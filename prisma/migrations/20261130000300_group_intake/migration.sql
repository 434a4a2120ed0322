-- Leads that come at once are written as those of a batch are, by one statement for each table. And a batch reads its own
-- leads only for callers with keys as well: under row-level security the planner took the index of the organization for
-- those whose id it had to calculate, until it had looked at the tables.
SET lock_timeout = '5s';

-- [{id, outcome}] → [{outcome, stored}] with the leads as they are; gone, and none, where one was erased.
CREATE OR REPLACE FUNCTION read_outcomes(outcomes jsonb) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
  RETURN (
    SELECT coalesce(json_agg(json_build_object('outcome', CASE WHEN v.id IS NULL THEN 'gone' ELSE o.outcome END,
                                               'stored', row_to_json(v)) ORDER BY o.place), '[]')
    FROM (SELECT place, (value ->> 'id')::uuid AS id, value ->> 'outcome' AS outcome
          FROM jsonb_array_elements(outcomes) WITH ORDINALITY AS e(value, place) OFFSET 0) AS o
    LEFT JOIN LATERAL (SELECT * FROM lead_view v WHERE v.id = o.id LIMIT 1) AS v ON true);
END $$;

-- Takes submissions of one organization in: all that is new together, in the order of their e-mails, so that two that do
-- so never wait for each other in a circle; of two with one e-mail the first is new. The others go through intake_lead,
-- without their idempotency keys, which are the caller's to keep.
--
-- items    submissions as of intake_lead, each with its place, without what all have in common
-- shared   what they have in common
--
-- → {place: {id, outcome}}, outcome as of intake_lead
CREATE FUNCTION take_leads(organization text, received timestamptz, items jsonb, shared jsonb) RETURNS jsonb
  LANGUAGE plpgsql AS $$
DECLARE
  created uuid[];
  other record;
  outcomes jsonb;
BEGIN
  WITH sent AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(items) AS s(
      place integer, id uuid, event_id uuid, order_id uuid, name text, email text, email_key text, phone text, company text,
      status text, source text, assigned_to text, priority text, locale text, attributes jsonb, order_payload jsonb,
      metadata jsonb, order_delay_ms integer)
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
           coalesce(metadata, shared -> 'metadata') FROM new
  ), ordered AS (
    INSERT INTO outbox (id, lead_id, organization_id, kind, payload, available_at, created_at)
    SELECT order_id, id, organization, 'START_ONBOARDING', order_payload,
           received + coalesce(order_delay_ms, (shared ->> 'order_delay_ms')::integer) * interval '1 millisecond', received
    FROM new
  ), watched AS (
    INSERT INTO watch (lead_id, run, organization_id, since, look_after)
    SELECT id, 'onboarding', organization, received, received FROM new
  )
  SELECT coalesce(array_agg(id), '{}'), coalesce(jsonb_object_agg(place, jsonb_build_object('id', id, 'outcome', 'created')), '{}')
    INTO created, outcomes FROM new;
  IF cardinality(created) < jsonb_array_length(items) THEN
    FOR other IN
      SELECT value - 'idempotency_key' AS item, (value ->> 'place')::integer AS place FROM jsonb_array_elements(items)
      WHERE (value ->> 'id')::uuid <> ALL (created) ORDER BY value ->> 'email_key', place
    LOOP
      SELECT outcomes || jsonb_build_object(other.place, jsonb_build_object('id', i.stored -> 'id', 'outcome', i.outcome))
        INTO STRICT outcomes FROM intake_lead(shared || other.item) AS i;
    END LOOP;
  END IF;
  RETURN outcomes;
END $$;

CREATE OR REPLACE FUNCTION intake_batch(organization text, batch jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  idem_key text := idempotency_id(batch ->> 'idempotency_key');
  received timestamptz;
  known idempotency_key;
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
      RETURN json_build_object('status', 'replayed', 'results', read_outcomes(known.response));
    END IF;
  END IF;

  outcomes := take_leads(organization, received, batch -> 'items', batch -> 'shared');
  SELECT coalesce(jsonb_agg(value ORDER BY key::integer), '[]') INTO outcomes FROM jsonb_each(outcomes);

  IF idem_key IS NOT NULL THEN
    UPDATE idempotency_key k SET response = outcomes WHERE k.organization_id = organization AND k.key = idem_key;
  END IF;
  RETURN json_build_object('status', 'done', 'results', read_outcomes(outcomes));
END $$;

-- Takes leads of one organization in that came at once, each with an idempotency key of its own or without: all of them
-- are stored, or none. Keys are claimed in their order before any lead is written, as intake_lead does; those that are
-- known already are answered last, when what stands under them is there.
--
-- submissions   as of intake_lead, each with its place
--
-- Answers [{outcome, replayed, stored}] in the order of their places, as intake_lead does each.
CREATE FUNCTION intake_group(organization text, submissions jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  shared jsonb := jsonb_build_object('organization_id', organization);
  received timestamptz;
  keyed integer;
  claimed uuid[] := '{}';
  new_ones jsonb := submissions;
  outcomes jsonb;
  answers jsonb;
  other record;
BEGIN
  PERFORM set_config('app.organization_id', organization, true);
  received := lead_change_time();
  SELECT count(*) INTO keyed FROM jsonb_array_elements(submissions) WHERE value ? 'idempotency_key';
  IF keyed > 0 THEN
    -- A twin that is still running holds the row: wait for it a moment, then give up with lock_not_available.
    PERFORM set_config('lock_timeout', '1500ms', true);
    WITH sent AS (
      SELECT DISTINCT ON (key) idempotency_id(idempotency_key) AS key, request_hash, id, idempotency_ttl
      FROM jsonb_to_recordset(submissions) AS s(
        place integer, id uuid, idempotency_key text, request_hash text, idempotency_ttl interval)
      WHERE idempotency_key IS NOT NULL ORDER BY key, place
    ), kept AS (
      INSERT INTO idempotency_key AS k (organization_id, key, request_hash, lead_id, expires_at)
      SELECT organization, key, request_hash, id, received + idempotency_ttl FROM sent ORDER BY key
      ON CONFLICT (organization_id, key) DO UPDATE
        SET request_hash = EXCLUDED.request_hash, expires_at = EXCLUDED.expires_at, created_at = received,
            lead_id = EXCLUDED.lead_id, response = NULL, duplicate = false
        WHERE k.expires_at <= received
      RETURNING lead_id
    )
    SELECT coalesce(array_agg(lead_id), '{}') INTO claimed FROM kept;
    IF cardinality(claimed) < keyed THEN
      SELECT coalesce(jsonb_agg(value), '[]') INTO new_ones FROM jsonb_array_elements(submissions)
        WHERE NOT value ? 'idempotency_key' OR (value ->> 'id')::uuid = ANY (claimed);
    END IF;
  END IF;

  outcomes := take_leads(organization, received, new_ones, shared);
  SELECT coalesce(jsonb_object_agg(place, jsonb_build_object('outcome', outcome, 'replayed', false, 'stored', v)), '{}')
    INTO answers
    FROM (SELECT key AS place, (value ->> 'id')::uuid AS id, value ->> 'outcome' AS outcome FROM jsonb_each(outcomes) OFFSET 0) AS o
    CROSS JOIN LATERAL (SELECT * FROM lead_view v WHERE v.id = o.id LIMIT 1) AS v;

  IF keyed > 0 THEN
    FOR other IN
      SELECT idempotency_id(value ->> 'idempotency_key') AS key, answers -> (value ->> 'place') AS answer
      FROM jsonb_array_elements(new_ones) WHERE value ? 'idempotency_key'
    LOOP
      UPDATE idempotency_key k
        SET lead_id = (other.answer #>> '{stored,id}')::uuid, response = other.answer -> 'stored',
            duplicate = (other.answer ->> 'outcome' = 'duplicate')
        WHERE k.organization_id = organization AND k.key = other.key;
    END LOOP;
  END IF;
  IF cardinality(claimed) < keyed THEN
    FOR other IN
      SELECT value AS item, value ->> 'place' AS place FROM jsonb_array_elements(submissions)
      WHERE value ? 'idempotency_key' AND (value ->> 'id')::uuid <> ALL (claimed) ORDER BY value ->> 'email_key', place
    LOOP
      SELECT answers || jsonb_build_object(other.place, to_jsonb(i)) INTO STRICT answers
        FROM intake_lead(shared || other.item) AS i;
    END LOOP;
  END IF;
  RETURN (SELECT json_agg(value ORDER BY key::integer) FROM jsonb_each(answers));
END $$;
