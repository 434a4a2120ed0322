/** Control and format characters, among them those that turn the direction of writing, and halves of characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}]+/gu;
const TAG = /<[^<>]{0,1000}>/g;

/**
 * A stranger's text as plain data: without tags and control characters, white space as single blanks, cut to a length.
 * @param limit in UTF-16 units
 * @returns undefined when nothing is left
 */
export function cleanText(text: unknown, limit: number): string | undefined {
  if (typeof text !== 'string') return undefined;
  const plain = text
    .slice(0, limit * 8)
    .replace(TAG, ' ')
    .replace(/\s+/g, ' ')
    .replace(INVISIBLE, '')
    .trim();
  const cut = plain
    .slice(0, limit)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd();
  return cut === '' ? undefined : cut;
}

const MAX_URL = 500;

/** A stranger's address of a page or image, if it is a plain http or https one; relative ones are completed. */
export function cleanUrl(text: unknown, base: URL): URL | undefined {
  if (typeof text !== 'string' || text.length > MAX_URL || !URL.canParse(text.trim(), base.href)) return undefined;
  const url = new URL(text.trim(), base);
  const plain = (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '';
  return plain && url.href.length <= MAX_URL ? url : undefined;
}
