import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readEnvironment } from '../../process/environment.ts';
import { createApiClient } from './demo-api.ts';
import { followOnboarding, printScore } from './demo-timeline.ts';
import { EXAMPLE_LEAD } from '../../leads/example-lead.ts';
import { urlOf } from '../../process/url-of.ts';

/** `npm run demo`: sends a lead to a running API and shows what becomes of it. */
async function main(): Promise<void> {
  const { url, key } = readArguments();
  const api = createApiClient(url, key);
  // A fresh address each time: the same one again would be a touch of the lead that exists.
  const email = `joao+${Date.now().toString(36)}@example.com`;

  console.log(`\n  POST ${url}/api/leads`);
  const { lead, duplicate } = await api.createLead({ ...EXAMPLE_LEAD, email });
  console.log(`  ${lead.name}, ${email}${duplicate ? ', is known already: this is its earlier onboarding' : ''}`);
  console.log(`  GET  ${url}/api/leads/${lead.id}/timeline\n`);
  const score = await followOnboarding(api, lead.id, process.stdout);
  if (score) printScore(score);
  console.log(`\n  Temporal Web UI  ${await api.readTemporalUrl(lead.id)}\n`);
}

function readArguments(): { url: string; key: string | undefined } {
  const { values } = parseArgs({ options: { url: { type: 'string' }, key: { type: 'string' } } });
  if (existsSync('.env')) process.loadEnvFile();
  const { HOST, PORT } = readEnvironment(process.env);
  return { url: values.url?.replace(/\/$/, '') ?? urlOf(HOST, PORT), key: values.key };
}

try {
  await main();
} catch (error) {
  process.exitCode = 1;
  console.error(error instanceof Error ? error.message : error);
}
