const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/**
 * Finds a name that an object of a JSON text has twice. `JSON.parse` takes the last of its values, and says nothing.
 * @param json valid JSON
 * @returns the first such name, or undefined
 */
export function findRepeatedName(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // what is open, with the names that it has so far
  for (let at = 0; at < json.length; at += 1) {
    const sign = json.charCodeAt(at);
    if (OPENING.has(sign)) open.push(undefined);
    else if (CLOSING.has(sign)) open.pop();
    else if (sign === QUOTE) {
      const end = endOfString(json, at);
      if (isName(json, end)) {
        const name = JSON.parse(json.slice(at, end)) as string;
        const names = (open[open.length - 1] ??= new Set());
        if (names.has(name)) return name;
        names.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Where a string that begins at `start` is over. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  for (; json.charCodeAt(at) !== QUOTE; at += 1) if (json.charCodeAt(at) === BACKSLASH) at += 1;
  return at + 1;
}

function isName(json: string, end: number): boolean {
  let at = end;
  while (json.charCodeAt(at) <= 0x20) at += 1;
  return json.charCodeAt(at) === COLON;
}
