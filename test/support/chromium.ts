import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { PATIENCE_MS } from './patience.ts';

const PLACES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Undefined on a machine without one: what needs a browser is left out there. */
export const chromiumPath = PLACES.find((path) => path !== undefined && existsSync(path));

/** A page of a new browser, and what went wrong in it: errors of scripts, and whatever the policy of a page refused. */
export async function openPage() {
  const browser = await chromium.launch({
    executablePath: chromiumPath ?? '',
    args: ['--no-sandbox'],
    timeout: PATIENCE_MS,
  });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const faults: string[] = [];
  page.on('pageerror', (err) => faults.push(err.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return { page, faults };
}
