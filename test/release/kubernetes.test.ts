import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/local/ports.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import { runCommand } from '../../src/local/processes/run-command.ts';
import { readEnvironment } from '../../src/process/environment.ts';
import { createBoard } from '../../src/board/board.tsx';
import { serveHealth } from '../../src/process/health-server.ts';
import { TASK_QUEUES } from '../../workflows/contract.ts';
import { environmentOf, ownServices, readCompose } from '../deploy/compose.ts';
import { writeSchemas } from '../deploy/kubernetes-schemas.ts';
import {
  type Container,
  type Manifest,
  MANIFESTS,
  type NetworkPolicy,
  ofKind,
  render,
  selects,
  type Workload,
} from '../deploy/kubernetes.ts';
import { envconfigVariables, environmentVariables } from '../deploy/variables.ts';
import { goTool, hasGo } from '../support/go.ts';
import { recordLog } from '../support/log.ts';

/** What a secret might have under a key. */
const SECRETS: Record<string, string> = {
  DATABASE_URL: 'postgres://user:password@postgres:5432/leads',
  NOTIFICATION_WEBHOOK_URL: 'https://example.com/notifications',
  NOTIFICATION_WEBHOOK_SECRET: `whsec_${'A'.repeat(32)}`,
  TEMPORAL_API_KEY: 'key',
  'tls.crt': 'certificate',
  'tls.key': 'key of it',
};
/** Not a fault here: limits of CPU slow down what has nobody to wait for, tags are exact, and spread constraints spread. */
const SCORE_FLAGS = [
  '--ignore-container-cpu-limit',
  '--ignore-test=container-image-pull-policy,deployment-has-host-podantiaffinity',
  '--enable-optional-test=container-seccomp-profile,container-ports-check',
];

const root = projectRoot();
const compose = await readCompose();
const own = ownServices(compose);
const names = own.map(([name]) => name);
const backgrounds = names.filter((name) => !['api', 'board', 'migrate'].includes(name));
/** The setting that a process listens by. */
const listensBy = (name: string) => (name === 'api' ? 'PORT' : name === 'board' ? 'BOARD_PORT' : 'HEALTH_PORT');

