-- A group of leads waits for one that somebody holds no longer than one with idempotency keys does: without keys it waited
-- until its statement was canceled, and all of the group were refused.
SET lock_timeout = '5s';

CREATE OR REPLACE FUNCTION intake_group(organization text, submissions jsonb) RETURNS json LANGUAGE plpgsql AS $$
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
  -- Whoever holds one of the leads, or of the keys, is waited for a moment; then lock_not_available tells that it is one of
  -- them, while there is time to take each in alone.
  PERFORM set_config('lock_timeout', '1500ms', true);
  received := lead_change_time();
  SELECT count(*) INTO keyed FROM jsonb_array_elements(submissions) WHERE value ? 'idempotency_key';
  IF keyed > 0 THEN
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
