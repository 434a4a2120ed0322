import { describe, expect, it } from 'vitest';
import { recordLog } from './support/log.ts';

describe('the log', () => {
  it('tells the kind, the code and the place of an error, and not its message, which may quote a person', () => {
    const { log, lines } = recordLog();
    const err = Object.assign(new RangeError('joao@example.com is taken'), { code: '23505' });
    log.error({ err }, 'failed');
    expect(lines).toMatchObject([{ msg: 'failed', err: { type: 'RangeError', code: '23505' } }]);
    expect(JSON.stringify(lines)).toContain('logger.test.ts');
    expect(JSON.stringify(lines)).not.toContain('joao');
  });

  it('takes what is thrown and is no error', () => {
    const { log, lines } = recordLog();
    log.error({ err: 'joao@example.com' }, 'failed');
    expect(lines).toMatchObject([{ err: { type: 'string' } }]);
  });
});
