import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonTool } from './python-tool.ts';

const VERSION = '4.32.5';

/** The statuses by which bad data may be refused: its own, and 414 for a URL that is too long. */
const CONFIG = `
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "414", "415", "422", "428", "429", "5xx"]
`;

/** Runs Schemathesis (https://schemathesis.readthedocs.io) to its end. @returns its exit code and what it wrote */
export function runSchemathesis(args: string[]): Promise<{ code: number; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'schemathesis-')); // it keeps what failed there
  writeFileSync(join(folder, 'schemathesis.toml'), CONFIG);
  return pythonTool('schemathesis', VERSION).run('schemathesis', ['run', ...args], folder);
}
