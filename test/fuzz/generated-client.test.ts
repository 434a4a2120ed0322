import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { API_ROLE } from '../../src/db/tenant.ts';
import { projectRoot } from '../../src/local/project-root.ts';
import { createKeyedApi, makeKey, testWithoutStarts as test } from '../support/keyed-api.ts';
import { listen } from '../support/server.ts';
import { pythonTool } from './python-tool.ts';

/** https://github.com/openapi-generators/openapi-python-client */
const VERSION = '0.29.1';

const USE = `
import sys
from lead_onboarding_client import AuthenticatedClient
from lead_onboarding_client.api.events import list_events
from lead_onboarding_client.api.leads import create_lead, get_lead, update_lead
from lead_onboarding_client.api.webhooks import create_webhook
from lead_onboarding_client.models import IntakeAnswer, Lead, LeadChange, LeadSubmission, NewWebhookEndpoint, Problem

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
made = create_lead.sync(client=client, body=LeadSubmission(organization_id="org-123", name="Ana", email="ana@acme.com"))
assert isinstance(made, IntakeAnswer) and made.name == "Ana" and made.enrichment is None, made
changed = update_lead.sync(made.id, client=client, body=LeadChange(name="Maria"))
assert isinstance(changed, Lead) and changed.name == "Maria", changed
read = get_lead.sync(made.id, client=client)
assert isinstance(read, Lead) and read.email == "ana@acme.com", read
refused = create_lead.sync(client=client, body=LeadSubmission(organization_id="org-456", name="Ana"))
assert isinstance(refused, Problem) and refused.status == 403, refused
endpoint = create_webhook.sync(client=client, body=NewWebhookEndpoint(url="https://hooks.acme.com/leads"))
assert endpoint.secret.startswith("whsec_"), endpoint
while True:
    events = list_events.sync(client=client, limit=10)
    if len(events.items) == 2:
        break
created, updated = events.items
assert (created.type_, created.lead_id, created.data.name) == ("lead.created", made.id, "Ana"), created
assert (updated.type_, updated.data.fields) == ("lead.updated", ["name"]), updated
print("used")
`;

test('a client that a generator makes of docs/openapi.json works', async ({ database }) => {
  const folder = await mkdtemp(join(tmpdir(), 'generated-client-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const generator = pythonTool('openapi-python-client', VERSION);
  const document = join(projectRoot(), 'docs/openapi.json');
  const config = join(folder, 'config.yaml');
  await writeFile(config, 'post_hooks: []\n');
  const made = await generator.run(
    'openapi-python-client',
    ['generate', '--path', document, '--output-path', join(folder, 'client'), '--config', config],
    folder,
  );
  expect(made.code, made.output).toBe(0);
  // It knows nothing of lines of JSON; that is all that it leaves out.
  const left = made.output.split('\n').filter((line) => line.startsWith('WARNING parsing'));
  expect(left.filter((line) => !/\/ops\/(audit|retries\/{id}\/leads)/.test(line))).toEqual([]);

  const keyed = createKeyedApi(database, { slots: 0 }, API_ROLE);
  const server = await listen(keyed);
  await writeFile(join(folder, 'client', 'use.py'), USE);
  const used = await generator.run('python', ['use.py', server.url, await makeKey(database)], join(folder, 'client'));
  await keyed.close();
  await server.close();
  expect(used.output).toBe('used\n');
});
