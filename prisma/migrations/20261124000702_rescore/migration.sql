-- CreateEnum
CREATE TYPE "rescore_state" AS ENUM ('RUNNING', 'PAUSED', 'COMPLETED', 'CANCELED', 'SUPERSEDED');

-- AlterEnum
ALTER TYPE "outbox_kind" ADD VALUE 'RESCORE_LEADS';

-- AlterTable
ALTER TABLE "outbox" ALTER COLUMN "lead_id" DROP NOT NULL;

-- AlterTable
ALTER TABLE "score" ADD COLUMN "rescore_id" UUID;

-- CreateTable
CREATE TABLE "score_rescore" (
    "id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "state" "rescore_state" NOT NULL DEFAULT 'RUNNING',
    "total" INTEGER NOT NULL,
    "done" INTEGER NOT NULL DEFAULT 0,
    "changed" INTEGER NOT NULL DEFAULT 0,
    "pages" INTEGER NOT NULL DEFAULT 0,
    "after_created_at" TIMESTAMPTZ(3),
    "after_id" UUID,
    "requested_by" TEXT,
    "request_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "score_rescore_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "score_rescore_organization_id_version_key" ON "score_rescore"("organization_id", "version");

-- CreateIndex
CREATE UNIQUE INDEX "score_rescore_organization_id_key" ON "score_rescore"("organization_id") WHERE (state = ANY (ARRAY['RUNNING'::rescore_state, 'PAUSED'::rescore_state]));

-- CreateIndex
CREATE INDEX "score_rescore_updated_at_idx" ON "score_rescore"("updated_at") WHERE (state = 'RUNNING'::rescore_state);

-- CreateIndex
CREATE UNIQUE INDEX "score_rescore_id_lead_id_key" ON "score"("rescore_id", "lead_id");

ALTER TABLE score_rescore ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON score_rescore TO lead_api
  USING (organization_id = current_setting('app.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON score_rescore TO lead_api;
