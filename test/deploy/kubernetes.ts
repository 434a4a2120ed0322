import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '../../src/local/project-root.ts';
import { runCommand } from '../../src/local/processes/run-command.ts';
import { goTool } from '../support/go.ts';

export interface Probe {
  httpGet: { path: string; port: string };
}

export interface Container {
  image: string;
  command: string[];
  env?: { name: string; valueFrom: { secretKeyRef: { name: string; key: string; optional?: boolean } } }[];
  envFrom: { configMapRef: { name: string } }[];
  ports?: { name: string; containerPort: number }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop: { sleep: { seconds: number } } };
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: Record<string, unknown>;
}

export interface Workload {
  kind: 'Deployment' | 'Job';
  metadata: { name: string; labels: Record<string, string> };
  spec: {
    replicas?: number;
    selector?: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        containers: [Container];
        terminationGracePeriodSeconds?: number;
        securityContext: Record<string, unknown>;
        volumes: { name: string }[];
      };
    };
  };
}

export interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: 'In' | 'NotIn'; values: string[] }[];
}

export interface Peer {
  namespaceSelector?: Selector;
  podSelector?: Selector;
  ipBlock?: { cidr: string; except: string[] };
}

interface Ports {
  ports?: { port: number | string }[];
}

export interface NetworkPolicy {
  kind: 'NetworkPolicy';
  metadata: { name: string };
  spec: {
    podSelector: Selector;
    policyTypes: ('Ingress' | 'Egress')[];
    ingress?: (Ports & { from?: Peer[] })[];
    egress?: (Ports & { to?: Peer[] })[];
  };
}

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec: unknown;
}

export const MANIFESTS = join(projectRoot(), 'deploy/kubernetes');

/** What `kubectl apply -k` would send: `kustomize build` of a folder. */
export async function render(folder: string): Promise<{ yaml: string; manifests: Manifest[] }> {
  const kustomize = await goTool('sigs.k8s.io/kustomize/kustomize/v5@v5.8.2');
  const result = await runCommand(kustomize, ['build', folder]);
  if (!result.ok) throw new Error(`kustomize build ${folder}: ${result.stderr}`);
  return { yaml: result.stdout, manifests: parseAllDocuments(result.stdout).map((one) => one.toJS() as Manifest) };
}

/** Those of one kind. */
export const ofKind = <Kind>(manifests: Manifest[], ...kinds: string[]) =>
  manifests.filter(({ kind }) => kinds.includes(kind)) as unknown as Kind[];

/** Whether a selector takes a pod. */
export const selects = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Record<string, string>) =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, operator, values }) => values.includes(labels[key] ?? '') === (operator === 'In'));
