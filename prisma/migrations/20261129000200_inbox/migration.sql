SET lock_timeout = '5s';

-- A transaction that notifies takes a lock of the whole server at its commit. Processes announce after it instead.
DROP TRIGGER notification_announce ON notification;
DROP FUNCTION announce_inbox();

-- AlterTable
ALTER TABLE "inbox" ADD COLUMN     "organization_id" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "read_up_to" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "unread_count" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "inbox_reading" (
    "inbox_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "up_to" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "inbox_reading_pkey" PRIMARY KEY ("inbox_id","up_to")
);

-- An inbox of before names its organization with its next notification at the latest.
CREATE OR REPLACE FUNCTION number_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO inbox AS i (id, organization_id, last_number)
    VALUES (inbox_id(NEW.organization_id, NEW.user_id), NEW.organization_id, 1)
    ON CONFLICT (id) DO UPDATE SET last_number = i.last_number + 1, organization_id = EXCLUDED.organization_id
    RETURNING i.last_number INTO NEW.number;
  RETURN NEW;
END $$;

-- Not where the number is given: an insert that ends as a duplicate takes a number, and leaves nothing to read.
CREATE FUNCTION count_unread() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE inbox SET unread_count = unread_count + 1 WHERE id = inbox_id(NEW.organization_id, NEW.user_id);
  RETURN NULL;
END $$;

CREATE TRIGGER notification_count AFTER INSERT ON notification
  FOR EACH ROW WHEN (NEW.read_at IS NULL) EXECUTE FUNCTION count_unread();

-- Changes the count by those of the numbers that were not read with all before them. The inbox is held first: what it
-- was read up to is looked at as it is then.
CREATE FUNCTION recount_unread(box text, sign integer, numbers integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM inbox i WHERE i.id = box FOR UPDATE;
  UPDATE inbox i
    SET unread_count = i.unread_count + sign * (SELECT count(*) FROM unnest(numbers) AS number WHERE number > i.read_up_to)
    WHERE i.id = box;
END $$;

-- Of several inboxes the one with the lower id first: two that change the same ones do not wait for each other.
CREATE FUNCTION recount_after_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM recount_unread(changed.id, changed.sign, changed.numbers) FROM (
    SELECT inbox_id(a.organization_id, a.user_id) AS id, CASE WHEN a.read_at IS NULL THEN 1 ELSE -1 END AS sign,
           array_agg(a.number) AS numbers
    FROM changed_to a JOIN changed_from b ON b.id = a.id WHERE (a.read_at IS NULL) <> (b.read_at IS NULL)
    GROUP BY 1, 2 ORDER BY 1 OFFSET 0) AS changed;
  RETURN NULL;
END $$;

CREATE FUNCTION recount_after_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM recount_unread(gone.id, -1, gone.numbers) FROM (
    SELECT inbox_id(organization_id, user_id) AS id, array_agg(number) AS numbers
    FROM deleted WHERE read_at IS NULL GROUP BY 1 ORDER BY 1 OFFSET 0) AS gone;
  RETURN NULL;
END $$;

CREATE TRIGGER notification_recount_update AFTER UPDATE ON notification
  REFERENCING OLD TABLE AS changed_from NEW TABLE AS changed_to
  FOR EACH STATEMENT EXECUTE FUNCTION recount_after_update();
CREATE TRIGGER notification_recount_delete AFTER DELETE ON notification
  REFERENCING OLD TABLE AS deleted
  FOR EACH STATEMENT EXECUTE FUNCTION recount_after_delete();

-- What is there already. The triggers have locked the table: nothing comes in between.
UPDATE inbox SET organization_id = counted.organization_id, unread_count = counted.unread
  FROM (SELECT inbox_id(organization_id, user_id) AS id, organization_id, count(*) FILTER (WHERE read_at IS NULL) AS unread
        FROM notification GROUP BY organization_id, user_id) AS counted
  WHERE inbox.id = counted.id;

-- DropIndex
DROP INDEX "notification_organization_id_user_id_read_at_idx";

-- CreateIndex
CREATE INDEX "notification_unread_idx" ON "notification"("organization_id", "user_id", "number") WHERE read_at IS NULL;

-- CreateIndex
CREATE INDEX "notification_read_idx" ON "notification"("organization_id", "user_id", "number") WHERE read_at IS NOT NULL;

DO $$
DECLARE
  tenant_table regclass;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY['inbox', 'inbox_reading']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format($policy$CREATE POLICY own_organization ON %s TO lead_api
                     USING (organization_id = current_setting('app.organization_id', true))$policy$, tenant_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO lead_api', tenant_table);
  END LOOP;
END $$;

-- What lives shortly is vacuumed by what died, not by a share of the table's size at its largest, and without pauses: dead
-- orders stand at the front of the index that relays look up.
ALTER TABLE outbox SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
ALTER TABLE enrichment_run SET (
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Rows that count, over and over: the new version finds room beside the old one, and no index is written (HOT).
ALTER TABLE inbox SET (
  fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE rate_limit SET (
  fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE enrichment_budget SET (
  fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE enrichment_circuit SET (
  fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- As many rows go each day as come: a fiftieth of them at once, not the usual fifth.
ALTER TABLE idempotency_key SET (
  fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
ALTER TABLE enrichment_cache SET (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
