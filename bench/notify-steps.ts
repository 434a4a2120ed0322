import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ensureDatabase } from '../src/local/postgres/database.ts';
import { migrate } from '../src/local/postgres/migrations.ts';
import { connectionStringOf, startPostgres } from '../src/local/postgres/postgres.ts';
import { freePort } from '../src/local/ports.ts';
import { projectRoot } from '../src/local/project-root.ts';

const WRITERS = 50;
const STEPS = 4_000;
/** Microseconds that a commit takes longer: this machine's own disk, and a slower one, or a standby in another zone. */
const COMMITS_TAKE = [0, 5_000];

/** What a notify step writes, in its order; without Prisma, whose CPU would be what is measured here. */
const STEP = [
  'BEGIN',
  `SELECT * FROM lead WHERE id = $1 FOR UPDATE`,
  `UPDATE onboarding SET state = 'RUNNING' WHERE lead_id = $1`,
  `INSERT INTO lead_event (id, lead_id, organization_id, type, step_key)
   VALUES (gen_random_uuid(), $1, 'org-1', 'notification.created', '1/notification')`,
  `INSERT INTO notification (id, organization_id, lead_id, user_id, assignment, title, message, action_url)
   VALUES (gen_random_uuid(), 'org-1', $1, 'user-' || ($1::uuid), 1, 'Novo Lead', 'Lead Ana', '/')`,
  'COMMIT',
];

async function takeStep(client: pg.ClientBase, leadId: string): Promise<void> {
  for (const text of STEP) await client.query(text, text.includes('$1') ? [leadId] : []);
}

/** How many notify steps 50 writers commit in a second, each for a lead and an assignee of its own. */
async function measure(commitMicroseconds: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'lead-bench-'));
  const port = await freePort();
  const settings = { commit_delay: String(commitMicroseconds), commit_siblings: '0' };
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port, settings });
  await ensureDatabase(postgres.connectionString, 'leads');
  const connectionString = connectionStringOf(port, 'leads');
  await migrate({ connectionString, root: projectRoot() });
  const pool = new pg.Pool({ connectionString, max: WRITERS });
  pool.on('error', () => undefined); // of connections that the server closes at its end
  const clients = await Promise.all(Array.from({ length: WRITERS }, () => pool.connect()));
  try {
    const leads = Array.from({ length: STEPS }, () => randomUUID());
    await clients[0]?.query(
      `WITH filled AS (
         INSERT INTO lead (id, organization_id, name, assigned_to, assignment)
         SELECT id, 'org-1', 'Ana', id::text, 1 FROM unnest($1::uuid[]) AS id RETURNING id)
       INSERT INTO onboarding (lead_id, organization_id) SELECT id, 'org-1' FROM filled`,
      [leads],
    );
    const startedAt = performance.now();
    const write = async (client: pg.ClientBase) => {
      for (let leadId = leads.pop(); leadId !== undefined; leadId = leads.pop()) await takeStep(client, leadId);
    };
    await Promise.all(clients.map(write));
    return (STEPS / (performance.now() - startedAt)) * 1_000;
  } finally {
    for (const client of clients) client.release(true);
    await pool.end();
    await postgres.stop();
    await rm(folder, { recursive: true });
  }
}

for (const microseconds of COMMITS_TAKE) {
  console.log(`commits take ${microseconds} µs more: ${Math.round(await measure(microseconds))} notify steps a second`);
}
