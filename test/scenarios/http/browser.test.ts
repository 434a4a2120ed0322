import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished } from 'vitest';
import { createTestApi, testWithoutStarts as test } from '../../support/api.ts';
import { chromiumPath, openPage } from '../../support/chromium.ts';
import { listen } from '../../support/server.ts';

/** Another site, of static pages only. */
async function serveSite(pages: Record<string, string>): Promise<string> {
  const server = createServer(({ url = '' }, answer) => {
    const page = pages[url];
    answer.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

describe.skipIf(chromiumPath === undefined)('in Chromium', () => {
  test('/docs shows every operation and calls them, with nothing from elsewhere and nothing refused', async ({
    api,
  }) => {
    const server = await listen(api);
    onTestFinished(() => server.close());
    const { page, faults } = await openPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${server.url}/docs`);
    const health = page.locator('#operations-operations-getHealth');
    await health.click();
    await health.getByRole('button', { name: 'Try it out' }).click();
    await health.getByRole('button', { name: 'Execute' }).click();
    await health.getByText('"status": "ok"').first().waitFor();
    expect(await page.locator('.opblock').count()).toBeGreaterThan(10);
    expect(asked.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'))).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('a static page of another site sends a lead with a plain form, and gets its visitor back', async ({
    database,
  }) => {
    const pages: Record<string, string> = { '/thanks': '<h1>Thank you</h1>', '/favicon.ico': '' };
    const site = await serveSite(pages);
    const api = createTestApi(database, { slots: 0, formReturnOrigins: [site] });
    const server = await listen(api);
    onTestFinished(async () => {
      await server.close();
      await api.close();
    });
    pages['/contact'] = `<!doctype html>
      <form action="${server.url}/forms/leads" method="post">
        <input type="hidden" name="organizationId" value="org-123">
        <input type="hidden" name="returnTo" value="${site}/thanks">
        <input type="hidden" name="token">
        <input name="website" tabindex="-1" autocomplete="off" style="position: absolute; left: -9999px">
        <input name="name" required> <input name="email" type="email">
        <textarea name="attributes[message]"></textarea>
        <button>Send</button>
      </form>
      <script src="${server.url}/forms/guard.js" defer></script>`;

    const { page, faults } = await openPage();
    const send = async (name: string) => {
      await page.fill('[name=name]', name);
      await page.fill('[name=email]', `${name.toLowerCase()}@example.com`);
      await page.fill('textarea', 'Olá, tudo bem?');
      await page.click('button');
      await page.waitForURL(`${site}/thanks`);
    };
    await page.goto(`${site}/contact`);
    await send('Ana');
    await page.goto(`${site}/contact`);
    const first = await page.inputValue('[name=token]');
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    await expect.poll(() => page.inputValue('[name=token]')).not.toBe(first); // the browser brought the page back
    await send('Eva');

    expect(await page.textContent('h1')).toBe('Thank you');
    expect(faults).toEqual([]);
    const leads = await database.prisma.lead.findMany({ orderBy: { createdAt: 'asc' } });
    expect(leads).toMatchObject([
      { name: 'Ana', email: 'ana@example.com', source: 'FORM', attributes: { message: 'Olá, tudo bem?' } },
      { name: 'Eva' },
    ]);
  });
});
