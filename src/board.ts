import { createBoard } from './board/board.tsx';
import { listen } from './http/server/listen.ts';
import { opsUrlOf } from './process/environment.ts';
import { type ProcessContext, runProcess } from './process/run-process.ts';

/** The board's process. It serves without the API, and shows what it is told as soon as that answers. */
async function start({ env, log, stopping, closers }: ProcessContext): Promise<void> {
  const opsUrl = opsUrlOf(env);
  const board = createBoard({ opsUrl, log, stopping });
  closers.add('HTTP', await listen(board.fetch, { host: env.HOST, port: env.BOARD_PORT }, 'BOARD_PORT'));
  log.info({ host: env.HOST, port: env.BOARD_PORT, opsUrl }, 'board listens');
}

await runProcess(() => 'board', start);
