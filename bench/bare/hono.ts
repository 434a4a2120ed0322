import { randomUUID } from 'node:crypto';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import pg from 'pg';

/** The least that a route over Postgres can be: one insert, into the old design's table of leads. */
const INSERT = `
  INSERT INTO lead (id, organization_id, name, email, phone, company, source) VALUES ($1, $2, $3, $4, $5, $6, $7)
  RETURNING *`;

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });
const app = new Hono();

app.post('/api/leads', async (c) => {
  const body = await c.req.json<Record<string, string>>();
  const values = ['organizationId', 'name', 'email', 'phone', 'company', 'source'].map((field) => body[field]);
  const { rows } = await pool.query<Record<string, unknown>>({
    name: 'insert',
    text: INSERT,
    values: [randomUUID(), ...values],
  });
  return c.json(rows[0] ?? {}, 201);
});

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env['PORT']) });
