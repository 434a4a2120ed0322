-- AlterTable
ALTER TABLE "lead" ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "notification" ADD COLUMN     "number" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "inbox" (
    "id" TEXT NOT NULL,
    "last_number" INTEGER NOT NULL,

    CONSTRAINT "inbox_pkey" PRIMARY KEY ("id")
);

-- An answer that was kept before there were versions names none that its lead has.
UPDATE idempotency_key SET response = response || '{"version": 0}' WHERE response IS NOT NULL;

-- Neither string can contain NUL, so no two inboxes look alike.
CREATE FUNCTION inbox_id(organization_id text, user_id text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(convert_to(organization_id, 'UTF8') || '\x00'::bytea || convert_to(user_id, 'UTF8')), 'hex')
$$;

-- What is there already, in the order in which it was listed.
UPDATE notification SET number = numbered.number
  FROM (SELECT id, row_number() OVER (PARTITION BY organization_id, user_id ORDER BY created_at, id) AS number
        FROM notification) AS numbered
  WHERE notification.id = numbered.id;
INSERT INTO inbox (id, last_number)
  SELECT inbox_id(organization_id, user_id), max(number) FROM notification GROUP BY organization_id, user_id;

-- DropIndex
DROP INDEX "notification_organization_id_user_id_created_at_id_idx";

-- CreateIndex
CREATE UNIQUE INDEX "notification_organization_id_user_id_number_key" ON "notification"("organization_id", "user_id", "number");

-- Whoever inserts a notification holds the row of its inbox until the commit. So the numbers of an inbox become visible
-- in their order, and whoever has seen one has seen all before it: ids and sequences do not promise that.
CREATE FUNCTION number_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO inbox AS i (id, last_number) VALUES (inbox_id(NEW.organization_id, NEW.user_id), 1)
    ON CONFLICT (id) DO UPDATE SET last_number = i.last_number + 1
    RETURNING i.last_number INTO NEW.number;
  RETURN NEW;
END $$;

CREATE TRIGGER notification_number BEFORE INSERT ON notification
  FOR EACH ROW EXECUTE FUNCTION number_notification();

-- Tells whoever streams an inbox that there is something to read.
CREATE FUNCTION announce_inbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('inbox', inbox_id(NEW.organization_id, NEW.user_id));
  RETURN NULL;
END $$;

CREATE TRIGGER notification_announce AFTER INSERT OR UPDATE OF read_at ON notification
  FOR EACH ROW EXECUTE FUNCTION announce_inbox();
