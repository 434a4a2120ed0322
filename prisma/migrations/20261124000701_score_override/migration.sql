-- CreateTable
CREATE TABLE "score_override" (
    "id" UUID NOT NULL,
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "score" SMALLINT NOT NULL,
    "reason" TEXT NOT NULL,
    "set_by" TEXT,
    "set_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "ended_by" TEXT,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "score_override_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "score_override_lead_id_set_at_idx" ON "score_override"("lead_id", "set_at" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "score_override_lead_id_key" ON "score_override"("lead_id") WHERE (ended_at IS NULL);

-- AddForeignKey
ALTER TABLE "score_override" ADD CONSTRAINT "score_override_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "score_override" ADD CONSTRAINT "score_override_from_0_to_100" CHECK (score BETWEEN 0 AND 100);

ALTER TABLE score_override ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON score_override TO lead_api
  USING (organization_id = current_setting('app.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON score_override TO lead_api;
