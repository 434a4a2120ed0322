import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { onboardingWorkflowId, TASK_QUEUES } from '../../workflows/contract.ts';
import { recordLog } from '../support/log.ts';
import { takeIn, test } from '../support/onboarding.ts';
import { startSite } from '../support/outside/site.ts';
import { startProcess } from '../support/processes.ts';
import { createTestClient } from '../support/temporal.ts';
import { startWorkers } from '../support/workers.ts';
import { carrierTo } from '../support/relay.ts';

async function writeConfig(config: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'enrichment-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'enrichment.json');
  await writeFile(file, JSON.stringify(config));
  return file;
}

describe('a worker process of the queue lead', () => {
  test('enriches from the service that its configuration names, with the key of its environment', async ({
    database,
  }) => {
    const site = await startSite((_request, response) => response.end('{"person":{"title":"CTO"}}'));
    const file = await writeConfig({
      http: [
        {
          name: 'people-api',
          url: `http://127.0.0.1:${site.port}/v1?email={email}`,
          auth: { env: 'PEOPLE_API_KEY' },
          fields: { jobTitle: 'person.title' },
        },
      ],
    });
    const settings = {
      DATABASE_URL: database.url,
      ENRICHMENT_CONFIG: file,
      ENRICHMENT_ALLOW_HOSTS: `127.0.0.1:${site.port}`,
      PEOPLE_API_KEY: 'secret',
    };
    const worker = await startProcess('worker', settings, ['--task-queue', TASK_QUEUES.lead]);
    const { log } = recordLog();
    const others = await startWorkers(database, log, {}, [TASK_QUEUES.onboarding, TASK_QUEUES.notification]);
    const client = createTestClient();
    const order = await takeIn(database);
    await carrierTo(client, log)(order);
    await client.workflow.getHandle(onboardingWorkflowId(order.leadId)).result();
    await others.stop();
    await client.connection.close();

    const { enrichment } = await database.prisma.lead.findUniqueOrThrow({ where: { id: order.leadId } });
    expect(enrichment).toMatchObject({
      outcome: 'completed',
      fields: { jobTitle: { value: 'CTO', source: 'people-api', method: 'api', confidence: 0.7 } },
    });
    expect(site.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret']);
    const output = JSON.stringify(worker.log());
    expect(output).not.toMatch(/secret|joao|CTO/);
  });

  test('does not start with a configuration that cannot be used', async ({ database }) => {
    const file = await writeConfig({ order: ['email', 'fone'] });
    const settings = { DATABASE_URL: database.url, ENRICHMENT_CONFIG: file };
    const worker = await startProcess('worker', settings, ['--task-queue', TASK_QUEUES.lead]);
    expect(await worker.exited).toEqual([1, null]);
  });
});
