import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PartEvent } from '../../../src/local/processes/part-event.ts';
import type { Part } from '../../../src/local/processes/part.ts';
import { createSupervisor } from '../../../src/local/processes/supervisor.ts';
import { isAlive, makeServerPart, makeTempDir } from '../support/parts.ts';

const BACK_OFF = { initialMs: 50, maximumMs: 200, steadyMs: 60_000 };

function supervise() {
  const events: PartEvent[] = [];
  const lines: string[] = [];
  const supervisor = createSupervisor({
    onEvent: (event) => events.push(event),
    onLine: (part, line) => lines.push(`${part.name}: ${line}`),
    backOff: BACK_OFF,
  });
  onTestFinished(() => supervisor.stop());
  const of = <Kind extends PartEvent['kind']>(kind: Kind) =>
    events.filter((event): event is Extract<PartEvent, { kind: Kind }> => event.kind === kind);
  return { supervisor, lines, of };
}

describe('supervisor', () => {
  it('is done starting once every part answers', async () => {
    const folder = await makeTempDir();
    const { supervisor, of } = supervise();
    await supervisor.start([await makeServerPart(folder, 'one'), await makeServerPart(folder, 'two')]);
    expect(
      of('ready')
        .map(({ part }) => part.name)
        .sort(),
    ).toEqual(['one', 'two']);
  });

  it('starts a part again that answers with nothing but errors', async () => {
    const folder = await makeTempDir();
    const { supervisor, of } = supervise();
    const part = await makeServerPart(folder, 'lost');
    await supervisor.start([{ ...part, stuckAfterMs: 400 }]);
    await writeFile(join(folder, 'broken'), '');
    await expect
      .poll(() => of('died'))
      .toMatchObject([{ reason: expect.stringMatching(/nothing but errors/) as string }]);
    await rm(join(folder, 'broken'));
    await expect.poll(() => of('ready')).toHaveLength(2);
  });

  it('starts a part again that was killed, and says so', async () => {
    const { supervisor, of } = supervise();
    await supervisor.start([await makeServerPart(await makeTempDir(), 'frail')]);
    process.kill(of('launched')[0]?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => of('ready')).toHaveLength(2);
    expect(of('died')).toMatchObject([{ reason: 'SIGKILL', restarts: 0, retryInMs: 50 }]);
    expect(of('ready')[1]).toMatchObject({ restarts: 1 });
  });

  it('waits twice as long after each failure, up to a bound, and goes on trying', async () => {
    const { supervisor, of } = supervise();
    const part = await makeServerPart(await makeTempDir(), 'broken', `console.error('no luck'); process.exit(3);`);
    supervisor.start([part]).catch(() => undefined);
    await expect.poll(() => of('died').length).toBeGreaterThanOrEqual(5);
    expect(
      of('died')
        .slice(0, 5)
        .map(({ retryInMs }) => retryInMs),
    ).toEqual([50, 100, 200, 200, 200]);
    expect(of('died')[0]).toMatchObject({ reason: 'exit code 3', lastLines: ['no luck'] });
    expect(of('ready')).toEqual([]);
  });

  it('comes up with a part that needs a few attempts', async () => {
    const { supervisor, of } = supervise();
    const folder = await makeTempDir();
    const flag = JSON.stringify(`${folder}/tried`);
    const twice = `if (!existsSync(${flag})) { writeFileSync(${flag}, ''); process.exit(1); }`;
    await supervisor.start([await makeServerPart(folder, 'slow', twice)]);
    expect(of('ready')).toMatchObject([{ restarts: 1 }]);
  });

  it('reports a program that does not exist', async () => {
    const { supervisor, of } = supervise();
    const part: Part = { ...(await makeServerPart(await makeTempDir(), 'none')), command: '/does/not/exist' };
    supervisor.start([part]).catch(() => undefined);
    await expect.poll(() => of('died').length).toBeGreaterThan(0);
    expect(of('died')[0]?.reason).toContain('cannot run /does/not/exist');
  });

  it('stops what was started last first, and leaves nothing running', async () => {
    const folder = await makeTempDir();
    const { supervisor, lines, of } = supervise();
    await supervisor.start([await makeServerPart(folder, 'database')]);
    await supervisor.start([await makeServerPart(folder, 'worker'), await makeServerPart(folder, 'relay')]);
    await supervisor.start([await makeServerPart(folder, 'api')]);
    await Promise.all([supervisor.stop(), supervisor.stop()]);
    const stopped = of('stopped').map(({ part }) => part.name);
    expect([stopped[0], stopped.slice(1, 3).sort(), stopped[3]]).toEqual(['api', ['relay', 'worker'], 'database']);
    expect(lines).toContain('api: {"level":30,"msg":"bye"}');
    expect(of('launched').filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(of('died')).toEqual([]);
  });

  it('kills a part that does not stop in time', async () => {
    const { supervisor, of } = supervise();
    const deaf = 'process.exit = () => undefined;';
    const part = await makeServerPart(await makeTempDir(), 'deaf', deaf);
    await supervisor.start([{ ...part, stopWithinMs: 200 }]);
    await supervisor.stop();
    expect(of('stopped')).toMatchObject([{ killed: true }]);
  });

  it('can be stopped while a part is not ready yet', async () => {
    const { supervisor, of } = supervise();
    const part = await makeServerPart(
      await makeTempDir(),
      'late',
      'await new Promise((resolve) => setTimeout(resolve, 60_000));',
    );
    const starting = supervisor.start([part]);
    const refused = expect(starting).rejects.toThrow('late was stopped before it was ready');
    await supervisor.stop();
    await refused;
    expect(of('launched').filter(({ pid }) => isAlive(pid))).toEqual([]);
    await expect(supervisor.start([part])).rejects.toThrow();
  });
});
