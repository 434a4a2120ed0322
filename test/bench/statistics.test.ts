import { expect, it } from 'vitest';
import { median, percentile, slope, spread } from '../../bench/support/statistics.ts';

it('a percentile is a value that was measured, by the nearest rank', () => {
  const values = [30, 10, 20, 40];
  expect([0, 0.5, 0.75, 0.76, 1].map((share) => percentile(values, share))).toEqual([10, 20, 30, 40, 40]);
  expect(values).toEqual([30, 10, 20, 40]);
  expect(percentile([], 0.5)).toBeNaN();
  expect([median([3, 1, 2]), median(values)]).toEqual([2, 25]);
});

it('a spread shows the median, the least and the most, and leaves out what was not measured', () => {
  expect(spread([12.34, 11, 14.06])).toBe('12.3 (11–14.1)');
  expect(spread([1_234.5, NaN, 99.94])).toBe('667 (99.9–1235)');
  expect(spread([2, 2])).toBe('2');
  expect(spread([NaN])).toBe('–');
});

it('a slope is what a straight line grows by, whatever lies around it', () => {
  const line = [0, 1, 2, 3].map((x) => ({ x, y: 7 + 2.5 * x }));
  expect(slope(line)).toBeCloseTo(2.5);
  const around = line.map(({ x, y }) => ({ x, y: y + (x === 0 || x === 3 ? 1 : -1) }));
  expect(slope(around)).toBeCloseTo(2.5);
  expect(slope([{ x: 1, y: 1 }])).toBe(0);
});
