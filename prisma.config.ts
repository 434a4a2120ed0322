import { fileURLToPath } from 'node:url';
import { defineConfig } from 'prisma/config';

// Read before Prisma looks for its engine, which it would download otherwise. See `prisma/engine/`.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= fileURLToPath(
  new URL('prisma/engine/schema-engine.mjs', import.meta.url),
);
// No call to Prisma's servers for news of its versions.
process.env['CHECKPOINT_DISABLE'] ??= '1';

const url = process.env['DATABASE_URL'];

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url ? { datasource: { url } } : {}),
});
