import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { EXAMPLE_LEAD } from '../../src/leads/example-lead.ts';
import { freePort } from '../../src/local/ports.ts';
import { ensureDatabase } from '../../src/local/postgres/database.ts';
import { connectionStringOf } from '../../src/local/postgres/postgres.ts';
import { runCommand } from '../../src/local/processes/run-command.ts';
import { ownServices, readCompose } from '../deploy/compose.ts';
import { findContainerEngine } from '../deploy/container-engine.ts';
import { finalStage } from '../deploy/dockerfile.ts';
import { readDockerfile } from '../deploy/image.ts';
import { testNamespace } from '../support/temporal.ts';

const MB = 1_000_000;
const MOST_ABOVE_BASE_MB = 300;
const IMAGE = 'lead-onboarding:test';
/** Two installations of all packages from the network, on a busy machine. */
const BUILD_WITHIN_MS = 30 * 60_000;

const engine = await findContainerEngine();
const longRunning = ownServices(await readCompose()).filter(([, { healthcheck }]) => healthcheck);

describe.skipIf(!engine)('the image that the Dockerfile makes', () => {
  const running = new Map<string, { child: ChildProcess; output: string[] }>();
  const ports = new Map<string, number>();
  let before: string[];
  let settings: string[];

  beforeAll(async () => {
    await engine?.build(IMAGE);
    before = (await engine?.open(IMAGE)) ?? [];
    const database = `image_${randomBytes(6).toString('hex')}`;
    await ensureDatabase(connectionStringOf(inject('postgresPort')), database);
    settings = [
      `DATABASE_URL=${connectionStringOf(inject('postgresPort'), database)}`,
      `TEMPORAL_ADDRESS=${inject('temporalAddress')}`,
      `TEMPORAL_NAMESPACE=${testNamespace()}`,
      'ENRICHMENT_DELAY_MS=50',
    ];
    for (const [name] of longRunning) ports.set(name, await freePort());
  }, BUILD_WITHIN_MS);

  afterAll(async () => {
    for (const { child } of running.values()) child.kill('SIGKILL');
    await engine?.close();
  });

  /** What runs a command of the image, with the settings and some more. */
  function commandLine(command: string[], ...more: string[]): [string, string[]] {
    const [program = '', ...args] = [...before, 'env', ...settings, ...more, ...command];
    return [program, args];
  }

  it(`is at most ${MOST_ABOVE_BASE_MB} MB above its base`, async () => {
    const base = finalStage(await readDockerfile()).image;
    const above = ((await engine?.sizeOf(IMAGE)) ?? 0) - ((await engine?.sizeOf(base)) ?? 0);
    console.log(`${Math.round(above / MB)} MB above ${base}, by ${engine?.name}`);
    expect(above).toBeGreaterThan(0);
    expect(above).toBeLessThanOrEqual(MOST_ABOVE_BASE_MB * MB);
  });

  it('brings an empty database to the newest schema, and can tell that it is there', async () => {
    for (const [command = '', says] of [
      ['deploy', /have been successfully applied/],
      ['deploy', /No pending migrations/],
      ['status', /Database schema is up to date/],
    ] as const) {
      const { ok, stdout, stderr } = await runCommand(
        ...commandLine(['node', 'prisma/engine/cli.mjs', 'migrate', command]),
      );
      expect(stdout + stderr).toMatch(says);
      expect(ok).toBe(true);
    }
  });

  it.each(longRunning)('runs %s, which becomes ready', async (name, { command = [] }) => {
    const port = ports.get(name) ?? 0;
    const own = ['PORT', 'BOARD_PORT', 'HEALTH_PORT'].map((variable) => `${variable}=${port}`);
    const child = spawn(...commandLine(command, ...own, `OPS_URL=http://127.0.0.1:${ports.get('api') ?? 0}`));
    const output: string[] = [];
    running.set(name, { child, output });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (part: Buffer) => output.push(part.toString()));
    const status = async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${output.join('')}`);
      return fetch(`http://127.0.0.1:${port}/readyz`).then(
        (answer) => answer.status,
        () => undefined,
      );
    };
    await expect.poll(status, { interval: 200, message: name }).toBe(200);
  });

  it("onboards the seed's lead, for the holder of a key that it makes", async ({ onTestFailed }) => {
    onTestFailed(() => {
      for (const [name, { output }] of running) console.log(`${name}: ${output.join('')}`);
    });
    const keys = ['node', 'dist/src/keys.js', 'create', '--organization', EXAMPLE_LEAD.organizationId];
    const key = await runCommand(...commandLine([...keys, '--name', 'first', '--scopes', 'all']));
    expect(key).toMatchObject({ ok: true });
    const headers = { authorization: `Bearer ${key.stdout.trim()}`, 'content-type': 'application/json' };
    const url = `http://127.0.0.1:${ports.get('api') ?? 0}/api/leads`;
    const created = await fetch(url, { method: 'POST', headers, body: JSON.stringify(EXAMPLE_LEAD) });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: string };
    const read = async () => (await (await fetch(`${url}/${id}`, { headers })).json()) as Record<string, unknown>;
    await expect
      .poll(async () => (await read())['onboardingState'], { interval: 200 })
      .toMatch(/^(COMPLETED|PARTIAL)$/);
    expect(await read()).toMatchObject({
      score: expect.any(Number) as number,
      scoreBand: expect.any(String) as string,
    });
  });

  it.each(longRunning)('ends %s when it is told to', async (name) => {
    const { child, output } = running.get(name) ?? {};
    if (!child || !output) throw new Error(`${name} was not started`);
    const [, pid] = /"pid":(\d+)/.exec(output.join('')) ?? [];
    const exit = once(child, 'exit');
    engine?.stop(child, Number(pid));
    expect(await exit).toEqual([0, null]);
    expect(output.join('')).toContain('"msg":"stopped"');
  });
});
