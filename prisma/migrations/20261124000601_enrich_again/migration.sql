-- AlterEnum
ALTER TYPE "outbox_kind" ADD VALUE 'ENRICH_LEAD';
