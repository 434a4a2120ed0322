import { describe, expect, it } from 'vitest';
import { capacityOf } from '../../src/process/capacity.ts';
import { EnvironmentError, opsUrlOf, readEnvironment } from '../../src/process/environment.ts';
import { urlOf } from '../../src/process/url-of.ts';

const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;

const faultOf = (variables: Record<string, string>): string => {
  try {
    readEnvironment(variables);
  } catch (err) {
    if (err instanceof EnvironmentError) return err.message;
    throw err;
  }
  return 'none';
};

it.each([
  [{}, 'http://127.0.0.1:3000'],
  [{ HOST: '::1', PORT: '80' }, 'http://[::1]:80'],
  [{ HOST: '0.0.0.0' }, 'http://127.0.0.1:3000'],
  [{ HOST: '192.168.1.5', OPS_URL: 'http://api' }, 'http://api'],
])('the API that operators are shown, with %j, is at %s', (variables, url) => {
  expect(opsUrlOf(readEnvironment(variables))).toBe(url);
});

it('a server that listens everywhere is reached on loopback', () => {
  expect(['0.0.0.0', '::', '::1', '10.0.0.5'].map((host) => urlOf(host, 3000))).toEqual([
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'http://[::1]:3000',
    'http://10.0.0.5:3000',
  ]);
});

describe('trusted proxies', () => {
  it.each(['nginx', '10.0.0.0/33', '10.0.0.1,nginx', 'fd00::/8x'])('are not %s', (TRUSTED_PROXIES) => {
    expect(faultOf({ TRUSTED_PROXIES })).toMatch(/TRUSTED_PROXIES\S*: takes addresses or ranges/);
  });

  it.each(['10.0.0.1', '10.0.0.0/8, 192.168.1.7', 'fd00::/8', '::1'])('are %s', (TRUSTED_PROXIES) => {
    expect(faultOf({ TRUSTED_PROXIES })).toBe('none');
  });
});

it.each(['RECONCILE_INTERVAL_MS', 'SHUTDOWN_GRACE_MS', 'ENRICHMENT_DELAY_MS', 'OUTBOX_POLL_MS'])(
  '%s is not longer than a timer can be',
  (name) => {
    expect(faultOf({ [name]: '2592000000' })).toContain(name);
    expect(faultOf({ [name]: '1000000000' })).toBe('none');
  },
);

describe('the notification webhook', () => {
  const NOTIFICATION_WEBHOOK_URL = 'https://example.com/notifications';

  it('is not there by default, nor with empty variables', () => {
    expect(readEnvironment({}).NOTIFICATION_WEBHOOK_URL).toBeUndefined();
    expect(faultOf({ NOTIFICATION_WEBHOOK_URL: '', NOTIFICATION_WEBHOOK_SECRET: '' })).toBe('none');
  });

  it.each([24, 25, 26, 32, 64])('takes an http or https address with a secret of %i bytes', (bytes) => {
    for (const url of [NOTIFICATION_WEBHOOK_URL, 'http://10.0.0.7:8080/'])
      expect(faultOf({ NOTIFICATION_WEBHOOK_URL: url, NOTIFICATION_WEBHOOK_SECRET: secretOf(bytes) })).toBe('none');
  });

  it('says that the address needs a secret, and how to make one', () => {
    const fault = faultOf({ NOTIFICATION_WEBHOOK_URL });
    expect(fault).toMatch(/NOTIFICATION_WEBHOOK_SECRET: is needed with NOTIFICATION_WEBHOOK_URL.*openssl rand/);
  });

  it.each([secretOf(16), secretOf(96), secretOf(32).slice(6), `whsec_${'ä'.repeat(32)}`, `whsec_${'a'.repeat(33)}`])(
    'refuses %s as a secret, without repeating it',
    (secret) => {
      const fault = faultOf({ NOTIFICATION_WEBHOOK_URL, NOTIFICATION_WEBHOOK_SECRET: secret });
      expect(fault).toMatch(/NOTIFICATION_WEBHOOK_SECRET: takes whsec_ and 24 to 64 bytes in Base64/);
      expect(fault).not.toContain(secret);
    },
  );

  it.each([
    ['nonsense', 'takes an http or https address'],
    ['ftp://example.com/', 'takes an http or https address'],
    ['https://user:password@example.com/', 'takes no user and password'],
  ])('refuses the address %s', (url, fault) => {
    const variables = { NOTIFICATION_WEBHOOK_URL: url, NOTIFICATION_WEBHOOK_SECRET: secretOf(32) };
    expect(faultOf(variables)).toContain(`NOTIFICATION_WEBHOOK_URL: ${fault}`);
  });
});

