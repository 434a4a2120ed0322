/** The value below which this share of the values lies, by the nearest rank; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const descending = values.map((value) => -value);
  return (percentile(values, 0.5) - percentile(descending, 0.5)) / 2;
}

/** A median with its spread, least and most, as tables show it: `12.3 (11–14.1)`. */
export function spread(values: readonly number[], digits = 1): string {
  const known = values.filter((value) => !Number.isNaN(value));
  if (known.length === 0) return '–';
  const [middle, least, most] = [median(known), Math.min(...known), Math.max(...known)].map((v) => round(v, digits));
  return least === most ? `${middle}` : `${middle} (${least}–${most})`;
}

/** Rates above 100 need no digits. */
const round = (value: number, digits: number) => Number(value.toFixed(Math.abs(value) >= 100 ? 0 : digits));

/** How much `y` grows for each 1 of `x`, by least squares; 0 of fewer than two points. */
export function slope(points: readonly { x: number; y: number }[]): number {
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const across = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const along = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return along === 0 ? 0 : across / along;
}
