import type { OpsClient } from '../ops/client.ts';
import { createReader, type Reader } from './reader.ts';

/** A reader that nobody has asked for this long is forgotten. */
const IDLE_MS = 60_000;

/** Readers by the key that they read with. */
export function createReaders() {
  const readers = new Map<string, { reader: Reader; usedAt: number }>();
  return {
    of(key: string, connect: () => OpsClient): Reader {
      const now = performance.now();
      for (const [known, { usedAt }] of readers) if (now - usedAt > IDLE_MS) readers.delete(known);
      const reader = readers.get(key)?.reader ?? createReader(connect());
      readers.set(key, { reader, usedAt: now });
      return reader;
    },
  };
}
