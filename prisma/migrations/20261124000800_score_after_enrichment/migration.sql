-- AlterEnum
ALTER TYPE "score_cause" ADD VALUE 'ENRICHMENT';
