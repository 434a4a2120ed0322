const MAX_RULES = 1_000;
const MAX_PATTERN = 500;
const MAX_PATH = 2_000;
/** Characters of patterns, each held against those of a path: a pattern can be made to take as long as that. */
const MAX_WORK = 50_000_000;

interface Rule {
  allow: boolean;
  pattern: string;
}

/**
 * Says whether a site's robots.txt lets a robot see a path (RFC 9309): the group of its name counts, else that of `*`;
 * of the rules that match the longest, and of two of one length the one that allows. What would take a thread long to
 * find out, as no honest file does, counts as forbidden.
 * @param product the robot's name, lower case
 */
export function robotsAllow(text: string, product: string, path: string): boolean {
  const groups = { own: [] as Rule[], others: [] as Rule[] };
  let ownNamed = false;
  let current: Rule[][] = [];
  let inRules = true;
  for (const line of text.split(/[\r\n]+/)) {
    const [, word = '', value = ''] = /^\s*([a-z-]{1,20})\s*:([^#]*)/i.exec(line) ?? [];
    const key = word.toLowerCase();
    const content = value.trim();
    const isAllow = key === 'allow';
    if (key === 'user-agent') {
      if (inRules) current = [];
      inRules = false;
      const [name] = content.toLowerCase().split('/', 1);
      const group = name === product ? groups.own : name === '*' ? groups.others : undefined;
      if (group && !current.includes(group)) current.push(group);
      ownNamed ||= name === product;
    } else if (isAllow || key === 'disallow') {
      inRules = true;
      const usable = content !== '' && content.length <= MAX_PATTERN;
      for (const rules of current) {
        if (usable && rules.length < MAX_RULES) rules.push({ allow: isAllow, pattern: content });
      }
    }
  }
  const rules = ownNamed ? groups.own : groups.others;
  const work = rules.reduce((sum, { pattern }) => sum + pattern.length * path.length, 0);
  if (path.length > MAX_PATH || work > MAX_WORK) return rules.length === 0;
  const matching = rules.filter(({ pattern }) => matches(pattern, path));
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
