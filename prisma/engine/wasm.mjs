import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';

/**
 * Rejected when the engine panics, with Rust's own words. The call that panicked is never settled, and its error, which
 * says only "unreachable", is thrown where nobody can catch it.
 * @type {Promise<never>}
 */
export const panic = new Promise((_, reject) => {
  const set_message = (/** @type {string} */ message) => reject(new Error(message));
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message } });
  process.on('uncaughtException', reject);
});
panic.catch(() => undefined);

/** Loads Prisma's schema engine. Its main entry cannot be used: it imports WebAssembly as a module, which Node 20 does not. */
export async function loadSchemaEngine() {
  const file = new URL('schema_engine_bg.wasm', import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const { instance } = await WebAssembly.instantiate(await readFile(fileURLToPath(file)), {
    './schema_engine_bg.js': /** @type {WebAssembly.ModuleImports} */ (/** @type {unknown} */ (glue)),
  });
  glue.__wbg_set_wasm(instance.exports);
  /** @type {() => void} */ (instance.exports['__wbindgen_start'])();
  return glue;
}
