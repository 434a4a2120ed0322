import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';
import { recordLog } from '../support/log.ts';

describe('the log', () => {
  it('tells the kind, the code and the place of an error, and not its message, which may quote a person', () => {
    const { log, lines } = recordLog();
    const err = Object.assign(new RangeError('joao@example.com is taken'), { code: '23505' });
    log.error({ err }, 'failed');
    expect(lines).toMatchObject([{ msg: 'failed', err: { type: 'RangeError', code: '23505' } }]);
    expect(JSON.stringify(lines)).toContain('logger.test.ts');
    expect(JSON.stringify(lines)).not.toContain('joao');
  });

  it('tells a frame of the stack from a message that looks like one', () => {
    const { log, lines } = recordLog();
    const quoting = 'no row for\n    at João (joao@example.com)\n    at joao@example.com:1:1';
    const changed = new Error('later changed:\n    at João (joao@example.com)');
    changed.message = 'changed';
    for (const err of [new Error(quoting), changed]) log.error({ err }, 'failed');
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(JSON.stringify(line)).toContain('logger.test.ts');
      expect(JSON.stringify(line)).not.toContain('joao');
    }
  });

  it('takes what is thrown and is no error', () => {
    const { log, lines } = recordLog();
    log.error({ err: 'joao@example.com' }, 'failed');
    expect(lines).toMatchObject([{ err: { type: 'string' } }]);
  });
});

describe('a process whose log nobody reads', () => {
  it('goes on, ends when it is told to, and says what it dropped', async () => {
    const child = fork(join(import.meta.dirname, 'talker.mjs'), [join(projectRoot(), 'dist/src/telemetry/logger.js')], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    child.send('talk');
    expect((await once(child, 'message'))[0]).toBe('said 10000 lines');
    child.send('talk');
    expect((await once(child, 'message'))[0]).toBe('said 10000 lines');

    const lines: { msg: string; lines?: number }[] = [];
    const reader = createInterface({ input: child.stdout ?? expect.fail('no pipe') });
    reader.on('line', (line) => lines.push(JSON.parse(line) as { msg: string }));
    const told = () => lines.find(({ msg }) => msg === 'nobody read the log: lines were dropped');
    await expect.poll(told).toBeDefined();
    expect(lines.length - 1 + (told()?.lines ?? 0)).toBe(20_000);

    reader.close();
    child.stdout?.pause();
    child.send('talk');
    await once(child, 'message');
    await sleep(1_200);
    child.send('end');
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  });
});
