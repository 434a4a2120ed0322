import type { Context, MiddlewareHandler } from 'hono';
import type { Keyring, KeyRefusal, OperatorKey } from '../../api-keys/keyring.ts';
import { everyTenant, tenantOf } from '../../db/tenant.ts';
import type { AppDependencies, HttpEnv } from '../context.ts';
import { addressReader } from '../request/caller.ts';
import { STREAM_PATHS, STREAM_TOKEN } from './authorization.ts';
import { inTime } from '../answers/deadline.ts';
import { Problem } from '../answers/problem.ts';
import { type CountRequest, networkOf } from './rate-limit.ts';
import { unavailable } from '../answers/unavailable.ts';

/** https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i;

/** What a caller is to show, and what it is told otherwise. */
interface Credential {
  read: (c: Context<HttpEnv>) => string | undefined;
  wanted: string;
  refusals: Record<Exclude<KeyRefusal, 'too-many'>, string>;
}

const readBearer = (c: Context<HttpEnv>) => BEARER.exec(c.req.header('authorization') ?? '')?.[1];
const REFUSALS = {
  unknown: 'There is no such API key: check that it is whole.',
  expired: 'This API key has expired: ask for a new one.',
  revoked: 'This API key was revoked: ask for a new one.',
};
const KEY: Credential = {
  read: readBearer,
  wanted: 'an API key, as in Authorization: Bearer lok_…',
  refusals: REFUSALS,
};
const OPERATOR: Credential = {
  read: readBearer,
  wanted: "an operator's key, as in Authorization: Bearer lop_…",
  refusals: REFUSALS,
};
const NO_STREAM = 'This stream token is not good any more, or never was: ask for a new one.';
const STREAM: Credential = {
  read: (c) => c.req.query(STREAM_TOKEN),
  wanted: 'a stream token, as in token=lst_…',
  refusals: { unknown: NO_STREAM, expired: NO_STREAM, revoked: NO_STREAM },
};

/**
 * Finds who calls, and which rows are theirs. Without keys that is anybody, and all of them.
 * @param countRefused called for each request that shows no good key
 */
export function authenticate(deps: AppDependencies, countRefused: CountRequest): MiddlewareHandler<HttpEnv> {
  const { keyring, streamKeyring, prisma, share } = deps;
  if (keyring === 'off') {
    const tenant = everyTenant(prisma);
    return (c, next) => {
      c.set('confirmKey', () => Promise.resolve());
      c.set('tenant', tenant);
      return next();
    };
  }
  const byKey = createVerifier(keyring, KEY, deps, countRefused);
  const byToken = streamKeyring && createVerifier(streamKeyring, STREAM, deps, countRefused);
  return async (c, next) => {
    const { verify, verifyInTime } = ((bringsToken(c) && byToken) || byKey)(c);
    const key = await verifyInTime();
    c.set('key', key);
    c.set('confirmKey', verify);
    c.set('tenant', tenantOf(prisma, key.organizationId, share));
    return next();
  };
}

/** Says whether a request for a stream comes with a token in place of a key. */
const bringsToken = (c: Context<HttpEnv>): boolean =>
  STREAM_PATHS.has(c.req.path) && c.req.header('authorization') === undefined && STREAM.read(c) !== undefined;

/** Finds the operator who calls. A key of an organization opens nothing here, and one of an operator nothing elsewhere. */
export function authenticateOperator(deps: AppDependencies, countRefused: CountRequest): MiddlewareHandler<HttpEnv> {
  const { keyring } = deps.operators;
  if (keyring === 'off') return (_, next) => next();
  const verifierOf = createVerifier(keyring, OPERATOR, deps, countRefused);
  return async (c, next) => {
    c.set('operator', await verifierOf(c).verifyInTime());
    return next();
  };
}

function createVerifier<Key extends OperatorKey>(
  keyring: Keyring<Key>,
  credential: Credential,
  { trustedProxies, answerWithinMs }: AppDependencies,
  countRefused: CountRequest,
) {
  const readAddress = addressReader(trustedProxies);
  return (c: Context<HttpEnv>) => {
    const verify = () => verifyKey(keyring, credential, credential.read(c), networkOf(readAddress(c)));
    const verifyInTime = () =>
      inTime(verify(), answerWithinMs, () => unavailable(c, 'nothing-stored')).catch((err: unknown) => {
        if (err instanceof Problem && err.status === 401) countRefused(c);
        throw err;
      });
    return { verify, verifyInTime };
  };
}

async function verifyKey<Key extends OperatorKey>(
  keyring: Keyring<Key>,
  { wanted, refusals }: Credential,
  token: string | undefined,
  sender: string,
): Promise<Key> {
  if (token === undefined) throw unauthenticated(`Send ${wanted}`, '');
  const key = await keyring.verify(token, sender);
  if (key === 'too-many') throw tooManyGuesses();
  if (typeof key === 'string') throw unauthenticated(refusals[key], ' error="invalid_token"');
  return key;
}

/** Nobody has looked whether the key is good. */
export const tooManyGuesses = () =>
  new Problem(429, 'rate-limited', 'Too many unknown API keys came from your address: wait a minute.', {
    headers: { 'retry-after': '60' },
  });

const unauthenticated = (detail: string, error: string) =>
  new Problem(401, 'unauthenticated', detail, { headers: { 'www-authenticate': `Bearer${error}` } });
