import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../src/process/environment.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import { prepareTemporal } from '../../src/local/temporal/temporal.ts';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import { environmentOf, ownServices, readCompose, type Service } from './compose.ts';
import { envconfigVariables, environmentVariables } from './variables.ts';

const compose = await readCompose();
const services = Object.entries(compose.services);
const own = ownServices(compose);
const { version } = JSON.parse(await readFile(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };

function service(name: string): Service {
  const found = compose.services[name];
  if (!found) throw new Error(`No service ${name}`);
  return found;
}

describe('the images', () => {
  it('are exact releases, and not the one that sets a server up by itself', () => {
    for (const [name, { image }] of services) {
      expect(image, name).toMatch(/:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?$/);
      expect(image, name).not.toContain('auto-setup');
    }
  });

  it('are of one version of this project, and of one Temporal server and its tools', () => {
    expect(new Set(own.map(([, { image }]) => image))).toEqual(new Set([`lead-onboarding:${version}`]));
    const [, release] = /^temporalio\/server:(.+)$/.exec(service('temporal').image) ?? [];
    for (const name of ['temporal-schema', 'temporal-namespace'])
      expect(service(name).image).toMatch(new RegExp(`^temporalio/admin-tools:${release}(-|$)`));
  });
});

describe('the processes', () => {
  const worker = (taskQueue: string) => [
    'node',
    '--enable-source-maps',
    'dist/src/worker.js',
    '--task-queue',
    taskQueue,
  ];

  it('are the API, the board, the relay, the migrations and one worker for each task queue', () => {
    const workers = Object.values(TASK_QUEUES).map((taskQueue) => [`worker-${taskQueue}`, worker(taskQueue)]);
    expect(Object.fromEntries(own.map(([name, { command }]) => [name, command]))).toEqual({
      api: ['node', '--enable-source-maps', 'dist/src/api.js'],
      board: ['node', '--enable-source-maps', 'dist/src/board.js'],
      relay: ['node', '--enable-source-maps', 'dist/src/relay.js'],
      migrate: ['node', 'prisma/engine/cli.mjs', 'migrate', 'deploy'],
      ...Object.fromEntries(workers),
    });
  });

  it.each(own)('%s gets only variables that it reads, with values that it takes', async (_name, definition) => {
    const environment = environmentOf(definition);
    const known = [...environmentVariables, ...(await envconfigVariables())];
    expect(Object.keys(environment).filter((variable) => !known.includes(variable))).toEqual([]);
    expect(() => readEnvironment(environment)).not.toThrow();
  });

  it('get every setting of theirs that may be set outside', async () => {
    const fixed = ['HOST', 'API_AUTH', 'METRICS_PORT', 'SHUTDOWN_GRACE_MS'];
    for (const entry of ['api', 'board', 'relay', 'worker']) {
      const source = await readFile(join(projectRoot(), `src/${entry}.ts`), 'utf8');
      const read = Array.from(source.matchAll(/\benv\.([A-Z_]+)/g), ([, name = '']) => name);
      const processes = own.filter(([, { command }]) => command?.includes(`dist/src/${entry}.js`));
      const given = [...fixed, ...processes.flatMap(([, definition]) => Object.keys(environmentOf(definition)))];
      expect(
        read.filter((name) => !given.includes(name)),
        entry,
      ).toEqual([]);
    }
  });

  it('work as everywhere else while no variable is set outside', () => {
    const decidedHere = ['HOST', 'HEALTH_PORT', 'METRICS_PORT', 'DATABASE_URL', 'TEMPORAL_ADDRESS', 'OPS_URL'];
    const rest = (variables: Record<string, string>) =>
      Object.entries(readEnvironment(variables)).filter(([variable]) => !decidedHere.includes(variable));
    for (const [name, definition] of own) expect(rest(environmentOf(definition)), name).toEqual(rest({}));
  });

  it('can be scaled: nothing fixes a name or a port, but for what people and callers open', () => {
    for (const [name, { container_name, ports }] of own) {
      expect(container_name, name).toBeUndefined();
      expect(ports?.length ?? 0, name).toBe(['api', 'board'].includes(name) ? 1 : 0);
    }
  });

  it('have longer to stop than the work in hand takes', () => {
    const forcedAfter = readEnvironment({}).SHUTDOWN_GRACE_MS + 10_000;
    for (const [, { stop_grace_period }] of own)
      expect(Number.parseInt(stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(forcedAfter);
  });
});

describe('what is reachable', () => {
  it('can be reached from this machine only', () => {
    const ports = services.flatMap(([, { ports = [] }]) => ports);
    expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
    const published = ports.map((port) => port.split(':')[1]);
    expect(published, 'each is published once').toEqual([...new Set(published)]);
  });

  it('is where the local stack has it', () => {
    const { PORT, BOARD_PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, TEMPORAL_UI_URL } = readEnvironment({});
    expect(service('api').ports).toEqual([`127.0.0.1:${PORT}:${environmentOf(service('api'))['PORT']}`]);
    expect(service('board').ports).toEqual([
      `127.0.0.1:${BOARD_PORT}:${environmentOf(service('board'))['BOARD_PORT']}`,
    ]);
    expect(environmentOf(service('board'))['OPS_URL']).toBe(`http://api:${environmentOf(service('api'))['PORT']}`);
    expect(service('temporal').ports).toEqual([`127.0.0.1:${TEMPORAL_PORT}:7233`]);
    expect(service('temporal-ui').ports).toEqual([`127.0.0.1:${TEMPORAL_UI_PORT}:8080`]);
    expect(environmentOf(service('api'))['TEMPORAL_UI_URL']).toBe(TEMPORAL_UI_URL);
  });

  it('moves with the variables of the local stack', async () => {
    const moved = await readCompose({ PORT: '4000', TEMPORAL_UI_PORT: '9000' });
    expect(moved.services['api']?.ports).toEqual(['127.0.0.1:4000:3000']);
    expect(moved.services['api']?.environment?.['TEMPORAL_UI_URL']).toBe('http://127.0.0.1:9000');
  });
});

describe('every service', () => {
  it.each(services)('%s can do nothing that it need not, and takes a part of the machine', (_name, definition) => {
    expect(definition).toMatchObject({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(definition.mem_limit).toMatch(/^[1-9]\d*[mg]$/);
    expect(definition.pids_limit).toBeGreaterThan(0);
    for (const more of ['cap_add', 'privileged', 'network_mode']) expect(definition).not.toHaveProperty(more);
  });

  it('has a weight on the processors, by which the API and the Postgres that it waits for come first', () => {
    const weight = (name: string) => service(name).cpu_shares ?? Number.NaN;
    const awaited = ['api', 'postgres'];
    for (const [name] of services.filter(([name]) => !awaited.includes(name)))
      expect(Math.min(...awaited.map(weight)), name).toBeGreaterThanOrEqual(4 * weight(name));
  });

  it.each(services)('%s names its networks, so that it is not on the one of all', (_name, { networks = [] }) => {
    expect(networks.length).toBeGreaterThan(0);
    expect(networks.filter((network) => !(network in compose.networks))).toEqual([]);
  });
});

describe('the networks', () => {
  const on = (network: string) =>
    services.flatMap(([name, { networks = [] }]) => (networks.includes(network) ? [name] : []));
  const neighboursOf = (name: string) => [...new Set((service(name).networks ?? []).flatMap(on))].toSorted();

  it('let those out who have to fetch something outside, and those in who have a port', () => {
    const open = Object.keys(compose.networks).filter((network) => compose.networks[network]?.internal !== true);
    const outside = services.flatMap(([name, { networks = [] }]) =>
      networks.some((network) => open.includes(network)) ? [name] : [],
    );
    const withPort = services.flatMap(([name, { ports = [] }]) => (ports.length > 0 ? [name] : []));
    expect(outside.toSorted()).toEqual(['worker-lead', 'worker-webhook', ...withPort].toSorted());
    expect(on('egress')).toEqual(['worker-lead', 'worker-webhook']);
  });

  it.each(on('egress'))(
    '%s, which talks to strangers, finds Postgres, Temporal, its like and who measures it',
    (name) => {
      expect(neighboursOf(name)).toEqual(['postgres', 'prometheus', 'temporal', 'worker-lead', 'worker-webhook']);
    },
  );

  it('show Postgres to those only who have a user in it', () => {
    const withDatabase = services.flatMap(([name, definition]) =>
      /DATABASE_URL|SQL_USER|POSTGRES_SEEDS/.test(JSON.stringify(definition)) ? [name] : [],
    );
    expect(neighboursOf('postgres')).toEqual([...withDatabase, 'postgres'].toSorted());
  });

  it('have on them whom a service is told to reach', () => {
    for (const [name, definition] of services) {
      const reached = Object.keys(compose.services).filter((other) =>
        Object.values(environmentOf(definition)).some((value) => new RegExp(`(^|@)${other}(:\\d|$)`).test(value)),
      );
      expect(neighboursOf(name), name).toEqual(expect.arrayContaining(reached));
    }
  });
});

describe('the health checks', () => {
  const checked = own.filter(([name]) => name !== 'migrate');

  it.each(checked)('%s is asked on the port that it listens on', (_name, { healthcheck, ...definition }) => {
    const { PORT, BOARD_PORT, HEALTH_PORT } = environmentOf(definition);
    const [, port, path] = /http:\/\/127\.0\.0\.1:(\d+)(\/\w+)/.exec(healthcheck?.test.join(' ') ?? '') ?? [];
    expect(port).toBe(PORT ?? BOARD_PORT ?? HEALTH_PORT);
    expect(path).toBe('/readyz');
  });

  it('exist where somebody waits for them, and what is waited for to end does end', () => {
    const awaited = services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
    expect(awaited.length).toBeGreaterThan(services.length / 2);
    for (const [name, { condition }] of awaited) {
      const { healthcheck, restart } = service(name);
      if (condition === 'service_healthy') expect(healthcheck?.test[0], name).toBe('CMD');
      else expect([condition, restart], name).toEqual(['service_completed_successfully', 'on-failure:3']);
    }
  });

  it('are there for all that is kept running', () => {
    for (const [name, { healthcheck, restart }] of services)
      expect(restart, name).toBe(healthcheck ? 'unless-stopped' : 'on-failure:3');
  });
});

describe('the servers', () => {
  const { LEAD_DB_PASSWORD, POSTGRES_DB } = environmentOf(service('postgres'));

  it('are the ones that the processes connect to', () => {
    for (const [name, definition] of own) {
      const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = environmentOf(definition);
      if (DATABASE_URL !== undefined)
        expect(DATABASE_URL).toBe(`postgres://lead_onboarding:${LEAD_DB_PASSWORD}@postgres:5432/lead_onboarding`);
      if (name === 'migrate' || name === 'board') continue;
      expect([TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE]).toEqual([
        environmentOf(service('temporal-namespace'))['TEMPORAL_ADDRESS'],
        environmentOf(service('temporal-namespace'))['TEMPORAL_NAMESPACE'],
      ]);
    }
    expect(POSTGRES_DB).toBeUndefined(); // the superuser's own, which nobody uses
  });

  it('have users with passwords of their own, and only PostgreSQL knows that of its superuser', async () => {
    const { services } = await readCompose({
      POSTGRES_PASSWORD: 'of-root',
      LEAD_DB_PASSWORD: 'of-leads',
      TEMPORAL_DB_PASSWORD: 'of-temporal',
    });
    const knowing = (word: string) =>
      Object.entries(services).flatMap(([name, definition]) =>
        JSON.stringify(definition).includes(word) ? [name] : [],
      );
    expect(knowing('of-root')).toEqual(['postgres']);
    const workers = ['worker-notification', 'worker-lead', 'worker-webhook'];
    expect(knowing('of-leads')).toEqual(['api', 'relay', ...workers, 'migrate', 'postgres']);
    expect(knowing('of-temporal')).toEqual(['postgres', 'temporal-schema', 'temporal']);
    expect(environmentOf(service('temporal'))['POSTGRES_USER']).toBe('temporal');
  });

  it('keep Temporal in databases of its own on the same PostgreSQL', () => {
    const server = environmentOf(service('temporal'));
    const schema = environmentOf(service('temporal-schema'));
    expect([server['DB'], server['POSTGRES_SEEDS'], server['DB_PORT'], server['POSTGRES_USER']]).toEqual([
      schema['SQL_PLUGIN'],
      schema['SQL_HOST'],
      schema['SQL_PORT'],
      schema['SQL_USER'],
    ]);
  });

  it('keep the data of PostgreSQL 18 in a volume', () => {
    expect(service('postgres').image).toMatch(/^postgres:18\./);
    expect(service('postgres').volumes).toEqual(['postgres:/var/lib/postgresql']);
  });

  it('give tasks out by priority and fairness, tell of slots and keep within their memory, as the local stack does', async () => {
    const { args } = await prepareTemporal({ cli: 'temporal', port: 7233, dbFilename: 'temporal.db' });
    const local = args.filter(
      (arg, index) =>
        args[index - 1] === '--dynamic-config-value' && /^(matching|frontend|history\.hostLevelCache)/.test(arg),
    );
    const [mount] = service('temporal').configs ?? [];
    expect(environmentOf(service('temporal'))['DYNAMIC_CONFIG_FILE_PATH']).toBe(mount?.target);
    const content = compose.configs[mount?.source ?? '']?.content ?? '';
    const settings = content.matchAll(/^([\w.]+):\n {2}- value: (\w+)$/gm);
    expect(Array.from(settings, ([, name, value]) => `${name}=${value}`)).toEqual(local);
  });
});
