SET lock_timeout = '5s';

-- AlterTable
ALTER TABLE "api_key" ADD COLUMN     "made_by_key" UUID,
ADD COLUMN     "made_by_user" TEXT,
ADD COLUMN     "replaces" UUID;

-- CreateTable
CREATE TABLE "audit_entry" (
    "id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "data" JSONB NOT NULL DEFAULT '{}',
    "caller" JSONB NOT NULL,

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_entry_organization_id_at_id_idx" ON "audit_entry"("organization_id", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "api_key_made_by_key_idx" ON "api_key"("made_by_key");

ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON audit_entry TO lead_api
  USING (organization_id = current_setting('app.organization_id', true));
GRANT SELECT, INSERT ON audit_entry TO lead_api;

-- Taking leads in and erasing them have scopes of their own now: keys of before keep what they could do.
UPDATE api_key SET scopes = scopes || ARRAY['leads:create', 'leads:erase']
  WHERE 'leads:write' = ANY (scopes) AND NOT 'leads:create' = ANY (scopes);
