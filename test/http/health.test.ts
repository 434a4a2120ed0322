import { Client, Connection } from '@temporalio/client';
import { describe, expect } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { createTestApi, test } from '../support/api.ts';
import { recordStatements } from '../support/statements.ts';

describe('GET /healthz', () => {
  test('says that the process lives, and asks nobody else', async ({ api }) => {
    const statements = recordStatements();
    expect(await api.call('GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(statements).toEqual([]);
  });
});

describe('GET /readyz', () => {
  test('says that leads can be taken in, and that Temporal is there', async ({ api }) => {
    const answer = await api.call('GET', '/readyz');
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok', temporal: 'reachable' } });
  });

  test('is 200 without Temporal: leads are taken in all the same', async ({ database }) => {
    const nobody = new Client({ connection: Connection.lazy({ address: `127.0.0.1:${await freePort()}` }) });
    const api = createTestApi(database, { client: nobody });
    const answer = await api.call('GET', '/readyz');
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok', temporal: 'unreachable' } });
    await api.close();
  });
});
