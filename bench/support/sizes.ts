/** Sizes of a bench, by environment variables, so that it can be tried small. */

/** @throws Error that names the variable when its value is not a number above 0 */
export function size(variable: string, otherwise: number): number {
  return sizes(variable, [otherwise])[0] ?? otherwise;
}

/** Several of them, separated by commas. @throws Error that names the variable when one is not a number above 0 */
export function sizes(variable: string, otherwise: number[]): number[] {
  const text = process.env[variable];
  if (text === undefined || text === '') return otherwise;
  const values = text.split(',').map(Number);
  if (values.every((value) => value > 0)) return values;
  throw new Error(`${variable} takes numbers above 0, as in ${otherwise.join(',')}: not ${text}`);
}

/**
 * Which of the sides take part, all unless the variable names some by the beginnings of their names.
 * @throws Error that names the variable when it leaves none
 */
export function chosen<T extends { name: string }>(variable: string, sides: readonly T[]): T[] {
  const wanted = process.env[variable]?.split(',').filter(Boolean);
  const taken = sides.filter(({ name }) => wanted?.some((beginning) => name.startsWith(beginning)) ?? true);
  if (taken.length > 0) return taken;
  throw new Error(`${variable} names none of ${sides.map(({ name }) => name).join(', ')}`);
}
