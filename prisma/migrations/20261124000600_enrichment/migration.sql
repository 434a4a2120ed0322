-- CreateTable
CREATE TABLE "enrichment_run" (
    "lead_id" UUID NOT NULL,
    "run" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "calls" INTEGER NOT NULL,

    CONSTRAINT "enrichment_run_pkey" PRIMARY KEY ("lead_id","run")
);

-- CreateTable
CREATE TABLE "enrichment_cache" (
    "organization_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "key_hash" BYTEA NOT NULL,
    "lead_id" UUID,
    "answer" JSONB NOT NULL,
    "fetched_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "enrichment_cache_pkey" PRIMARY KEY ("organization_id","provider","key_hash")
);

-- CreateTable
CREATE TABLE "enrichment_budget" (
    "organization_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "used" INTEGER NOT NULL,

    CONSTRAINT "enrichment_budget_pkey" PRIMARY KEY ("organization_id","provider","day")
);

-- CreateTable
CREATE TABLE "enrichment_circuit" (
    "provider" TEXT NOT NULL,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "open_until" TIMESTAMPTZ(3),

    CONSTRAINT "enrichment_circuit_pkey" PRIMARY KEY ("provider")
);

-- CreateTable
CREATE TABLE "enrichment_observation" (
    "lead_id" UUID NOT NULL,
    "field" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "method" TEXT NOT NULL,
    "confidence" DOUBLE PRECISION NOT NULL,
    "fetched_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "enrichment_observation_pkey" PRIMARY KEY ("lead_id","field","source")
);

-- CreateIndex
CREATE INDEX "enrichment_cache_expires_at_idx" ON "enrichment_cache"("expires_at");

-- CreateIndex
CREATE INDEX "enrichment_cache_lead_id_idx" ON "enrichment_cache"("lead_id");

-- AddForeignKey
ALTER TABLE "enrichment_run" ADD CONSTRAINT "enrichment_run_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "enrichment_cache" ADD CONSTRAINT "enrichment_cache_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "enrichment_observation" ADD CONSTRAINT "enrichment_observation_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- Row security: a request sees what belongs to its organization.
DO $$
DECLARE
  tenant_table text;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY['enrichment_run', 'enrichment_cache', 'enrichment_budget', 'enrichment_observation']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format($policy$CREATE POLICY own_organization ON %I TO lead_api
                     USING (organization_id = current_setting('app.organization_id', true))$policy$, tenant_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO lead_api', tenant_table);
  END LOOP;
END $$;
