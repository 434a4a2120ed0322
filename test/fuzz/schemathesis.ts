import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonTool } from './python-tool.ts';

const VERSION = '4.32.5';

/** Runs Schemathesis (https://schemathesis.readthedocs.io) to its end. @returns its exit code and what it wrote */
export function runSchemathesis(args: string[]): Promise<{ code: number; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'schemathesis-')); // it keeps what failed there
  return pythonTool('schemathesis', VERSION).run('schemathesis', ['run', ...args], folder);
}
