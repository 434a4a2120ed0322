SET lock_timeout = '5s';

-- The transaction that wrote an entry. Of two entries the one of the lower id comes first in the feed, and nothing that is
-- below every transaction under way can still appear. Entries of before this migration all get its own.
ALTER TABLE "lead_event" ADD COLUMN "xid" xid8 NOT NULL DEFAULT pg_current_xact_id();

-- Up to which transaction the feed had come, minute by minute: what turns a time into a place in the feed.
CREATE TABLE "feed_clock" (
    "at" TIMESTAMPTZ(3) NOT NULL,
    "xid" xid8 NOT NULL,

    CONSTRAINT "feed_clock_pkey" PRIMARY KEY ("at")
);

GRANT SELECT ON "feed_clock" TO lead_api;
