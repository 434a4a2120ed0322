/** What a site says of the organization behind it; https://schema.org/Organization. */
export interface Organization {
  name?: unknown;
  description?: unknown;
  logo?: unknown;
  sameAs?: unknown;
}

/** Characters in all scripts of a page together. */
const MAX_TEXT = 256 * 1024;
const MAX_DEPTH = 4;
const MAX_NODES = 200;
/** Members of a list of types, or of links. */
const MAX_MEMBERS = 50;
/** Organization, and its kinds that companies use of themselves. */
const TYPES =
  /^(https?:\/\/schema\.org\/)?(\w*Organization|Corporation|LocalBusiness|OnlineBusiness|OnlineStore|Store|ProfessionalService|NGO)$/;

/** The first organization in the JSON-LD of a page; what does not parse is passed over. */
export function findOrganization(scripts: readonly string[]): Organization | undefined {
  let left = MAX_TEXT;
  for (const script of scripts) {
    left -= script.length;
    if (left < 0) break;
    const organization = search(parse(script));
    if (organization) return organization;
  }
  return undefined;
}

function parse(script: string): unknown {
  try {
    return JSON.parse(script);
  } catch {
    return undefined;
  }
}

/** Level by level, so that a site's own organization comes before those that it mentions. */
function search(root: unknown): Organization | undefined {
  let level: unknown[] = [root];
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth += 1) {
    const nodes = level.flat().slice(0, MAX_NODES).filter(isObject);
    const organization = nodes.find((node) => members(node['@type']).some((type) => TYPES.test(String(type))));
    if (organization) return organization;
    level = nodes.flatMap((node) => Object.values(node));
  }
  return undefined;
}

/** One value, or the first of many. */
export const members = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, MAX_MEMBERS) : [value]);

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
