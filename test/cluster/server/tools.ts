import { goTool } from '../../support/go.ts';

const VERSION = 'v1.31.2';

/** The server and its tool for schemas, which Go builds: minutes, once for this machine. */
export async function serverTools(): Promise<{ server: string; sql: string }> {
  const sql = await goTool(`go.temporal.io/server/cmd/tools/sql@${VERSION}`);
  return { server: await goTool(`go.temporal.io/server/cmd/server@${VERSION}`), sql };
}
