import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ensureDatabase } from '../../../src/local/postgres/database.ts';
import { freePort } from '../../../src/local/ports.ts';
import { connectionStringOf } from '../../../src/local/postgres/postgres.ts';
import { projectRoot } from '../../../src/local/project-root.ts';
import { runCommand } from '../../../src/local/processes/run-command.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { testNamespace } from '../../support/temporal.ts';
import { environmentOf, ownServices, readCompose, type Service } from '../../deploy/compose.ts';
import { assembleImage } from '../../deploy/image.ts';

const compose = await readCompose({ ENRICHMENT_DELAY_MS: '50' });
const longRunning = ownServices(compose).filter(([, { healthcheck }]) => healthcheck);
const running = new Map<string, ChildProcess>();
/** What each has written, whichever the stream. */
const outputs = new Map<string, string[]>();
const ports = new Map<string, number>();
const metricsPorts = new Map<string, number>();
let folder: string;
let image: string;
let database: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-image-'));
  image = await assembleImage(folder);
  database = `deploy_${randomBytes(6).toString('hex')}`;
  await ensureDatabase(connectionStringOf(inject('postgresPort')), database);
  for (const [name] of longRunning) {
    ports.set(name, await freePort());
    metricsPorts.set(name, await freePort());
  }
});

afterAll(async () => {
  for (const child of running.values()) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** The container's environment, moved to the servers and ports of the test; nothing else of this machine's gets in. */
function environment(name: string, service: Service): NodeJS.ProcessEnv {
  const env = environmentOf(service);
  const moved: NodeJS.ProcessEnv = {
    DATABASE_URL: connectionStringOf(inject('postgresPort'), database),
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: testNamespace(),
    PORT: String(ports.get(name)),
    BOARD_PORT: String(ports.get(name)),
    OPS_URL: `http://127.0.0.1:${ports.get('api') ?? 0}`,
    HEALTH_PORT: String(ports.get(name)),
    METRICS_PORT: String(metricsPorts.get(name)),
  };
  const replaced = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, moved[key] ?? value]));
  return { ...replaced, PATH: process.env['PATH'], HOME: folder };
}

function run(name: string, command: string[]) {
  const service = compose.services[name] as Service;
  const [program = '', ...args] = command;
  expect(program).toBe('node');
  return runCommand(process.execPath, args, { cwd: image, env: environment(name, service) });
}

/** Runs a service's own health check. */
function check(name: string) {
  const [, ...command] = compose.services[name]?.healthcheck?.test ?? [];
  return run(
    name,
    command.map((part) => part.replace(/(127\.0\.0\.1:)\d+/, `$1${ports.get(name) ?? 0}`)),
  );
}

/** What docs/api.md says to type, from `node` on. */
async function firstKeyCommand(): Promise<string[]> {
  const page = await readFile(join(projectRoot(), 'docs/api.md'), 'utf8');
  const [, command = ''] = /^docker compose exec api (node .+)$/m.exec(page) ?? [];
  return command.split(' ');
}

describe('the commands of the compose file, as plain processes on what the Dockerfile builds', () => {
  it('migrate brings an empty database to the newest schema, and may run again', async () => {
    const command = compose.services['migrate']?.command ?? [];
    for (const pending of [/have been successfully applied/, /No pending migrations/]) {
      const result = await run('migrate', command);
      expect(result.stdout + result.stderr).toMatch(pending);
      expect(result.ok).toBe(true);
    }
  });

  it('temporal-namespace registers the namespace, and may run again', async () => {
    const { entrypoint = [], command = [] } = compose.services['temporal-namespace'] ?? {};
    const [shell = '', ...args] = [...entrypoint, ...command];
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await symlink(inject('temporalCli'), join(bin, 'temporal'));
    const env = {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: `deploy-${randomBytes(6).toString('hex')}`,
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: folder,
    };
    for (const answer of [/successfully registered/, new RegExp(`Name +${env.TEMPORAL_NAMESPACE}`)]) {
      const result = await runCommand(shell, args, { env });
      expect(result.stdout).toMatch(answer);
      expect(result.ok).toBe(true);
    }
  });

  it.each(longRunning)('%s becomes healthy', async (name, service) => {
    expect((await check(name)).ok, 'healthy before it started').toBe(false);
    const [, ...args] = service.command ?? [];
    const child = spawn(process.execPath, args, {
      cwd: image,
      env: environment(name, service),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.set(name, child);
    const output: string[] = [];
    outputs.set(name, output);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (part: Buffer) => output.push(part.toString()));
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await check(name)).ok) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${name}: ${output.join('')}`);
      await sleep(200);
    }
  });

  it('together onboard a lead, for the holder of a key that is made as docs/api.md says', async ({ onTestFailed }) => {
    onTestFailed(() => {
      for (const [name, output] of outputs) console.log(`${name}: ${output.join('')}`);
    });
    const url = `http://127.0.0.1:${ports.get('api') ?? 0}/api/leads`;
    expect((await fetch(url)).status).toBe(401);
    const key = await run('api', await firstKeyCommand());
    expect(key).toMatchObject({ ok: true });
    const headers = { authorization: `Bearer ${key.stdout.trim()}` };
    const created = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ organizationId: 'org-123', name: 'Ana', email: 'ana@example.com', assignedTo: 'user-1' }),
    });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: string };
    await expect
      .poll(
        async () => ((await (await fetch(`${url}/${id}/onboarding`, { headers })).json()) as { state: string }).state,
        {
          interval: 200,
        },
      )
      .toMatch(/^(COMPLETED|PARTIAL)$/);
  });

  it.each(longRunning)('%s ends cleanly when it is told to', async (name) => {
    const child = running.get(name);
    if (!child || child.exitCode !== null) throw new Error(`${name} does not run`);
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });
});
