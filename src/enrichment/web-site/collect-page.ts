import type { Handler } from 'htmlparser2';
import { FetchError } from '../../safe-fetch/fetch-error.ts';
import type { Page } from './page.ts';

/** Browsers stop at 512. */
const MAX_DEPTH = 512;
const MAX_ATTRIBUTES = 30;
const MAX_VALUE = 2_000;
const MAX_ENTRIES = { meta: 100, jsonLd: 10, links: 2_000, resources: 500 };
const MAX_RESOURCE = 500;
const MAX_TITLE = 2_000;
const MAX_JSON = 64 * 1024;

type Tag = { name: string; attributes: Map<string, string> };

/** @returns a page that fills up while its handler is called by a parser */
export function collectPage(): { page: Page; handler: Partial<Handler> } {
  const page: Page = { language: '', title: '', meta: new Map(), jsonLd: [], links: [], resources: [] };
  let depth = 0;
  let tag: Tag = { name: '', attributes: new Map() };
  let titleSeen = false;
  /** What text goes to. */
  let target: 'title' | 'json' | undefined;
  let json = '';

  /** The parser tells of no end of a tag's attributes unless it keeps all of them, however many: the next event ends it. */
  const endTag = () => {
    const { name } = tag;
    if (name === '') return;
    if (name === 'title' && !titleSeen) target = 'title';
    else if (name === 'script' && isJsonLd(tag)) target = 'json';
    else keep(page, tag);
    tag = { name: '', attributes: new Map() };
  };

  const handler: Partial<Handler> = {
    onopentagname(name) {
      endTag();
      depth += 1;
      if (depth > MAX_DEPTH) throw new FetchError('ResponseMalformed');
      tag = { name, attributes: new Map() };
    },
    onattribute(name, value) {
      if (tag.attributes.size < MAX_ATTRIBUTES && !tag.attributes.has(name)) {
        tag.attributes.set(name, value.slice(0, MAX_VALUE));
      }
    },
    ontext(text) {
      endTag();
      if (target === 'title' && page.title.length < MAX_TITLE) page.title += text;
      if (target === 'json' && json.length <= MAX_JSON) json += text;
    },
    onclosetag(name) {
      endTag();
      depth -= 1;
      if (name === 'title' && target === 'title') titleSeen = true;
      if (name === 'script' && target === 'json') {
        if (json.length <= MAX_JSON && page.jsonLd.length < MAX_ENTRIES.jsonLd) page.jsonLd.push(json);
        json = '';
      }
      if (name === 'title' || name === 'script') target = undefined;
    },
    onend: endTag,
  };
  return { page, handler };
}

const isJsonLd = ({ attributes }: Tag) => attributes.get('type')?.trim().toLowerCase() === 'application/ld+json';

function keep(page: Page, { name, attributes }: Tag): void {
  const address = attributes.get('href') ?? attributes.get('src') ?? '';
  switch (name) {
    case 'html':
      page.language ||= attributes.get('lang') ?? '';
      return;
    case 'meta': {
      const key = (attributes.get('property') ?? attributes.get('name') ?? '').trim().toLowerCase();
      const fits = key !== '' && !page.meta.has(key) && page.meta.size < MAX_ENTRIES.meta;
      if (fits) page.meta.set(key, attributes.get('content') ?? '');
      return;
    }
    case 'a':
      if (address !== '' && page.links.length < MAX_ENTRIES.links) page.links.push(address);
      return;
    case 'script':
    case 'link':
    case 'img':
      if (address !== '' && page.resources.length < MAX_ENTRIES.resources)
        page.resources.push(address.slice(0, MAX_RESOURCE));
  }
}
