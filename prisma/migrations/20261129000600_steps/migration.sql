-- A step of a lead is one call here: its effect, its entry on the timeline and the claim of its round are one statement
-- to the client, which does not hold a lead while it thinks. What a step says of itself, `step`, is the same for all:
-- {leadId, organizationId, owner, round?, metadata}; `owner` and the step's name are the key of its entry.
SET lock_timeout = '5s';

-- The entries that steps make are read by their lead and key only; ids that begin with the time keep indexes dense
-- (https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7).
CREATE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
           substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
           52, 1), 53, 1), 'hex')::uuid
$$;

-- Writes an entry of a step; says whether it was not there before.
CREATE FUNCTION note_step(step jsonb, name text, entry_type text, entry_data jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO lead_event (id, lead_id, organization_id, type, data, metadata, step_key)
    VALUES (new_id(), (step->>'leadId')::uuid, step->>'organizationId', entry_type, entry_data, step->'metadata',
            concat(step->>'owner', '/', name))
    ON CONFLICT (lead_id, step_key) DO NOTHING;
  RETURN FOUND;
END $$;

-- Begins a step: holds the lead, finds what an earlier run of the step has written, claims the round if nobody has.
-- `status`: open; recorded; gone, when there is no such lead; closed, when the round is over.
CREATE FUNCTION open_step(step jsonb, name text, OUT status text, OUT recorded jsonb, OUT held lead_view)
  LANGUAGE plpgsql AS $$
DECLARE
  id_of_lead uuid := step->>'leadId';
BEGIN
  PERFORM 1 FROM lead l WHERE l.id = id_of_lead FOR UPDATE;
  SELECT v.* INTO held FROM lead_view v WHERE v.id = id_of_lead;
  IF NOT FOUND THEN
    status := 'gone';
    RETURN;
  END IF;
  SELECT jsonb_build_object('type', e.type, 'data', e.data) INTO recorded
    FROM lead_event e WHERE e.lead_id = id_of_lead AND e.step_key = concat(step->>'owner', '/', name);
  IF FOUND THEN
    status := 'recorded';
    RETURN;
  END IF;
  status := 'open';
  IF NOT step ? 'round' THEN
    RETURN;
  END IF;
  IF held.onboarding_state NOT IN ('PENDING', 'RUNNING') OR held.onboarding_round <> (step->>'round')::integer THEN
    status := 'closed';
    RETURN;
  END IF;
  IF held.onboarding_state = 'PENDING' THEN
    UPDATE onboarding SET state = 'RUNNING' WHERE lead_id = id_of_lead;
    PERFORM note_step(step, 'started', 'onboarding.started', '{}');
  END IF;
END $$;

-- Puts a notification into the inbox of a lead's present assignee. `texts` has, for each locale, a title and a message
-- with `{name}` in it. Its last statement holds the inbox until the commit, which follows at once.
CREATE FUNCTION tell_assignee(step jsonb, held lead_view, texts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  words jsonb := coalesce(texts->held.locale, texts->'pt-BR');
  told jsonb := jsonb_build_object('userId', held.assigned_to, 'notificationId', new_id());
BEGIN
  PERFORM note_step(step, 'notification', 'notification.created', told);
  INSERT INTO notification (id, organization_id, lead_id, user_id, assignment, type, title, message, action_url)
    VALUES ((told->>'notificationId')::uuid, held.organization_id, held.id, held.assigned_to, held.assignment, 'INFO',
            words->>'title', replace(words->>'message', '{name}', held.name), concat('/dashboard/leads/', held.id));
  RETURN told || '{"status": "open", "outcome": "created"}';
END $$;

-- The notify step of a round. Answers {status, outcome, notificationId, userId} of this run or of an earlier one.
CREATE FUNCTION notify_assignee(step jsonb, texts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  opened record;
  told uuid;
BEGIN
  SELECT * INTO opened FROM open_step(step, 'notification');
  IF opened.status = 'recorded' THEN
    RETURN (opened.recorded->'data') || jsonb_build_object('status', 'recorded', 'outcome',
      CASE opened.recorded->>'type' WHEN 'notification.created' THEN 'created' ELSE 'skipped' END);
  END IF;
  IF opened.status <> 'open' THEN
    RETURN jsonb_build_object('status', opened.status);
  END IF;
  IF (opened.held).assigned_to IS NULL THEN
    PERFORM note_step(step, 'notification', 'notification.skipped', '{"reason": "no-assignee"}');
    RETURN '{"status": "open", "outcome": "skipped"}';
  END IF;
  SELECT n.id INTO told FROM notification n
    WHERE n.lead_id = (opened.held).id AND n.assignment = (opened.held).assignment;
  IF FOUND THEN
    PERFORM note_step(step, 'notification', 'notification.skipped',
                      jsonb_build_object('reason', 'notified-before', 'notificationId', told));
    RETURN jsonb_build_object('status', 'open', 'outcome', 'skipped', 'notificationId', told);
  END IF;
  RETURN tell_assignee(step, opened.held, texts);
END $$;

-- Tells an assignee that a lead got after its creation, unless another one has replaced them before they were told.
CREATE FUNCTION notify_reassigned(step jsonb, of_assignment integer, texts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  opened record;
  told jsonb;
BEGIN
  SELECT * INTO opened FROM open_step(step, 'notification');
  IF opened.status = 'gone' THEN
    RETURN '{"status": "gone"}';
  END IF;
  SELECT jsonb_build_object('status', 'recorded', 'outcome', 'created', 'notificationId', n.id, 'userId', n.user_id)
    INTO told FROM notification n WHERE n.lead_id = (opened.held).id AND n.assignment = of_assignment;
  IF FOUND THEN
    RETURN told;
  END IF;
  DELETE FROM watch w WHERE w.lead_id = (opened.held).id AND w.run = step->>'owner';
  IF (opened.held).assigned_to IS NULL OR (opened.held).assignment <> of_assignment THEN
    RETURN '{"status": "open", "outcome": "skipped"}';
  END IF;
  RETURN tell_assignee(step, opened.held, texts);
END $$;

-- Notes that an enrichment begins, unless it is over or has begun.
CREATE FUNCTION start_enrichment(step jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  opened record;
  started_at timestamptz;
BEGIN
  SELECT * INTO opened FROM open_step(step, 'enrichment');
  IF opened.status = 'open' THEN
    PERFORM note_step(step, 'enrichment.started', 'enrichment.started', '{}');
    SELECT e.at INTO started_at FROM lead_event e
      WHERE e.lead_id = (opened.held).id AND e.step_key = concat(step->>'owner', '/enrichment.started');
  END IF;
  RETURN jsonb_build_object('status', opened.status, 'recorded', opened.recorded, 'lead', to_jsonb(opened.held),
                            'startedAt', started_at);
END $$;

-- Puts an enrichment in place of the one that a lead has, which is held.
CREATE FUNCTION put_enrichment(of_lead uuid, organization text, enrichment jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_enrichment (lead_id, organization_id, document) VALUES (of_lead, organization, enrichment)
  ON CONFLICT (lead_id) DO UPDATE SET document = EXCLUDED.document
$$;

-- Keeps values that a lead, which is held, does not have: of each source the last.
CREATE FUNCTION put_observations(of_lead uuid, organization text, observations jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO enrichment_observation (lead_id, organization_id, field, source, value, method, confidence, fetched_at)
  SELECT of_lead, organization, field, source, value, method, confidence, "fetchedAt"
  FROM jsonb_to_recordset(observations)
       AS o(field text, source text, value jsonb, method text, confidence double precision, "fetchedAt" timestamptz)
  ON CONFLICT (lead_id, field, source) DO UPDATE
    SET value = EXCLUDED.value, method = EXCLUDED.method, confidence = EXCLUDED.confidence,
        fetched_at = EXCLUDED.fetched_at
$$;

-- Keeps what an attempt found, {run, document, observations, ended?: {type, data}}, if the lead still has the
-- enrichment that it was merged with; else it answers `changed` with the lead as it is. `ended` ends the step.
CREATE FUNCTION keep_enrichment(step jsonb, merged_with jsonb, finding jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  opened record;
BEGIN
  SELECT * INTO opened FROM open_step(step, 'enrichment');
  IF opened.status <> 'open' THEN
    RETURN jsonb_build_object('status', opened.status, 'recorded', opened.recorded);
  END IF;
  IF (opened.held).enrichment IS DISTINCT FROM merged_with THEN
    RETURN jsonb_build_object('status', 'changed', 'lead', to_jsonb(opened.held));
  END IF;
  PERFORM put_enrichment((opened.held).id, (opened.held).organization_id, finding->'document');
  IF finding->'observations' <> '[]' THEN
    PERFORM put_observations((opened.held).id, (opened.held).organization_id, finding->'observations');
  END IF;
  IF finding ? 'ended' THEN
    DELETE FROM enrichment_run r WHERE r.lead_id = (opened.held).id AND r.run = finding->>'run';
    PERFORM note_step(step, 'enrichment', finding->'ended'->>'type', finding->'ended'->'data');
  END IF;
  RETURN '{"status": "open"}';
END $$;

-- All that a lead's score is calculated from. No rules come into force before the transaction ends.
CREATE FUNCTION score_basis(held lead_view) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('score rules of ' || held.organization_id, 0));
  RETURN jsonb_build_object(
    'version', held.version,
    'enrichment', held.enrichment,
    'rules', (SELECT max(r.version) FROM score_rule_set r WHERE r.organization_id = held.organization_id),
    'override', (SELECT o.score FROM score_override o WHERE o.lead_id = held.id AND o.ended_at IS NULL));
END $$;

-- Writes scores with their ledgers into the history: [{id, lead_id, score, band, lines, failed_rules}].
CREATE FUNCTION add_scores(organization text, rules integer, of_cause score_cause, of_rescore uuid, history jsonb)
  RETURNS void LANGUAGE sql AS $$
  INSERT INTO score (id, lead_id, organization_id, rule_version, score, band, lines, failed_rules, cause, rescore_id)
  SELECT id, lead_id, organization, rules, score, band, lines, failed_rules, of_cause, of_rescore
  FROM jsonb_to_recordset(history)
       AS s(id uuid, lead_id uuid, score smallint, band text, lines jsonb, failed_rules text[])
$$;

-- Puts scores onto leads, which are held: [{lead_id, score, band, breakdown}]. Answers how many leads changed.
CREATE FUNCTION put_scores(present jsonb) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  changed integer;
BEGIN
  INSERT INTO lead_score AS before (lead_id, organization_id, score, band, breakdown, lead_created_at)
  SELECT lead.id, lead.organization_id, s.score, s.band, s.breakdown, lead.created_at
  FROM jsonb_to_recordset(present) AS s(lead_id uuid, score smallint, band text, breakdown jsonb)
  JOIN lead ON lead.id = s.lead_id
  ON CONFLICT (lead_id) DO UPDATE SET score = EXCLUDED.score, band = EXCLUDED.band, breakdown = EXCLUDED.breakdown
  WHERE (before.score, before.band, before.breakdown)
        IS DISTINCT FROM (EXCLUDED.score, EXCLUDED.band, EXCLUDED.breakdown);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

-- The score step: writes a score, if what it was calculated from still stands, else it answers `changed`. `scored`:
-- {cause, rules, history, present, entry, watched?, enrichment?: {type, data, run}, notificationFailed?, state?}.
-- `enrichment` and `notificationFailed` are of steps that gave up without a word of their own; `state` ends the round,
-- `watched` what is watched over.
CREATE FUNCTION record_score(step jsonb, calculated_from jsonb, scored jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
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
  IF scored ? 'notificationFailed'
     AND NOT note_step(step, 'notification', 'notification.failed', scored->'notificationFailed') THEN
    PERFORM note_step(step, 'delivery', 'notification.failed', scored->'notificationFailed');
  END IF;
  PERFORM add_scores(step->>'organizationId', (scored->>'rules')::integer, (scored->>'cause')::score_cause, NULL,
                     scored->'history');
  PERFORM put_scores(scored->'present');
  PERFORM note_step(step, 'score', 'score.calculated', scored->'entry');
  IF scored ? 'state' THEN
    UPDATE onboarding SET state = scored->>'state' WHERE lead_id = id_of_lead;
    PERFORM note_step(step, 'outcome', 'onboarding.completed', jsonb_build_object('state', scored->>'state'));
  END IF;
  IF scored ? 'watched' THEN
    DELETE FROM watch w WHERE w.lead_id = id_of_lead AND w.run = scored->>'watched';
  END IF;
  RETURN '{"status": "open"}';
END $$;
