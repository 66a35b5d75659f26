// Opens pages in Debian's Chromium, without a network, and collects what they complain about.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.ANNALS_READERS, 'package.json'));
const { chromium } = require('playwright-core');

/** The file of an installed package. */
export const installed = (file) => path.join(process.env.ANNALS_READERS, 'node_modules', file);

/** Runs `use(page, complaints, browser)`; what the page writes to its console as an error is in `complaints`. */
export async function withPage(use, options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.ANNALS_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  try {
    const context = await browser.newContext({ offline: true, ...options });
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    return await use(page, complaints, browser);
  } finally {
    await browser.close();
  }
}
