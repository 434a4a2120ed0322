import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Choices that look random, and are the same for the same seed. */
export interface Random {
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
  /** A whole number, both bounds included. */
  between(from: number, to: number): number;
}

export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const between = (from: number, to: number) => uniformInt(generator, from, to);
  return { between, pick: (items) => items[between(0, items.length - 1)] ?? items[0] };
}
