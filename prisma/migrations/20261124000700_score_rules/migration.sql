-- CreateEnum
CREATE TYPE "score_cause" AS ENUM ('ONBOARDING', 'RESCORE');

-- CreateTable
CREATE TABLE "score_rule_set" (
    "organization_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "rules" JSONB NOT NULL,
    "created_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "score_rule_set_pkey" PRIMARY KEY ("organization_id","version")
);

-- CreateTable
CREATE TABLE "score" (
    "id" UUID NOT NULL,
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "rule_version" INTEGER NOT NULL,
    "score" SMALLINT NOT NULL,
    "band" "score_band" NOT NULL,
    "lines" JSONB NOT NULL,
    "failed_rules" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "cause" "score_cause" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "score_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "score_lead_id_at_id_idx" ON "score"("lead_id", "at" DESC, "id" DESC);

-- AddForeignKey
ALTER TABLE "score" ADD CONSTRAINT "score_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What the lines of a score sum to.
CREATE FUNCTION score_of(lines jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(sum((line ->> 'points')::int), 0) FROM jsonb_array_elements(lines) AS line
$$;

ALTER TABLE "score"
  ADD CONSTRAINT "score_is_its_lines" CHECK (score = score_of(lines)),
  ADD CONSTRAINT "score_from_0_to_100" CHECK (score BETWEEN 0 AND 100);
-- Not for the rows that are there: the code that wrote them saw to it, and the table is not locked for a reading.
ALTER TABLE "lead" ADD CONSTRAINT "lead_score_is_its_lines"
  CHECK (score_breakdown IS NULL OR score = score_of(score_breakdown)) NOT VALID;

-- The scores that there are begin the history: they come from the built-in rules, version 0, whose reasons were English.
INSERT INTO score (id, lead_id, organization_id, rule_version, score, band, lines, cause, at)
SELECT gen_random_uuid(), id, organization_id, 0, score, score_band,
       (SELECT coalesce(jsonb_agg(line || jsonb_build_object(
                 'reason', jsonb_build_object('pt-BR', line -> 'reason', 'en', line -> 'reason')) ORDER BY number), '[]')
        FROM jsonb_array_elements(score_breakdown) WITH ORDINALITY AS parts(line, number)),
       'ONBOARDING', updated_at
FROM lead WHERE score IS NOT NULL AND score_band IS NOT NULL AND score_breakdown IS NOT NULL;

ALTER TABLE score_rule_set ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON score_rule_set TO lead_api
  USING (organization_id = current_setting('app.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON score_rule_set TO lead_api;
ALTER TABLE score ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON score TO lead_api
  USING (organization_id = current_setting('app.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON score TO lead_api;
