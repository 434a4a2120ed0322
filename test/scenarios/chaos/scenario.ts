import type { Figures } from './checks/verify.ts';
import type { Random } from './random.ts';
import type { World } from './world/world.ts';

/** `short` is for every run of the tests; `full` has the numbers that are promised. */
export type Scale = 'short' | 'full';

export interface ScenarioContext {
  world: World;
  random: Random;
  scale: Scale;
}

/** One kind of fault, and what must hold in spite of it. */
export interface Scenario {
  /** Reads as a sentence that begins with "Nothing is lost when". */
  title: string;
  /** False for what takes minutes: those run on demand. */
  inShort: boolean;
  /** Makes the fault under load, and verifies the outcome. @returns what was measured */
  run: (context: ScenarioContext) => Promise<Figures>;
}