describe('the rate limit', () => {
  it('is requests/seconds, or off; nothing by default', () => {
    expect(readEnvironment({}).RATE_LIMIT).toBeUndefined();
    expect(readEnvironment({ RATE_LIMIT: 'off' }).RATE_LIMIT).toBe('off');
    expect(readEnvironment({ RATE_LIMIT: '600/60' }).RATE_LIMIT).toEqual({ requests: 600, seconds: 60 });
  });

  it.each(['600', '600/', '/60', '0/60', '600/0', '-1/60', '1.5/60', '600/60s', '600/60,10/1', 'on', 'OFF'])(
    'refuses %s, and says what it takes',
    (RATE_LIMIT) =>
      expect(faultOf({ RATE_LIMIT })).toContain('RATE_LIMIT: takes off, or requests/seconds as in 600/60'),
  );
});

describe.each(['CORS_ORIGINS', 'FORM_RETURN_ORIGINS'] as const)('%s', (variable) => {
  it('is a list of origins, empty by default', () => {
    expect(readEnvironment({})[variable]).toEqual([]);
    const origins = ['https://www.example.com', 'http://localhost:5173'];
    expect(readEnvironment({ [variable]: ` ${origins.join(' , ')},` })[variable]).toEqual(origins);
  });

  it.each(['*', 'example.com', 'https://*.example.com', 'https://example.com/', 'https://example.com/a', 'null'])(
    'refuses %s: each site is named',
    (origin) => {
      const fault = faultOf({ [variable]: `https://www.example.com,${origin}` });
      expect(fault).toContain(`${variable}.1: takes whole origins without a path, as in https://www.example.com`);
    },
  );
});

describe('an API without keys', () => {
  it.each(['127.0.0.1', '127.0.0.2', '::1', 'localhost'])('may listen on %s', (HOST) => {
    expect(faultOf({ API_AUTH: 'off', HOST })).toBe('none');
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', '127.example.com'])('may not listen on %s, where others reach it', (HOST) => {
    expect(faultOf({ API_AUTH: 'off', HOST })).toMatch(/API_AUTH: .*set HOST=127\.0\.0\.1, or .* npm run keys$/);
    expect(faultOf({ HOST })).toBe('none');
  });
});

describe('what a worker of a queue takes', () => {
  it('is slots alone by default', () => {
    expect(capacityOf(readEnvironment({}))).toEqual({
      'lead-onboarding': { maxConcurrentWorkflowTaskExecutions: 40 },
      notification: { maxConcurrentActivityTaskExecutions: 10 },
      webhook: { maxConcurrentActivityTaskExecutions: 100 },
      lead: { maxConcurrentActivityTaskExecutions: 3 },
    });
  });

  it('is set for each queue by itself', () => {
    const settings = {
      ONBOARDING_CONCURRENCY: '8',
      ONBOARDING_POLLERS: '4',
      NOTIFICATION_POLLERS: 'auto',
      NOTIFICATION_RATE: '20',
      WEBHOOK_CONCURRENCY: '30',
      WEBHOOK_POLLERS: '2',
      LEAD_CONCURRENCY: '5',
      LEAD_POLLERS: '1',
      LEAD_RATE: '0.5',
      LEAD_QUEUE_RATE: '2',
    };
    expect(capacityOf(readEnvironment(settings))).toEqual({
      'lead-onboarding': {
        maxConcurrentWorkflowTaskExecutions: 8,
        workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 4 },
      },
      notification: {
        maxConcurrentActivityTaskExecutions: 10,
        activityTaskPollerBehavior: { type: 'autoscaling' },
        maxActivitiesPerSecond: 20,
      },
      webhook: {
        maxConcurrentActivityTaskExecutions: 30,
        activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
      },
      lead: {
        maxConcurrentActivityTaskExecutions: 5,
        activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
        maxActivitiesPerSecond: 0.5,
        maxTaskQueueActivitiesPerSecond: 2,
      },
    });
  });

  it.each([
    ['ONBOARDING_CONCURRENCY', '1', /expected number to be >=2/],
    ['ONBOARDING_POLLERS', '1', /takes a whole number from 2 on, or auto/],
    ['NOTIFICATION_POLLERS', '0', /takes a whole number from 1 on, or auto/],
    ['LEAD_POLLERS', 'many', /takes a whole number from 1 on, or auto/],
    ['NOTIFICATION_RATE', '0', /takes a number above 0: activities a second/],
    ['LEAD_QUEUE_RATE', 'fast', /takes a number above 0: activities a second/],
    ['WORKER_BUILD_ID', 'release 1', /takes the name of a release/],
  ])('refuses %s=%s', (variable, value, fault) => {
    expect(faultOf({ [variable]: value })).toMatch(new RegExp(`${variable}: .*${fault.source}`));
  });
});
