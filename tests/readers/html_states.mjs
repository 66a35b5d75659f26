// Moves the slider of a page through all its dates by keyboard and prints what the page shows at each.
import { withPage } from './browser.mjs';

const [file] = process.argv.slice(2);

await withPage(async (page, complaints) => {
  await page.goto(`file://${file}`);
  const slider = page.locator('#slider');
  await slider.focus();
  await page.keyboard.press('Home');
  const seen = [];
  const read = () => page.evaluate(() => {
    const state = {};
    for (const row of document.querySelectorAll('#answers tr[data-entity]')) {
      state[`${row.dataset.entity}.${row.dataset.attribute}`] = {
        value: row.querySelector('.value').textContent,
        sure: row.querySelector('.sure')?.textContent ?? '',
        by: row.querySelector('.by a')?.dataset.event ?? '',
      };
    }
    const going = [...document.querySelectorAll('.going li')].map((item) => item.textContent);
    const more = going.map((text) => Number(/^and (\d+) more$/.exec(text)?.[1] ?? 0)).find(Boolean) ?? 0;
    return {
      as_of: document.getElementById('as-of').dataset.asOf,
      state,
      tally: document.getElementById('tally').textContent,
      surely_going: document.querySelectorAll('.going li[data-certainty=surely]').length,
      going: document.querySelectorAll('.going li[data-certainty]').length + more,
    };
  });
  const last = Number(await slider.getAttribute('max'));
  for (let stop = 0; stop <= last; stop += 1) {
    await page.waitForFunction((stop) => document.getElementById('slider').getAttribute('aria-valuetext').includes(`, ${stop + 1} of `), stop);
    seen.push(await read());
    await page.keyboard.press('ArrowRight');
  }
  // Dates between the stops, as they are typed.
  for (const date of ['1999', '2006-07', '2008-02-03', '2012-02-29', '2018', '-0043-03', '2023-10-01']) {
    await page.fill('#date', date);
    await page.press('#date', 'Enter');
    seen.push(await read());
  }
  if (complaints.length) throw new Error(complaints.join('\n'));
  console.log(JSON.stringify(seen));
});
