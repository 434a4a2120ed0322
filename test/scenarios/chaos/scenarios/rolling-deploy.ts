import { expect } from 'vitest';
import { verify } from '../checks/verify.ts';
import { LeadLoad } from '../load/lead-load.ts';
import type { Scenario } from '../scenario.ts';
import { APIS, RELAYS, WORKERS } from '../world/world.ts';

export const rollingDeploy: Scenario = {
  title: 'every process is replaced, one after the other, under load',
  inShort: false,
  async run({ world }) {
    const load = new LeadLoad(world);
    const over = new AbortController();
    const posting = (async () => {
      while (!over.signal.aborted) await load.post({ count: 10, perSecond: 10 });
    })();
    const endings: Record<string, string | undefined> = {};
    try {
      for (const part of [...WORKERS, ...RELAYS, ...APIS]) endings[part] = await world.processes.replace(part);
    } finally {
      over.abort();
      await posting;
    }
    expect(new Set(Object.values(endings)), JSON.stringify(endings)).toEqual(new Set(['exit code 0']));
    const { cut, late, refused, statuses } = load.report;
    expect({ cut, late, unavailable: statuses[503] ?? 0 }, 'requests that were begun').toEqual({
      cut: 0,
      late: 0,
      unavailable: 0,
    });
    return { replaced: Object.keys(endings).length, cut, refused, ...(await verify(world, load)) };
  },
};
