#!/usr/bin/env node
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// Prisma's command line, from any folder: `node prisma/engine/cli.mjs migrate deploy`.
const CONFIG = fileURLToPath(new URL('../../prisma.config.ts', import.meta.url));
const NEEDS_DATABASE =
  /^(migrate (deploy|status|resolve|reset|dev)|db (pull|push|execute))\b|--(from|to)-(migrations|config-datasource)\b/;

const args = process.argv.slice(2);
const isUsable = /^postgres(ql)?:\/\//.test(process.env['DATABASE_URL'] ?? '');
if (!isUsable && NEEDS_DATABASE.test(args.join(' ')) && !args.includes('--help')) {
  console.error('Set DATABASE_URL to a PostgreSQL 15 or newer, as in postgres://user:password@host:5432/leads.');
  process.exit(1);
}
if (!args.includes('--config')) process.argv.push('--config', CONFIG);
createRequire(import.meta.url)('prisma/build/index.js');
