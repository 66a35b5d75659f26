// Opens a page and looks that every title stands in it as the text that it is, and that none does anything.
import { visible } from './days.mjs';
import { withPage } from './browser.mjs';
import { readFileSync } from 'node:fs';

const [file, truthFile] = process.argv.slice(2);
const known = JSON.parse(readFileSync(truthFile, 'utf8'));

await withPage(async (page, complaints) => {
  page.on('request', (request) => request.url().startsWith('file:') || complaints.push(`asks for ${request.url()}`));
  await page.goto(`file://${file}`);
  await page.waitForSelector('.stroke');
  const titles = await page.locator('#list h3').allTextContents();
  const plain = (text) => visible(text).replaceAll(/\\u\{[ad]\}/g, '');
  const titled = known.filter(({ title }, at) => {
    const isShown = plain(titles[at] ?? '') === visible(title);
    if (!isShown) complaints.push(`${titles[at]} is not ${title}`);
    return isShown;
  });
  const strange = await page.locator('img, iframe, object, embed, form[action], link:not([rel=icon]), base').count();
  if (strange) complaints.push(`${strange} elements that no page of ours has`);
  console.error(complaints.join('\n'));
  console.log(`${titles.length} events, ${titled.length} with their titles, ${complaints.length} complaints`);
});
