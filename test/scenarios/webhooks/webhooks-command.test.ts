import { describe, expect } from 'vitest';
import type { Endpoint } from '../../../src/webhooks/endpoint.ts';
import { runEntry } from '../../support/run-entry.ts';
import { test } from '../../support/onboarding.ts';

const webhooks = ({ url }: { url: string }, ...args: string[]) =>
  runEntry('webhooks', args, { DATABASE_URL: url, WEBHOOK_ALLOW_HOSTS: '' });

const CREATE = ['create', '--organization', 'org-cli', '--url', 'https://hooks.acme.com/leads'];

describe('npm run webhooks', () => {
  test('makes an endpoint, pauses it, lets it go on, tests and tells it again, and deletes it', async ({
    database,
  }) => {
    const made = await webhooks(database, ...CREATE, '--types', 'lead.created,lead.erased');
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^whsec_[\w+/=]{44}\n$/) as string });
    expect(made.stderr).toMatch(/org-cli {2}https:\/\/hooks\.acme\.com\/leads {2}lead\.created,lead\.erased {2}active/);

    const json = async <T>(...args: string[]) => {
      const { code, stdout, stderr } = await webhooks(database, ...args, '--json');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return JSON.parse(stdout) as T;
    };
    await webhooks(database, 'create', '--organization', 'org-two', '--url', 'https://hooks.acme.com/two');
    const ownersOf = async (...args: string[]) =>
      (await json<Endpoint[]>('list', ...args)).map(({ organizationId }) => organizationId);
    expect(await ownersOf()).toEqual(['org-cli', 'org-two']);
    const [endpoint] = await json<Endpoint[]>('list', '--organization', 'org-cli');
    const id = endpoint?.id ?? '';
    expect(await json('pause', id)).toMatchObject({ state: 'paused', pausedBecause: 'requested' });
    expect(await json('resume', id)).toMatchObject({ state: 'active' });
    const { secret } = await json<{ secret: string }>('rotate-secret', id, '--keep-old-for-hours', '2');
    expect(secret).not.toBe(made.stdout.trim());
    const { eventId } = await json<{ eventId: string }>('test', id);
    expect(await json('redeliver', id, '--event', eventId)).toMatchObject({ setAside: 1 });
    expect(await json('attempts', id)).toEqual([]);
    expect(await json('delete', id)).toEqual({ id, deleted: true });
    const noted = await database.prisma.auditEntry.findMany({ where: { subject: id }, orderBy: { at: 'asc' } });
    expect(noted.map(({ action }) => action)).toEqual([
      'webhook.created',
      'webhook.changed',
      'webhook.changed',
      'webhook.secret-rotated',
      'webhook.tested',
      'webhook.redelivered',
      'webhook.deleted',
    ]);
  });

  test.for([
    ['a type that there is not', [...CREATE, '--types', 'lead.sold'], /--types/],
    ['an address inside', ['create', '--organization', 'o', '--url', 'https://10.0.0.1/'], /public Internet/],
    ['an address without https', ['create', '--organization', 'o', '--url', 'http://acme.com/'], /public Internet/],
    [
      'an endpoint that there is not',
      ['pause', '01a228f6-0bdb-74f6-aebe-02b9dea7c13d'],
      /There is no webhook endpoint/,
    ],
    ['no way of telling again', ['redeliver', '01a228f6-0bdb-74f6-aebe-02b9dea7c13d'], /one of --event/],
  ] as const)('refuses %s in a line', async ([, args, message], { database }) => {
    const { code, stderr } = await webhooks(database, ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
  });
});
