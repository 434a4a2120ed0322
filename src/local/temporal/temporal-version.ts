import { runCommand } from '../processes/run-command.ts';

/** Priority and fairness of tasks came with server 1.29. */
const OLDEST_SERVER = { major: 1, minor: 29 };
const ANSWER_WITHIN_MS = 15_000;

/** A checked Temporal CLI, or why a program of that name cannot be used. */
export type CliCheck = { ok: true; server: string } | { ok: false; fault: string };

/** Asks a program for its version. A CLI that was built from source calls itself 0.0.0-DEV, so the server's decides. */
export async function checkTemporalCli(path: string, signal?: AbortSignal): Promise<CliCheck> {
  const answer = await runCommand(path, ['--version'], { timeoutMs: ANSWER_WITHIN_MS, ...(signal ? { signal } : {}) });
  if (!answer.ok) return { ok: false, fault: `${path} is not the Temporal CLI (--version: ${answer.reason})` };
  const server = /^temporal version \S+ \(server (?<major>\d+)\.(?<minor>\d+)\.\d+/im.exec(answer.stdout)?.groups;
  if (!server) return { ok: false, fault: `${path} is another program than the Temporal CLI` };
  const [major, minor] = [Number(server['major']), Number(server['minor'])];
  const name = answer.stdout.trim().split('\n')[0] ?? '';
  const recent = major > OLDEST_SERVER.major || (major === OLDEST_SERVER.major && minor >= OLDEST_SERVER.minor);
  if (recent) return { ok: true, server: `${major}.${minor}` };
  return {
    ok: false,
    fault: `${path} is too old (${name}; server ${OLDEST_SERVER.major}.${OLDEST_SERVER.minor} needed)`,
  };
}
