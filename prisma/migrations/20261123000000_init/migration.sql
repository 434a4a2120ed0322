-- What the search in leads stands on. The owner of a database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- CreateEnum
CREATE TYPE "lead_status" AS ENUM ('NEW', 'CONTACTED', 'QUALIFIED', 'UNQUALIFIED', 'CONVERTED', 'LOST');

-- CreateEnum
CREATE TYPE "lead_source" AS ENUM ('WEBSITE', 'FORM', 'ADS', 'EVENT', 'REFERRAL', 'PARTNER', 'CRM', 'IMPORT', 'OTHER');

-- CreateEnum
CREATE TYPE "lead_priority" AS ENUM ('CRITICAL', 'HIGH', 'NORMAL', 'LOW');

-- CreateEnum
CREATE TYPE "score_band" AS ENUM ('HOT', 'WARM', 'COLD');

-- CreateEnum
CREATE TYPE "onboarding_state" AS ENUM ('PENDING', 'RUNNING', 'COMPLETED', 'PARTIAL', 'FAILED', 'CANCELED');

-- CreateEnum
CREATE TYPE "outbox_kind" AS ENUM ('START_ONBOARDING', 'SIGNAL_ONBOARDING', 'NOTIFY_ASSIGNEE');

-- CreateEnum
CREATE TYPE "outbox_status" AS ENUM ('PENDING', 'DEAD');

-- CreateTable
CREATE TABLE "lead" (
    "id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT,
    "email_key" TEXT,
    "phone" TEXT,
    "company" TEXT,
    "status" "lead_status" NOT NULL DEFAULT 'NEW',
    "source" "lead_source" NOT NULL DEFAULT 'WEBSITE',
    "assigned_to" TEXT,
    "assignment" INTEGER NOT NULL DEFAULT 0,
    "priority" "lead_priority" NOT NULL DEFAULT 'NORMAL',
    "locale" TEXT NOT NULL DEFAULT 'pt-BR',
    "attributes" JSONB NOT NULL DEFAULT '{}',
    "score" SMALLINT,
    "score_band" "score_band",
    "score_breakdown" JSONB,
    "enrichment" JSONB,
    "onboarding_state" "onboarding_state" NOT NULL DEFAULT 'PENDING',
    "onboarding_round" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "lead_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "lead_event" (
    "id" UUID NOT NULL,
    "seq" BIGSERIAL NOT NULL,
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "data" JSONB NOT NULL DEFAULT '{}',
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "step_key" TEXT,

    CONSTRAINT "lead_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outbox" (
    "id" UUID NOT NULL,
    "lead_id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "kind" "outbox_kind" NOT NULL,
    "payload" JSONB NOT NULL DEFAULT '{}',
    "status" "outbox_status" NOT NULL DEFAULT 'PENDING',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "available_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification" (
    "id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "lead_id" UUID NOT NULL,
    "user_id" TEXT NOT NULL,
    "assignment" INTEGER NOT NULL,
    "type" TEXT NOT NULL DEFAULT 'INFO',
    "title" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "action_url" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "read_at" TIMESTAMPTZ(3),

    CONSTRAINT "notification_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_key" (
    "organization_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "lead_id" UUID,
    "response" JSONB,
    "duplicate" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("organization_id","key")
);

-- CreateIndex
CREATE INDEX "lead_organization_id_created_at_id_idx" ON "lead"("organization_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "lead_organization_id_status_created_at_id_idx" ON "lead"("organization_id", "status", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "lead_organization_id_source_created_at_id_idx" ON "lead"("organization_id", "source", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "lead_organization_id_assigned_to_created_at_id_idx" ON "lead"("organization_id", "assigned_to", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "lead_organization_id_score_band_created_at_id_idx" ON "lead"("organization_id", "score_band", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "lead_onboarding_state_updated_at_idx" ON "lead"("onboarding_state", "updated_at");

-- CreateIndex
CREATE INDEX "lead_search_idx" ON "lead" USING GIN ("name" gin_trgm_ops, "email" gin_trgm_ops, "company" gin_trgm_ops, "phone" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "lead_organization_id_email_key_key" ON "lead"("organization_id", "email_key");

-- CreateIndex
CREATE UNIQUE INDEX "lead_event_seq_key" ON "lead_event"("seq");

-- CreateIndex
CREATE INDEX "lead_event_lead_id_at_seq_idx" ON "lead_event"("lead_id", "at", "seq");

-- CreateIndex
CREATE UNIQUE INDEX "lead_event_lead_id_step_key_key" ON "lead_event"("lead_id", "step_key");

-- CreateIndex
CREATE INDEX "outbox_status_available_at_idx" ON "outbox"("status", "available_at");

-- CreateIndex
CREATE INDEX "outbox_lead_id_idx" ON "outbox"("lead_id");

-- CreateIndex
CREATE INDEX "notification_organization_id_user_id_created_at_id_idx" ON "notification"("organization_id", "user_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "notification_organization_id_user_id_read_at_idx" ON "notification"("organization_id", "user_id", "read_at");

-- CreateIndex
CREATE UNIQUE INDEX "notification_lead_id_assignment_key" ON "notification"("lead_id", "assignment");

-- CreateIndex
CREATE INDEX "idempotency_key_expires_at_idx" ON "idempotency_key"("expires_at");

-- CreateIndex
CREATE INDEX "idempotency_key_lead_id_idx" ON "idempotency_key"("lead_id");

-- AddForeignKey
ALTER TABLE "notification" ADD CONSTRAINT "notification_lead_id_fkey" FOREIGN KEY ("lead_id") REFERENCES "lead"("id") ON DELETE CASCADE ON UPDATE CASCADE;
