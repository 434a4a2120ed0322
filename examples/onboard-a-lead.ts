/**
 * Takes a lead in and follows it until it is scored: `npm run example`, with `npm start` in another terminal.
 * `API_URL` and `API_KEY` lead it to another API.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createLeadClient } from 'lead-onboarding/client';

const { API_URL: url = 'http://127.0.0.1:3000', API_KEY: apiKey } = process.env;
const client = createLeadClient(url, apiKey === undefined ? {} : { apiKey });

const created = await client.api.leads.$post({
  json: { organizationId: 'org-123', name: 'João Silva', email: `joao.${Date.now()}@example.com`, source: 'WEBSITE' },
  header: { 'idempotency-key': `example-${Date.now()}` },
});
if (!created.ok) {
  const { title, detail, errors = [] } = await created.json();
  console.error(`${title}. ${detail}`, ...errors.map(({ path, message }) => `${path} ${message}.`));
  process.exit(1);
}
const { id } = await created.json();
console.log(`lead ${id}`);

const param = { id };
let seen = 0;
for (let state = 'PENDING'; state === 'PENDING' || state === 'RUNNING';) {
  await sleep(250);
  const [lead, timeline] = [
    await client.api.leads[':id'].$get({ param }),
    await client.api.leads[':id'].timeline.$get({ param }),
  ];
  if (lead.status !== 200 || timeline.status !== 200) throw new Error(`the API answers ${lead.status}`);
  const { items } = await timeline.json();
  for (const { elapsedMs, type } of items.slice(seen)) console.log(`${String(elapsedMs).padStart(6)} ms  ${type}`);
  seen = items.length;
  const { onboardingState, score, scoreBand } = await lead.json();
  if (onboardingState === 'COMPLETED') console.log(`score ${score}, ${scoreBand}`);
  state = onboardingState;
}
