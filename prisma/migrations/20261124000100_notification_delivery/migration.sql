-- AlterTable
ALTER TABLE "notification" ADD COLUMN     "delivered_at" TIMESTAMPTZ(3);
