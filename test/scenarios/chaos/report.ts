import type { Figures } from './checks/verify.ts';

interface Result {
  title: string;
  seconds: number;
  figures: Figures;
}

/** What was measured, as a Markdown list of scenarios with the figures of each. */
export function formatTable(results: Result[], seed: number): string {
  const columns = ['acknowledged', 'lost', 'duplicate leads', 'duplicate notifications', 'histories replayed'];
  const row = (cells: (number | string)[]) => `| ${cells.join(' | ')} |`;
  const others = ({ figures }: Result) =>
    Object.entries(figures)
      .filter(([name]) => !columns.includes(name) && name !== 'onboarded')
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  return [
    `Seed ${seed}`,
    '',
    row(['nothing is lost when', ...columns, 'took s', 'also measured']),
    row(['---', ...columns.map(() => '--:'), '--:', '---']),
    ...results.map((result) =>
      row([result.title, ...columns.map((column) => result.figures[column] ?? '–'), result.seconds, others(result)]),
    ),
  ].join('\n');
}
