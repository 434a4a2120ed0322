const MAX_RULES = 1_000;
const MAX_PATTERN = 500;

interface Rule {
  allow: boolean;
  pattern: string;
}

/**
 * Says whether a site's robots.txt lets a robot see a path (RFC 9309): the group of its name counts, else that of `*`;
 * of the rules that match the longest, and of two of one length the one that allows.
 * @param product the robot's name, lower case
 */
export function robotsAllow(text: string, product: string, path: string): boolean {
  const groups = { own: [] as Rule[], others: [] as Rule[] };
  let ownNamed = false;
  let current: Rule[][] = [];
  let inRules = true;
  for (const line of text.split(/\r\n?|\n/)) {
    const [, key = '', value = ''] = /^\s*([a-z-]{1,20})\s*:([^#]*)/i.exec(line) ?? [];
    const content = value.trim();
    const isAllow = key.toLowerCase() === 'allow';
    if (key.toLowerCase() === 'user-agent') {
      if (inRules) current = [];
      inRules = false;
      const name = content.toLowerCase().split('/')[0];
      if (name === product) current = [...new Set([...current, groups.own])];
      if (name === '*') current = [...new Set([...current, groups.others])];
      ownNamed ||= name === product;
    } else if (isAllow || key.toLowerCase() === 'disallow') {
      inRules = true;
      const usable = content !== '' && content.length <= MAX_PATTERN;
      for (const rules of current) {
        if (usable && rules.length < MAX_RULES) rules.push({ allow: isAllow, pattern: content });
      }
    }
  }
  const matching = (ownNamed ? groups.own : groups.others).filter(({ pattern }) => matches(pattern, path));
  const rank = ({ allow, pattern }: Rule) => pattern.length * 2 + Number(allow);
  return matching.reduce((best, rule) => (rank(rule) > rank(best) ? rule : best), { allow: true, pattern: '' }).allow;
}

/** `*` stands for anything, `$` at the end for the end. The parts are looked for in turn: never more than one pass each. */
function matches(pattern: string, path: string): boolean {
  const toTheEnd = pattern.endsWith('$');
  const [first = '', ...parts] = (toTheEnd ? pattern.slice(0, -1) : pattern).split('*');
  if (!path.startsWith(first)) return false;
  let at = first.length;
  const last = toTheEnd ? parts.pop() : undefined;
  for (const part of parts) {
    const found = path.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  if (!toTheEnd) return true;
  return last === undefined ? at === path.length : path.length - last.length >= at && path.endsWith(last);
}
