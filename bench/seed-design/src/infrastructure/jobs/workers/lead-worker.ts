import { type Job, Worker } from 'bullmq';
import { prisma } from '@/lib/prisma';
import { redisConnection } from '../connection';
import { type LeadJobData, LeadJobType } from '../queues/lead-queue';

async function processLeadJob(job: Job<LeadJobData>): Promise<void> {
  const { type, leadId, organizationId } = job.data;
  console.log(`[LeadWorker] Processing ${type} for lead ${leadId} (org: ${organizationId})`);
  switch (type) {
    case LeadJobType.ENRICH_LEAD_DATA:
      await enrichLeadData(leadId, organizationId);
      break;
    case LeadJobType.CALCULATE_LEAD_SCORE:
      await calculateLeadScore(leadId, organizationId);
      break;
  }
  console.log(`[LeadWorker] ✅ ${type} processed successfully`);
}

async function enrichLeadData(id: string, organizationId: string): Promise<void> {
  const lead = await prisma.lead.findFirstOrThrow({ where: { id, organizationId } });
  const company = lead.company ?? lead.email?.split('@')[1] ?? null;
  await prisma.lead.update({ where: { id }, data: { company, enrichedAt: new Date() } });
}

async function calculateLeadScore(id: string, organizationId: string): Promise<void> {
  const lead = await prisma.lead.findFirstOrThrow({ where: { id, organizationId } });
  const score = [lead.email, lead.phone, lead.company].filter(Boolean).length * 25;
  await prisma.lead.update({ where: { id }, data: { score, scoredAt: new Date() } });
}

export const leadWorker = new Worker('lead', processLeadJob, { ...redisConnection, concurrency: 3 });
leadWorker.on('completed', (job) => console.log(`[LeadWorker] Job ${job.id} completed`));
leadWorker.on('failed', (job, err) => console.error(`[LeadWorker] Job ${job?.id} failed`, err));
