import { expect } from 'vitest';
import type { Lead } from '../../../../src/leads/lead.ts';
import type { TestDatabase } from '../../../support/database.ts';
import type { Person } from '../../../personal-data/person.ts';
import type { Call } from './error-paths.ts';
import { People } from './people.ts';
import { startWorld } from './world.ts';

/** A call with a body of JSON, or without any. */
export const send = (method: string, path: string, body?: object, headers: Record<string, string> = {}): Call => ({
  ...{ method, path },
  ...(body && { body, headers: { 'content-type': 'application/json', ...headers } }),
});

/** The deployment and the people that scenarios put into it. */
export async function openStage(database: TestDatabase) {
  const world = await startWorld(database);
  const people = new People();
  /** @returns the text of the answer, which has to have this status */
  const ask = async (status: number, call: Call, person: Person) => {
    const answer = await world.call(call, person);
    expect(answer.status, `${call.method} ${call.path} ${answer.text.slice(0, 300)}`).toBe(status);
    return answer.text;
  };
  return {
    database,
    world,
    people,
    ask,
    /** Takes somebody in. @returns the person, and the id of their lead */
    takeIn: async (what: string, change: object = {}) => {
      const person = people.add(what);
      const text = await ask(201, send('POST', '/api/leads', { ...person.lead, ...change }), person);
      return { person, id: (JSON.parse(text) as Lead).id };
    },
    /** Waits until an onboarding has ended. */
    settled: async (id: string) => {
      const state = async () => (await database.prisma.lead.findUnique({ where: { id } }))?.onboardingState;
      await expect.poll(state).toMatch(/COMPLETED|PARTIAL/);
    },
    /** Waits until nothing is left to do, but for these runs. */
    quiet: async (...but: string[]) => {
      await expect.poll(() => database.prisma.outbox.count()).toBe(0);
      await expect.poll(() => world.temporal.running()).toEqual(but);
    },
  };
}

export type Stage = Awaited<ReturnType<typeof openStage>>;
