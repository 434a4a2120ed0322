type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/**
 * Applies a JSON Merge Patch, https://www.rfc-editor.org/rfc/rfc7396#section-2: members of objects are merged, `null`
 * takes one away, anything else takes the place of what was there.
 */
export function mergePatch(target: unknown, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged); // a member named `__proto__` stays one
}

const isObject = (value: unknown): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
