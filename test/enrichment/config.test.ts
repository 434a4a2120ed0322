import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/enrichment/config/read-config.ts';
import { allowHosts } from '../../src/safe-fetch/allowed-hosts.ts';

const SOURCE = { name: 'people', url: 'https://api.acme.com/v1?email={email}', fields: { jobTitle: 'person.title' } };
const WITH_KEY = { ...SOURCE, auth: { env: 'PEOPLE_KEY' } };

async function read(content: unknown, variables: NodeJS.ProcessEnv = {}, allow: string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'enrichment-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'enrichment.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readConfig(file, variables, allowHosts(allow));
}

it('without a file everything is as preset', async () => {
  const config = await readConfig(undefined, {}, allowHosts([]));
  expect(config).toMatchObject({ http: [], webSite: { dailyBudget: 20_000, cacheHours: { found: 168, nothing: 24 } } });
});

it('a provider needs a name, an address and a field, and its key comes from the environment', async () => {
  const config = await read({ http: [WITH_KEY] }, { PEOPLE_KEY: 'secret' });
  expect(config.http[0]).toMatchObject({
    timeoutMs: 8_000,
    confidence: 0.7,
    circuit: { failures: 5, pauseSeconds: 30 },
  });
  expect(config.headersOf.get('people')).toEqual({ authorization: 'Bearer secret' });
});

describe('a file is refused, with what to change,', () => {
  it.each([
    ['that is no JSON', '{', /is no JSON/],
    ['with an unknown part', { htpp: [] }, /htpp/],
    ['with an unknown provider in its order', { order: ['email', 'web'] }, /order\.1: web is none of email, phone/],
    ['with one twice in its order', { order: ['email', 'email'] }, /order\.1: email is there twice/],
    ['with two of a name', { http: [SOURCE, SOURCE] }, /http\.1\.name: people is there twice/],
    ['with the name of a built-in one', { http: [{ ...SOURCE, name: 'web-site' }] }, /http\.0\.name: is taken/],
    ['with an unknown placeholder', { http: [{ ...SOURCE, url: 'https://a.com/{name}' }] }, /email, phone.*not name/],
    ['with a host in braces', { http: [{ ...SOURCE, url: 'https://{companyDomain}/x' }] }, /no part in braces/],
    ['with user and password', { http: [{ ...SOURCE, url: 'https://{email}@a.com/' }] }, /no part in braces/],
    ['with another port', { http: [{ ...SOURCE, url: 'https://a.com:8443/{email}' }] }, /url: takes port 80/],
    ['with a key over http', { http: [{ ...WITH_KEY, url: 'http://a.com/{email}' }] }, /url: takes https/],
    ['with a key that is not set', { http: [WITH_KEY] }, /auth\.env: the variable PEOPLE_KEY is not set/],
    ['with an unknown field', { http: [{ ...SOURCE, fields: { shoeSize: 'x' } }] }, /http\.0\.fields/],
    ['with a field that only we fill', { http: [{ ...SOURCE, fields: { emailKind: 'x' } }] }, /http\.0\.fields/],
    ['without fields', { http: [{ ...SOURCE, fields: {} }] }, /takes one field at least/],
    ['with an unknown policy', { writePolicy: { companyName: 'always' } }, /writePolicy\.companyName/],
  ])('%s', async (_what, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  it('that is not there', async () => {
    await expect(readConfig('/nowhere.json', {}, allowHosts([]))).rejects.toThrow(/ENRICHMENT_CONFIG names a file/);
  });
});

it('a test host may have any port, and a key over http', async () => {
  const source = { ...WITH_KEY, url: 'http://127.0.0.1:4000/{email}' };
  const config = await read({ http: [source] }, { PEOPLE_KEY: 'secret' }, ['127.0.0.1:4000']);
  expect(config.http).toHaveLength(1);
});
