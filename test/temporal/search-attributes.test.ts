import { InterceptingCall, type Interceptor, Metadata, status } from '@grpc/grpc-js';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { describe, expect, onTestFinished } from 'vitest';
import { carryOut } from '../../src/outbox/carry-out/carry-out.ts';
import { explainFailure } from '../../src/outbox/failure.ts';
import { openSearchAttributeRegistry } from '../../src/temporal/search-attribute-registry.ts';
import { onboardingWorkflowId, SEARCH_ATTRIBUTES } from '../../workflows/contract.ts';
import { type LogLine, recordLog } from '../support/log.ts';
import { keywords, newNamespace } from '../support/namespace.ts';
import { takeIn, test } from '../support/onboarding.ts';

const INT = 3; // temporal.api.enums.v1.IndexedValueType
const QUICK = { 'out of reach': 5, 'to be mended': 5 };

/** Refuses a method, as a server does where it is not allowed. */
const refuse =
  (method: string, code: status): Interceptor =>
  (options, next) => {
    if (!options.method_definition.path.endsWith(`/${method}`)) return new InterceptingCall(next(options));
    return new InterceptingCall(next(options), {
      start(_metadata, listener) {
        listener.onReceiveStatus({ code, details: 'by the test', metadata: new Metadata() });
      },
      sendMessage: () => undefined,
      halfClose: () => undefined,
    });
  };

function open(client: Client) {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const { log, lines } = recordLog();
  let looks = 0;
  const counted = {
    get client() {
      looks += 1;
      return client;
    },
  };
  const registry = openSearchAttributeRegistry(counted, log, stopping.signal, QUICK);
  const severalLooks = () => expect.poll(() => looks, { interval: 10 }).toBeGreaterThan(3);
  return { registry, severalLooks, warnings: () => lines.filter(({ msg }) => msg.includes('search attributes')) };
}

/** One that has looked several times; anew, where a busy server took longer to answer than a look may. */
async function openAndLook(client: Client): Promise<ReturnType<typeof open>> {
  const opened = open(client);
  await opened.severalLooks();
  const isLate = ({ err }: LogLine) => (err as { code?: unknown } | undefined)?.code === status.DEADLINE_EXCEEDED;
  return opened.warnings().some(isLate) ? openAndLook(client) : opened;
}

describe('a search attribute that the cluster has with another type', () => {
  test('leaves runs without attributes, with one warning, and no order is put aside', async ({ database }) => {
    const { client } = await newNamespace({ LeadId: INT });
    const { registry, warnings } = await openAndLook(client);
    expect(registry.known).toBe(false);
    expect(warnings()).toMatchObject([{ problem: 'of another type than Keyword: LeadId' }]);

    const { log } = recordLog();
    let forgotten = 0;
    const deceived = { known: true, forget: () => void (forgotten += 1) };
    for (const searchAttributes of [registry, deceived]) {
      const order = await takeIn(database);
      await carryOut({ client, log, searchAttributes }, order);
      const run = client.workflow.getHandle(onboardingWorkflowId(order.leadId));
      expect((await run.describe()).status.name).toBe('RUNNING');
      await run.terminate();
    }
    expect(forgotten).toBe(1);
  });

  test('is about every start: orders that meet it are kept, and their reason quotes none of them', async ({
    database,
  }) => {
    const { client } = await newNamespace({ ...keywords(SEARCH_ATTRIBUTES.slice(1)), LeadId: INT });
    const order = await takeIn(database);
    const typedSearchAttributes = [{ key: defineSearchAttributeKey('LeadId', 'KEYWORD'), value: order.leadId }];
    const err: unknown = await client.workflow
      .start('leadOnboarding', { taskQueue: 'none', workflowId: order.leadId, typedSearchAttributes })
      .catch((failure: unknown) => failure);
    const { kind, reason } = explainFailure(err);
    expect(kind).toBe('refused');
    expect(reason).not.toContain(order.leadId);
  });
});

describe('where attributes are not for us to make', () => {
  const CODES = ['PERMISSION_DENIED', 'UNIMPLEMENTED'] as const;

  test.for(CODES)('those that are there are used: %s', async (code) => {
    const { client } = await newNamespace(keywords(SEARCH_ATTRIBUTES), [refuse('AddSearchAttributes', status[code])]);
    const { registry, warnings } = open(client);
    await expect.poll(() => registry.known).toBe(true);
    expect(warnings()).toEqual([]);
  });

  test.for(CODES)(
    'one warning says that they are missing, and they are used once somebody has made them: %s',
    async (code) => {
      const { client, add } = await newNamespace(keywords(SEARCH_ATTRIBUTES.slice(0, 2)), [
        refuse('AddSearchAttributes', status[code]),
      ]);
      const { registry, warnings } = await openAndLook(client);
      expect(registry.known).toBe(false);
      expect(warnings()).toMatchObject([
        { problem: `not there, or not for us to look up or to make (gRPC ${status[code]})` },
      ]);
      await add(keywords(SEARCH_ATTRIBUTES.slice(2)));
      await expect.poll(() => registry.known).toBe(true);
      expect(warnings()).toHaveLength(1);
    },
  );
});
