import { expect } from 'vitest';
import { test } from '../support/api.ts';

test('docs/openapi.json is what the API answers; `npm run openapi` writes it', async ({ api }) => {
  const { body } = await api.call('GET', '/openapi.json');
  await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot('../../docs/openapi.json');
});
