// Uses a page as people do, with and without a script, light and dark, wide and narrow, and lets axe-core look at it.
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { installed, withPage } from './browser.mjs';

const [file, count] = process.argv.slice(2);
const address = `file://${file}`;
const axe = readFileSync(installed('axe-core/axe.min.js'), 'utf8');

/** Findings of axe that keep people out. */
async function serious(page) {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => window.axe.run());
  assert.ok(passes.some(({ id }) => id === 'color-contrast') && passes.length > 15, 'axe looked at nothing');
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ''}`).join(' | ')}`);
}

/** Every way of looking at the page. */
for (const colorScheme of ['light', 'dark']) {
  for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
    await withPage(async (page, complaints) => {
      const asked = [];
      page.on('request', (request) => request.url().startsWith('file:') || asked.push(request.url()));
      await page.goto(address);
      assert.strictEqual(await page.locator('#list > li').count(), Number(count));
      const what = `${colorScheme} ${viewport.width}`;
      assert.deepStrictEqual(await serious(page), [], what);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= viewport.width, `${what}: ${width} px wide`);
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const isDark = Number(/\d+/.exec(paper)[0]) < 128;
      assert.strictEqual(isDark, colorScheme === 'dark', what);
      await page.click('#theme');
      assert.notStrictEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), paper);
      assert.deepStrictEqual(await serious(page), [], `${what}, switched`);
      assert.deepStrictEqual(complaints, []);
      assert.deepStrictEqual(asked, []);
    }, { colorScheme, viewport });
  }
}

/** The parts that react. */
await withPage(async (page, complaints) => {
  await page.goto(address);
  const visible = () => page.locator('#list > li:visible').count();
  await page.fill('#search', 'cholera HAITI');
  await page.waitForFunction(() => document.getElementById('found').textContent.startsWith('1 of '));
  assert.strictEqual(await visible(), 1);
  await page.click('#filters button[type=reset]');
  await page.waitForFunction((count) => document.getElementById('found').textContent === `${count} events`, count);
  await page.selectOption('#filter-t', { label: 'health (1)' });
  await page.waitForFunction(() => document.getElementById('found').textContent.startsWith('1 of '));
  assert.strictEqual(await page.locator('.stroke').count(), 1, 'the drawing shows what the list shows');
  await page.click('#filters button[type=reset]');
  await page.waitForFunction(() => document.querySelectorAll('.stroke').length > 5);

  // A link to an event that lies out of view brings it there.
  const axis = () => page.evaluate(() => [...document.querySelectorAll('.tick')].map((tick) => tick.textContent).join());
  const before = await axis();
  await page.focus('#chart');
  await page.keyboard.press('+');
  await page.waitForFunction((before) => [...document.querySelectorAll('.tick')].map((tick) => tick.textContent).join() !== before, before);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Home');
  await page.waitForFunction((before) => [...document.querySelectorAll('.tick')].map((tick) => tick.textContent).join() === before, before);
  await page.click('.edge.earlier');
  await page.waitForFunction(() => [...document.querySelectorAll('.label')].some((label) => label.textContent.includes('Caesar')));

  // The far past waits at the edge, and what is hidden in a text is written out.
  const bidi = await page.locator('#list h3', { hasText: 'gnp.exe' }).textContent();
  assert.ok(bidi.includes('\\u{202e}') && !bidi.includes('\u202e'), bidi);
  const schemes = await page.evaluate(() => [...document.links].map((link) => link.protocol));
  assert.deepStrictEqual([...new Set(schemes)].sort(), ['file:', 'https:']);
  assert.strictEqual(await page.locator('meta[name=referrer][content=no-referrer]').count(), 1);
  assert.strictEqual(await page.locator('a[target]').count(), 0);
  assert.strictEqual(await page.locator('img, iframe, object, script:not([type]) ~ script').count(), 0);
  await page.emulateMedia({ media: 'print' });
  assert.strictEqual(await page.locator('#filters').isVisible(), false);
  assert.strictEqual(await page.locator('#list blockquote').first().isVisible(), true);
  await page.emulateMedia({ media: 'screen' });
  assert.deepStrictEqual(complaints, []);

  // The policy holds against what a fault of ours would let in.
  const ran = await page.evaluate(() => new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => resolve(effectiveDirective));
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    setTimeout(() => resolve(window.ran ? 'ran' : 'nothing'), 2000);
  }));
  assert.strictEqual(ran, 'script-src-elem');
});

/** Without a script the list is the page. */
await withPage(async (page, complaints) => {
  await page.goto(address);
  assert.strictEqual(await page.locator('#list > li:visible').count(), Number(count));
  assert.strictEqual(await page.locator('#chart:visible, #slider:visible, #filters:visible, #state:visible, button:visible').count(), 0);
  assert.strictEqual(await page.locator('noscript').isVisible(), true);
  assert.deepStrictEqual(complaints, []);
}, { javaScriptEnabled: false });

console.log(`${count} events; searched, filtered, zoomed, printed; nothing serious found by axe`);
