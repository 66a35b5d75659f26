// Opens a page of many events, draws it, searches it and reads the last state.
import assert from 'node:assert';
import { withPage } from './browser.mjs';

const [file] = process.argv.slice(2);

await withPage(async (page, complaints) => {
  const began = Date.now();
  await page.goto(`file://${file}`);
  await page.waitForSelector('#answers tr.stands');
  const opened = Date.now();
  const count = await page.locator('#list > li').count();
  assert.ok(await page.locator('.density, .stroke').count() > 0, 'nothing is drawn');
  assert.ok(await page.locator('.inner *').count() < 6000, 'more is drawn than anybody can see');
  const shown = await page.locator('tr[data-entity="all"] .value').textContent();
  await page.fill('#search', 'event 17');
  await page.waitForFunction(() => document.getElementById('found').textContent.includes(' of '));
  await page.focus('#slider');
  await page.keyboard.press('Home');
  await page.waitForFunction(() => document.getElementById('slider').getAttribute('aria-valuetext').includes(', 1 of '));
  if (process.env.ANNALS_TEST_PAGE_TIMES) console.error(`opened in ${opened - began} ms, searched and moved in ${Date.now() - opened} ms`);
  assert.deepStrictEqual(complaints, []);
  console.log(`${count} events, the count ends at ${shown}`);
});
