import { type JobsOptions, Queue } from 'bullmq';
import { defaultJobOptions, redisConnection } from '../connection';

export enum LeadJobType {
  ENRICH_LEAD_DATA = 'ENRICH_LEAD_DATA',
  CALCULATE_LEAD_SCORE = 'CALCULATE_LEAD_SCORE',
}

export interface LeadJobData {
  type: LeadJobType;
  leadId: string;
  organizationId: string;
}

const queue = new Queue<LeadJobData>('lead', { ...redisConnection, defaultJobOptions });

const add = (type: LeadJobType) => (leadId: string, organizationId: string, options?: JobsOptions) =>
  queue.add(type, { type, leadId, organizationId }, options);

export const enrichLeadDataJob = add(LeadJobType.ENRICH_LEAD_DATA);
export const calculateLeadScoreJob = add(LeadJobType.CALCULATE_LEAD_SCORE);