describe.skipIf(!(await hasGo()))('the manifests for Kubernetes', () => {
  let folder: string;
  let base: Manifest[];
  let settings: Record<string, string>;
  let rendered: Record<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lead-onboarding-kubernetes-'));
    await writeFile(join(folder, 'kustomization.yaml'), await ownKustomization());
    const folders = { base: join(MANIFESTS, 'base'), cloud: join(MANIFESTS, 'temporal-cloud'), own: folder };
    rendered = {};
    for (const [name, path] of Object.entries({ ...folders, mtls: join(MANIFESTS, 'temporal-cloud-mtls') })) {
      const { yaml, manifests } = await render(path);
      rendered[name] = join(folder, `${name}.yaml`);
      await writeFile(rendered[name], yaml);
      if (name === 'base') base = manifests;
    }
    settings = settingsOf(base);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** What docs/kubernetes.md says to begin with, from a folder of the test's own. */
  async function ownKustomization(): Promise<string> {
    const page = await readFile(join(root, 'docs/kubernetes.md'), 'utf8');
    const [, text = ''] = /^```yaml\n(apiVersion: kustomize[\s\S]*?)^```$/m.exec(page) ?? [];
    expect(text).toContain('components:');
    return text.replaceAll('lead-onboarding/deploy/kubernetes', relative(folder, MANIFESTS));
  }

  const settingsOf = (manifests: Manifest[]) =>
    (manifests.find(({ kind }) => kind === 'ConfigMap') as unknown as { data: Record<string, string> }).data;
  const workloadsOf = (manifests: Manifest[]) =>
    new Map(ofKind<Workload>(manifests, 'Deployment', 'Job').map((one) => [one.metadata.name, one]));
  const workload = (name: string, manifests = base) => {
    const found = workloadsOf(manifests).get(name);
    if (!found) throw new Error(`No workload ${name}`);
    return found;
  };
  const pod = (name: string) => workload(name).spec.template.spec;
  const container = (name: string, manifests = base): Container =>
    workload(name, manifests).spec.template.spec.containers[0];
  const labels = (name: string) => workload(name).spec.template.metadata.labels;
  /** What the process finds in its environment. */
  const environment = (name: string, manifests = base): Record<string, string> => ({
    ...settingsOf(manifests),
    ...Object.fromEntries(
      (container(name, manifests).env ?? []).map(({ name, valueFrom: { secretKeyRef } }) => [
        name,
        SECRETS[secretKeyRef.key] ?? '',
      ]),
    ),
  });

  it('are valid by the schemas of Kubernetes and KEDA, which know a wrong one', async () => {
    const kubeconform = await goTool('github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0');
    const flags = [
      '-strict',
      '-output',
      'json',
      '-summary',
      '-schema-location',
      await writeSchemas(join(folder, 'schemas')),
    ];
    const check = async (files: string[]) => {
      const { stdout, stderr } = await runCommand(kubeconform, [...flags, ...files]);
      expect(stderr).toBe('');
      return JSON.parse(stdout) as { summary: { valid: number }; resources: { name: string; msg: string }[] };
    };
    const good = await check(Object.values(rendered));
    expect(good.resources).toEqual([]);
    expect(good.summary).toEqual({ valid: expect.any(Number) as number, invalid: 0, errors: 0, skipped: 0 });
    expect(good.summary.valid).toBeGreaterThan(base.length * 4);

    const text = await readFile(rendered['own'] ?? '', 'utf8');
    await writeFile(
      join(folder, 'bad.yaml'),
      text.replace(/command:/, 'comand:').replace(/minReplicaCount:/, 'minReplicas:'),
    );
    const bad = await check([join(folder, 'bad.yaml')]);
    expect(bad.resources.map(({ msg }) => /additional properties '(\w+)'/.exec(msg)?.[1]).toSorted()).toEqual([
      'comand',
      'minReplicas',
    ]);
  });

  it('leave kube-score nothing to say', async () => {
    const kubeScore = await goTool('github.com/zegl/kube-score/cmd/kube-score@v1.20.0');
    const args = ['score', '--exit-one-on-warning', ...SCORE_FLAGS, '--output-format=ci'];
    const score = async (...files: string[]) => (await runCommand(kubeScore, [...args, ...files])).stdout;
    const faults = (output: string) => output.split('\n').filter((line) => /^\[(CRITICAL|WARNING)\]/.test(line));
    for (const file of Object.values(rendered)) expect(faults(await score(file)), file).toEqual([]);
    const careless = (await readFile(rendered['base'] ?? '', 'utf8')).replaceAll('readOnlyRootFilesystem: true', '');
    await writeFile(join(folder, 'careless.yaml'), careless);
    expect(faults(await score(join(folder, 'careless.yaml')))).toHaveLength(names.length);
  });

  it('have the processes of the compose file, with its commands, from one image of this version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect([...workloadsOf(base).keys()].toSorted()).toEqual(names.toSorted());
    for (const [name, { command }] of own)
      expect(container(name), name).toMatchObject({ command, image: `lead-onboarding:${version}` });
  });

  it('give each process variables that something reads, with values that it takes', async () => {
    const known = [...environmentVariables, ...(await envconfigVariables())];
    for (const name of names) {
      expect(Object.keys(environment(name)).filter((variable) => !known.includes(variable))).toEqual([]);
      expect(() => readEnvironment(environment(name)), name).not.toThrow();
      expect(container(name).envFrom).toEqual([
        { configMapRef: { name: expect.stringMatching(/^settings-\w+$/) as string } },
      ]);
    }
  });

  it('take what is secret from a secret, under the name of its variable, and what must be there by force', () => {
    for (const [name, service] of own) {
      const needed = (container(name).env ?? []).filter(({ valueFrom }) => valueFrom.secretKeyRef.optional !== true);
      expect(needed.map(({ name }) => name)).toEqual(
        Object.keys(environmentOf(service)).filter((variable) => variable === 'DATABASE_URL'),
      );
      for (const { name: variable, valueFrom } of container(name).env ?? [])
        expect(valueFrom.secretKeyRef.key).toBe(variable);
    }
    expect(Object.keys(settings).filter((name) => /DATABASE_URL|SECRET|KEY|CERT/.test(name))).toEqual([]);
  });

  it('ask each process on a port and a path that it answers on', async () => {
    const port = await freePort();
    const board = createBoard({ opsUrl: 'http://api', log: recordLog().log, stopping: new AbortController().signal });
    const close = await serveHealth(port, '127.0.0.1', () => ({ problem: undefined }));
    const { paths } = JSON.parse(await readFile(join(root, 'docs/openapi.json'), 'utf8')) as { paths: object };
    try {
      for (const name of names.filter((name) => name !== 'migrate')) {
        const { startupProbe, livenessProbe, readinessProbe, ports = [] } = container(name);
        const asked = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet);
        expect(asked.map((probe) => probe?.path)).toEqual(['/healthz', '/healthz', '/readyz']);
        for (const probe of asked) {
          const listens = readEnvironment(environment(name))[listensBy(name)];
          expect(ports.find(({ name }) => name === probe?.port)?.containerPort).toBe(listens);
          if (name === 'api') expect(paths).toHaveProperty([probe?.path ?? '']);
          else if (name === 'board') expect((await board.request(probe?.path ?? '')).status).toBe(200);
          else expect((await fetch(`http://127.0.0.1:${port}${probe?.path}`)).status).toBe(200);
        }
      }
    } finally {
      await close();
    }
    expect(readEnvironment(settings).HOST).toBe('0.0.0.0'); // kubelets ask from outside the pod
    for (const name of [...backgrounds, 'api'])
      expect(container(name).ports?.find(({ name }) => name === 'metrics')?.containerPort).toBe(
        readEnvironment(settings).METRICS_PORT,
      );
  });

  it('let a worker end any step of an onboarding before it is killed', async () => {
    const { SHUTDOWN_GRACE_MS } = readEnvironment(settings);
    const steps = await readFile(join(root, 'workflows/steps.ts'), 'utf8');
    const seconds = Array.from(steps.matchAll(/startToCloseTimeout: '(\d+) seconds'/g), ([, one]) => Number(one));
    expect(seconds.length).toBeGreaterThan(2);
    expect(SHUTDOWN_GRACE_MS).toBeGreaterThan(Math.max(...seconds) * 1_000);
    for (const { metadata, spec } of ofKind<Workload>(base, 'Deployment')) {
      const before = spec.template.spec.containers[0].lifecycle?.preStop.sleep.seconds ?? 0;
      expect(spec.template.spec.terminationGracePeriodSeconds, metadata.name).toBeGreaterThan(
        before + SHUTDOWN_GRACE_MS / 1_000 + 10,
      );
    }
  });

  it.each(names)('let %s do nothing that it need not', (name) => {
    expect(pod(name)).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      volumes: [{ name: 'tmp' }],
    });
    expect(container(name).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('weigh the API above all else when a node is busy, and limit nobody to a part of it', () => {
    const cpu = (name: string) => Number(/^(\d+)m$/.exec(container(name).resources.requests['cpu'] ?? '')?.[1]);
    for (const name of names) {
      if (name !== 'api') expect(cpu('api'), name).toBeGreaterThanOrEqual(4 * cpu(name));
      expect(container(name).resources.limits).not.toHaveProperty('cpu');
      expect(container(name).resources.limits).toHaveProperty('memory');
    }
  });

  it('keep one of each while nodes are drained, also when Temporal is away and none is ready', () => {
    const budgets = ofKind<Manifest & { spec: { selector: { matchLabels: Record<string, string> } } }>(
      base,
      'PodDisruptionBudget',
    );
    for (const { metadata, spec } of ofKind<Workload>(base, 'Deployment')) {
      const [budget, ...more] = budgets.filter(({ spec }) => selects(spec.selector, labels(metadata.name)));
      expect(more).toEqual([]);
      expect(budget?.spec, metadata.name).toMatchObject({
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      });
      if (metadata.name === 'board')
        expect(spec.replicas).toBe(1); // it alone knows who has signed in
      else expect(spec.replicas).toBeGreaterThan(1);
      expect(selects({ matchLabels: spec.selector?.matchLabels ?? {} }, labels(metadata.name))).toBe(true);
    }
    expect(budgets).toHaveLength(ofKind(base, 'Deployment').length);
  });

  it('roll out migrations, then relays and workers, then APIs: by a label, and what it does not take comes first', () => {
    const wave = (name: string) => workload(name).metadata.labels['wave'];
    expect(names.map((name) => [name, wave(name)])).toEqual(
      names.map((name) => [name, name === 'migrate' ? '1' : name === 'api' || name === 'board' ? '3' : '2']),
    );
    for (const { kind, metadata } of base.filter(({ kind }) => kind === 'ConfigMap' || kind === 'NetworkPolicy'))
      expect(metadata.labels, kind).not.toHaveProperty('wave');
  });

  describe('as networks', () => {
    const policies = () => ofKind<NetworkPolicy>(base, 'NetworkPolicy');
    const on = (name: string, direction: 'Ingress' | 'Egress') =>
      policies().filter(({ spec }) => spec.policyTypes.includes(direction) && selects(spec.podSelector, labels(name)));
    const reachesPort = (name: string, port: number) =>
      on(name, 'Egress').some(({ spec }) => spec.egress?.some(({ ports }) => ports?.some((one) => one.port === port)));
    const networks = (name: string) => compose.services[name]?.networks ?? [];
    const shares = (name: string, other: string) => networks(name).some((network) => networks(other).includes(network));

    it.each(names)('%s reaches what it reaches on those of the compose file', (name) => {
      const temporalPort = Number(settings['TEMPORAL_ADDRESS']?.split(':')[1]);
      const postgresPort = Number(new URL(SECRETS['DATABASE_URL'] ?? '').port);
      expect(reachesPort(name, postgresPort)).toBe(shares(name, 'postgres'));
      expect(reachesPort(name, temporalPort)).toBe(shares(name, 'temporal'));
      expect(reachesPort(name, 443)).toBe(networks(name).includes('egress'));
    });

    it.each(names)('%s is reached by callers, or by nobody but who measures', (name) => {
      const open = on(name, 'Ingress').flatMap(({ spec }) => spec.ingress ?? []);
      const anybody = open.filter(({ from }) => from === undefined);
      expect(anybody).toEqual(name === 'api' ? [{ ports: [{ port: 'health' }] }] : []);
      for (const { from, ports } of open.filter(({ from }) => from)) {
        expect(ports).toEqual([{ port: 'metrics' }]);
        expect(from).toEqual([
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': expect.any(String) as string } } },
        ]);
      }
      expect(on(name, 'Egress').map(({ metadata }) => metadata.name)).toContain('nobody');
    });

    it('keep who talks to strangers from what is not public, and let everybody ask for names', () => {
      const strangers = policies().flatMap(({ spec }) =>
        (spec.egress ?? []).filter(({ ports }) => ports?.some(({ port }) => port === 443)),
      );
      for (const { to = [] } of strangers)
        expect(to).toEqual([
          {
            ipBlock: {
              cidr: '0.0.0.0/0',
              except: expect.arrayContaining(['10.0.0.0/8', '169.254.0.0/16']) as string[],
            },
          },
        ]);
      const names = policies().filter(({ spec }) =>
        spec.egress?.some(({ ports }) => ports?.some(({ port }) => port === 53)),
      );
      // Labels of ours among those of the server of names would leave us without any.
      expect(names.flatMap(({ spec }) => spec.egress?.flatMap(({ to }) => to))).toEqual([
        { namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } },
      ]);
    });
  });

  describe('with KEDA', () => {
    interface ScaledObject {
      metadata: { name: string; namespace: string };
      spec: {
        scaleTargetRef: { name: string };
        minReplicaCount: number;
        maxReplicaCount: number;
        fallback: { behavior: string };
        triggers: { type: string; metricType: string; metadata: Record<string, string> }[];
      };
    }

    it('scale the worker of each task queue by what a relay says of it', async () => {
      const { manifests } = await render(folder);
      const relay = manifests.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'relay');
      const { ports } = Object(relay?.spec) as { ports: { port: number; targetPort: string }[] };
      expect(ports).toEqual([
        expect.objectContaining({ port: readEnvironment(settings).METRICS_PORT, targetPort: 'metrics' }),
      ]);
      const scaled = ofKind<ScaledObject>(manifests, 'ScaledObject');
      expect(scaled.map(({ spec }) => spec.scaleTargetRef.name).toSorted()).toEqual(
        Object.values(TASK_QUEUES)
          .map((queue) => `worker-${queue}`)
          .toSorted(),
      );
      for (const { spec } of scaled) {
        const queue = container(spec.scaleTargetRef.name).command.at(-1);
        const host = `${relay?.metadata.name}.${relay?.metadata.namespace}.svc:${ports[0]?.port}`;
        expect(spec.triggers).toEqual([
          {
            type: 'metrics-api',
            metricType: 'AverageValue',
            metadata: { url: `http://${host}/scaling/${queue}`, valueLocation: 'desired', targetValue: '1' },
          },
        ]);
        expect(spec.minReplicaCount).toBeGreaterThan(0);
        expect(spec.maxReplicaCount).toBeGreaterThan(spec.minReplicaCount);
        expect(spec.fallback.behavior).toBe('currentReplicas');
        expect(workload(spec.scaleTargetRef.name, manifests).spec).not.toHaveProperty('replicas');
      }
      const asks = ofKind<NetworkPolicy>(manifests, 'NetworkPolicy').find(({ metadata }) => metadata.name === 'keda');
      expect(selects(asks?.spec.podSelector ?? {}, labels('relay'))).toBe(true);
    });
  });

  describe('for Temporal Cloud', () => {
    /** Who has nothing to do with Temporal. */
    const alone = ['migrate', 'board'];

    it.each([
      ['temporal-cloud', { apiKey: 'key', tls: true }],
      [
        'temporal-cloud-mtls',
        { tls: { clientCertPair: { crt: expect.anything() as unknown, key: expect.anything() as unknown } } },
      ],
    ])('%s is a connection with TLS and our credentials', async (overlay, expected) => {
      const { manifests } = await render(join(MANIFESTS, overlay));
      for (const name of names.filter((name) => !alone.includes(name))) {
        const { connectionOptions, namespace } = loadClientConnectConfig({
          overrideEnvVars: environment(name, manifests),
        });
        expect(connectionOptions, name).toMatchObject(expected);
        expect(connectionOptions.address).toMatch(/^[\w.-]+:7233$/);
        expect(namespace).toMatch(/^\w+\.\w+$/);
      }
      for (const name of alone)
        expect(Object.keys(environment(name, manifests)).filter((name) => /API_KEY|TLS/.test(name))).toEqual([]);
    });
  });
});
