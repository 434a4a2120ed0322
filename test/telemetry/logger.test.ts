import { describe, expect, it } from 'vitest';
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
