import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { goModule } from '../support/go.ts';

type Schema = { [key: string]: unknown };

const KUBERNETES = 'k8s.io/kubernetes@v1.36.3';
const KEDA = 'github.com/kedacore/keda/v2@v2.20.2';

/**
 * Writes JSON Schemas of Kubernetes' own OpenAPI document and of KEDA's definition of a ScaledObject, in which a field
 * that does not exist is an error.
 * @returns what `kubeconform -schema-location` takes
 */
export async function writeSchemas(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  /** Named as kubeconform looks for it. */
  const write = (kind: string, group: string, version: string, schema: unknown) => {
    const name = [kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase();
    return writeFile(join(folder, `${name}.json`), JSON.stringify(schema));
  };

  const openApi = join(await goModule(KUBERNETES), 'api/openapi-spec/swagger.json');
  const { definitions } = JSON.parse(await readFile(openApi, 'utf8')) as { definitions: Record<string, Schema> };
  const strict = toStrict(definitions) as Record<string, Schema>;
  for (const [name, definition] of Object.entries(strict)) {
    const [is, ...more] = (definition['x-kubernetes-group-version-kind'] ?? []) as Record<string, string>[];
    if (!is || more.length > 0) continue;
    const needed = Object.fromEntries([...reachable(name, strict)].map((one) => [one, strict[one]]));
    await write(is['kind'] ?? '', is['group'] ?? '', is['version'] ?? '', {
      $ref: `#/definitions/${name}`,
      definitions: needed,
    });
  }

  const crd = parse(
    await readFile(join(await goModule(KEDA), 'config/crd/bases/keda.sh_scaledobjects.yaml'), 'utf8'),
  ) as {
    spec: { group: string; names: { kind: string }; versions: { name: string; schema: { openAPIV3Schema: Schema } }[] };
  };
  for (const { name, schema } of crd.spec.versions)
    await write(crd.spec.names.kind, crd.spec.group, name, toStrict(schema.openAPIV3Schema));
  return join(folder, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
}

/** OpenAPI as JSON Schema: no property that is not named, and an IntOrString is either. */
function toStrict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toStrict);
  if (value === null || typeof value !== 'object') return value;
  const schema = value as Schema;
  if (schema['format'] === 'int-or-string') return { type: ['integer', 'string'] };
  const entries = Object.entries(schema).map(([key, entry]) => [key, toStrict(entry)] as const);
  const isClosed = typeof schema['properties'] === 'object' && schema['additionalProperties'] === undefined;
  return { ...Object.fromEntries(entries), ...(isClosed ? { additionalProperties: false } : {}) };
}

/** A definition, and all that it refers to. */
function reachable(name: string, definitions: Record<string, Schema>, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, other = ''] of JSON.stringify(definitions[name]).matchAll(/"#\/definitions\/([^"]+)"/g))
    reachable(other, definitions, seen);
  return seen;
}
