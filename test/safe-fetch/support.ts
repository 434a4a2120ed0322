import { Socket } from 'node:net';
import { inject, onTestFinished, vi } from 'vitest';
import { allowHosts } from '../../src/safe-fetch/allowed-hosts.ts';
import type { FetchError } from '../../src/safe-fetch/fetch-error.ts';
import { createNameResolver } from '../../src/safe-fetch/name-resolver.ts';
import { createSafeFetch, type FetchOptions, type SafeFetch } from '../../src/safe-fetch/safe-fetch.ts';

export interface TestFetchOptions {
  servers?: string[];
  allow?: string[];
  ca?: string | undefined;
  lookupMs?: number;
}

/** For what is answered: a busy machine may take longer than we wait for a resolver. */
export const PATIENT_LOOKUP_MS = 20_000;

export const testFetch = ({
  servers = ['127.0.0.1:9'],
  allow = [],
  ca,
  lookupMs = PATIENT_LOOKUP_MS,
}: TestFetchOptions = {}): SafeFetch =>
  createSafeFetch({
    resolver: createNameResolver({ servers, lookupMs }),
    allowed: allowHosts(allow),
    userAgent: 'test/1.0',
    ...(ca !== undefined && { ca }),
  });

/** Fetches what is expected to be refused. @returns the code of the error */
export async function failureOf(fetch: SafeFetch, url: string, options: Partial<FetchOptions> = {}): Promise<string> {
  const signal = new AbortController().signal;
  return fetch(new URL(url), { signal, ...options }).then(
    ({ status }) => `answered ${status}`,
    (err: unknown) => (err as FetchError).code,
  );
}

/** What a client of an earlier file connects to again is no business of a test's. */
const ownServers = () => new Set([inject('postgresPort'), Number(inject('temporalAddress').split(':')[1])]);

/** Records every TCP connection that this process begins; those that `lets` does not name come to nothing. */
export function watchConnections(lets: (port: number) => boolean = () => false) {
  const begun: string[] = [];
  const connect = Reflect.get(Socket.prototype, 'connect') as (...args: unknown[]) => Socket;
  const spy = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...args: unknown[]) {
    const [options] = (Array.isArray(args[0]) ? args[0] : args) as [{ host?: string; port?: number }];
    if (ownServers().has(Number(options.port))) return connect.apply(this, args);
    begun.push(`${options.host}:${options.port}`);
    if (lets(Number(options.port))) return connect.apply(this, args);
    process.nextTick(() => this.destroy(Object.assign(new Error('no way out'), { code: 'ECONNREFUSED' })));
    return this;
  });
  onTestFinished(() => spy.mockRestore());
  return begun;
}
