import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../src/local/project-root.ts';

const LINK = /\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)]*))?\)/g;

const read = (path: string) => readFileSync(join(projectRoot(), path), 'utf8');
const pagesIn = (folder: string) =>
  readdirSync(join(projectRoot(), folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const documents = [...pagesIn('.'), ...pagesIn('docs')];

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (path: string) =>
  Array.from(read(path).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );

it.each(documents)('every link of %s leads somewhere', (document) => {
  const dead = Array.from(read(document).matchAll(LINK)).filter(([, path = '', anchor]) => {
    const target = path === '' ? document : join(dirname(document), path);
    if (!existsSync(join(projectRoot(), target))) return true;
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
  });
  expect(dead.map(([link]) => link)).toEqual([]);
});

it('README.md is read in one go: at most 120 lines, no table wider than a screen', () => {
  const lines = read('README.md').split('\n');
  expect(lines.length).toBeLessThanOrEqual(120);
  expect(lines.filter((line) => line.startsWith('|') && line.length > 120)).toEqual([]);
});

it('docs/README.md names every page beside it', () => {
  const pages = pagesIn('docs').filter((path) => path !== 'docs/README.md');
  for (const page of pages) expect(read('docs/README.md')).toContain(`](${page.slice('docs/'.length)})`);
});
