SET lock_timeout = '5s';

-- Every attempt of a step of a lead, as the worker that made it tells afterwards. No foreign key: checking one holds the
-- lead, and steps would wait for that.
CREATE TABLE "step_attempt" (
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "step" TEXT NOT NULL,
    "task_queue" TEXT NOT NULL,
    "worker" TEXT NOT NULL,
    "run_id" UUID NOT NULL,
    "activity_id" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "scheduled_at" TIMESTAMPTZ(3) NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3) NOT NULL,
    "outcome" TEXT NOT NULL,
    "error_type" TEXT,
    "reason" TEXT,

    CONSTRAINT "step_attempt_pkey" PRIMARY KEY ("lead_id","started_at","run_id","activity_id")
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);

-- CreateIndex
CREATE INDEX "step_attempt_ended_at_idx" ON "step_attempt"("ended_at");

SELECT keep_to_own_organization('step_attempt');

-- Leads share 64 locks by which those who note attempts and those who erase a lead wait for each other, and nobody else.
CREATE FUNCTION attempts_lock(lead uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT hashtextextended('attempts of leads ' || get_byte(uuid_send(lead), 15) % 64, 0)
$$;

-- Notes attempts, of leads that are there: one that is being erased is waited for. What was noted before is left as it
-- is. The commit does not wait for the disk: a crash of Postgres may cost the last moments of it. Each lead is looked up
-- by its key, whatever the planner believes of the table.
CREATE FUNCTION note_attempts(attempts jsonb) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  told step_attempt[];
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT array_agg(a) INTO told FROM jsonb_populate_recordset(NULL::step_attempt, attempts) AS a;
  PERFORM pg_advisory_xact_lock_shared(shared.lock)
    FROM (SELECT DISTINCT attempts_lock(a.lead_id) AS lock FROM unnest(told) AS a) AS shared;
  INSERT INTO step_attempt
    SELECT a.* FROM unnest(told) AS a WHERE (SELECT true FROM lead l WHERE l.id = a.lead_id)
    ON CONFLICT DO NOTHING;
END $$;

-- What a foreign key would do, but for the waiting.
CREATE FUNCTION forget_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(attempts_lock(OLD.id));
  DELETE FROM step_attempt a WHERE a.lead_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER forget_attempts AFTER DELETE ON lead FOR EACH ROW EXECUTE FUNCTION forget_attempts();
