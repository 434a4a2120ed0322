const WIDTH = 600;
const HEIGHT = 80;

interface ChartProps {
  /** What it is of, for those who do not see it. */
  label: string;
}

/** Bars for counts, the oldest first. */
export function Bars({ label, counts, tone }: ChartProps & { counts: number[]; tone: string }) {
  const most = Math.max(1, ...counts);
  const width = WIDTH / Math.max(1, counts.length);
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {counts.map((count, index) => {
        const height = (count / most) * HEIGHT;
        return (
          <rect
            class={tone}
            x={index * width + 1}
            y={round(HEIGHT - height)}
            width={width - 2}
            height={round(height)}
          />
        );
      })}
    </svg>
  );
}

/** A line for each row of values, the oldest first; a value that is missing leaves a gap. */
export function Lines({ label, rows }: ChartProps & { rows: { tone: string; values: (number | undefined)[] }[] }) {
  const most = Math.max(Number.EPSILON, ...rows.flatMap(({ values }) => values.filter((value) => value !== undefined)));
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {rows.map(({ tone, values }) => (
        <path class={`line ${tone}`} d={pathOf(values, most)} />
      ))}
    </svg>
  );
}

function pathOf(values: (number | undefined)[], most: number): string {
  const step = WIDTH / Math.max(1, values.length);
  return values
    .flatMap((value, index) => {
      if (value === undefined) return [];
      const [x, y] = [round((index + 0.5) * step), round(HEIGHT - 2 - (value / most) * (HEIGHT - 4))];
      // One that stands alone is a dot: a line of no length with round ends.
      return values[index - 1] === undefined ? [`M${x} ${y}h0`] : [`L${x} ${y}`];
    })
    .join('');
}

const round = (value: number) => Math.round(value * 10) / 10;
