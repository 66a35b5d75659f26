// Lets Mermaid parse and draw a diagram, in Chromium, and reads what stands in the drawing.
import { readFileSync } from 'node:fs';
import { installed, withPage } from './browser.mjs';
import { truth, visible } from './days.mjs';

const [file, truthFile] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const known = truth(truthFile);

const { drawn, complaints } = await withPage(async (page, complaints) => {
  await page.setContent('<div id="drawing"></div>');
  await page.addScriptTag({ path: installed('mermaid/dist/mermaid.min.js') });
  const drawn = await page.evaluate(async (text) => {
    mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' });
    await mermaid.parse(text);
    const { svg } = await mermaid.render('diagram', text);
    document.getElementById('drawing').innerHTML = svg;
    const texts = (selector) => [...document.querySelectorAll(selector)].map((node) => node.textContent);
    return { events: texts('.eventWrapper'), periods: texts('.taskWrapper'), scripts: document.querySelectorAll('svg script, svg a, svg image').length };
  }, text);
  if (drawn.scripts) complaints.push(`${drawn.scripts} scripts, links or pictures`);
  return { drawn, complaints };
});

const events = drawn.events.map((event) => event.replace(/\s+/gu, ''));
const titled = known.filter(({ title }) => {
  const whole = visible(title);
  // A title of thousands of characters is cut.
  const at = events.findIndex((event) => event === whole || (event.endsWith('…') && whole.startsWith(event.slice(0, -1))));
  return at >= 0 && events.splice(at, 1);
});
// A plain date is its own label.
const periods = drawn.periods.map((period) => period.trim());
for (const { date } of known) {
  if (/^\d{4}(-\d\d-\d\d)?$/.test(date ?? '') && !periods.includes(date)) complaints.push(`no period ${date}`);
}
if (events.length) complaints.push(...events.map((event) => `no event of ours: ${event}`));
console.error(complaints.join('\n'));
console.log(`${drawn.events.length} events drawn, ${titled.length} with their titles, ${complaints.length} complaints`);
