SET lock_timeout = '5s';

-- Where an organization, or the operator for all of them, is told of events. `xid` and `seq` are the place in the feed up
-- to which it was told, or what it has not taken is set aside. The lease is of the run that delivers at the moment.
-- CreateTable
CREATE TABLE "webhook_endpoint" (
    "id" UUID NOT NULL,
    "organization_id" TEXT,
    "url" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "types" TEXT[],
    "with_persons" BOOLEAN NOT NULL,
    "secret" TEXT NOT NULL,
    "old_secret" TEXT,
    "old_secret_until" TIMESTAMPTZ(3),
    "paused" TEXT,
    "xid" xid8 NOT NULL DEFAULT pg_snapshot_xmin(pg_current_snapshot()),
    "seq" BIGINT NOT NULL DEFAULT 0,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "failing_since" TIMESTAMPTZ(3),
    "next_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "leased_until" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "webhook_endpoint_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- CreateIndex
CREATE INDEX "webhook_endpoint_organization_id_created_at_id_idx" ON "webhook_endpoint"("organization_id", "created_at", "id");

-- An event that an endpoint has not taken, or that it is to be sent again: it is tried apart from the feed.
-- CreateTable
CREATE TABLE "webhook_delivery" (
    "endpoint_id" UUID NOT NULL,
    "event_id" UUID NOT NULL,
    "organization_id" TEXT,
    "type" TEXT NOT NULL,
    "lead_id" UUID,
    "event_at" TIMESTAMPTZ(3),
    "event_seq" BIGINT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "next_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "failed_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_delivery_pkey" PRIMARY KEY ("endpoint_id","event_id")
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- CreateIndex
CREATE INDEX "webhook_delivery_endpoint_id_next_at_idx" ON "webhook_delivery"("endpoint_id", "next_at") WHERE (failed_at IS NULL);

-- CreateIndex
CREATE INDEX "webhook_delivery_failed_at_idx" ON "webhook_delivery"("failed_at");

-- CreateTable
CREATE TABLE "webhook_attempt" (
    "endpoint_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "event_id" UUID NOT NULL,
    "organization_id" TEXT,
    "type" TEXT NOT NULL,
    "lead_id" UUID,
    "event_at" TIMESTAMPTZ(3),
    "event_seq" BIGINT,
    "attempt" INTEGER NOT NULL,
    "status" INTEGER,
    "error" TEXT,
    "duration_ms" INTEGER NOT NULL,

    CONSTRAINT "webhook_attempt_pkey" PRIMARY KEY ("endpoint_id","event_id","at")
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);

-- CreateIndex
CREATE INDEX "webhook_attempt_endpoint_id_at_event_id_idx" ON "webhook_attempt"("endpoint_id", "at", "event_id");

-- CreateIndex
CREATE INDEX "webhook_attempt_at_idx" ON "webhook_attempt"("at");

-- AddForeignKey
ALTER TABLE "webhook_delivery" ADD CONSTRAINT "webhook_delivery_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_attempt" ADD CONSTRAINT "webhook_attempt_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;

SELECT keep_to_own_organization('webhook_endpoint');
SELECT keep_to_own_organization('webhook_delivery');
SELECT keep_to_own_organization('webhook_attempt');
