// Gives an export to TimelineJS itself, in Chromium, and looks at the slides that it makes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { installed, withPage } from './browser.mjs';
import { daysIn, isDrawn, same, truth, visible } from './days.mjs';

const [file, truthFile] = process.argv.slice(2);
const data = JSON.parse(readFileSync(file, 'utf8'));
const known = truth(truthFile);

const url = (name) => pathToFileURL(installed(`@knight-lab/timelinejs/dist/${name}`)).href;
const folder = mkdtempSync(path.join(tmpdir(), 'timelinejs-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const page = path.join(folder, 'index.html');
writeFileSync(page, `<!DOCTYPE html><meta charset="utf-8"><link rel="stylesheet" href="${url('css/timeline.css')}">
<div id="timeline" style="width: 1000px; height: 600px"></div><script src="${url('js/timeline.js')}"></script>`);

const { slides, scale, errors, complaints } = await withPage(async (page_, complaints) => {
  const asked = [];
  page_.on('request', (request) => asked.push(request.url()));
  await page_.goto(pathToFileURL(page).href);
  const made = await page_.evaluate(async (data) => {
    const timeline = new TL.Timeline('timeline', data, { hash_bookmark: false, ga_measurement_id: null });
    await new Promise((resolve) => { timeline.on('loaded', resolve); setTimeout(resolve, 3000); });
    const point = (date) => date && {
      year: date.data.year, month: date.data.month, day: date.data.day, hour: date.data.hour, minute: date.data.minute,
      drawn: date.data.date_obj instanceof Date
        ? { year: date.data.date_obj.getFullYear(), month: date.data.date_obj.getMonth() + 1, day: date.data.date_obj.getDate() }
        : null,
    };
    const slides = timeline.config.events.map((slide) => ({
      id: slide.unique_id, start: point(slide.start_date), end: point(slide.end_date), words: slide.display_date,
    }));
    const texts = [...document.querySelectorAll('.tl-slide')].map((slide) => slide.textContent);
    return { slides, texts, scale: timeline.config.scale, errors: timeline.config.getErrors(),
      scripts: document.querySelectorAll('#timeline script, #timeline img').length };
  }, data);
  if (made.scripts) complaints.push(`${made.scripts} scripts or pictures`);
  const shown = visible(made.texts.join(''));
  for (const slide of made.slides) {
    const event = known.find((event) => event.id === slide.id);
    if (!shown.includes(visible(event.title))) complaints.push(`no title ${event.title}`);
    if (!shown.includes(visible(slide.words))) complaints.push(`no date ${slide.words}`);
  }
  // TimelineJS asks for fonts of its own, which are not there; of what the events hold it must ask for nothing.
  const ofEvents = asked.filter((url) => /^https?:/.test(url) && JSON.stringify(data).includes(new URL(url).host));
  const others = complaints.filter((complaint) => !complaint.includes('ERR_INTERNET_DISCONNECTED'));
  console.error(asked.filter((url) => /^https?:/.test(url)).join('\n'));
  return { ...made, complaints: [...others, ...ofEvents] };
});

// TimelineJS counts years without a 0.
const astronomical = (year) => (year < 0 ? year + 1 : year);
let onTheirDays = 0;
let dropped = 0;
for (const { id, start, end } of slides) {
  const event = known.find((event) => event.id === id);
  const time = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(event.date)?.slice(1).map(Number);
  if (time) {
    onTheirDays += String(time) === String([start.year, start.month, start.day, start.hour, start.minute]);
    continue;
  }
  // An end within the year or month that the start names it drops by itself; the report says so.
  const given = data.events.find((slide) => slide.unique_id === id);
  dropped += given.end_date !== undefined && end === undefined;
  const last = end ?? given.end_date ?? start;
  const year = astronomical(last.year);
  const month = last.month ?? 12;
  const drawn = !start.drawn || same(start.drawn, { year: start.year, month: start.month ?? 1, day: start.day ?? 1 });
  const first = { year: astronomical(start.year), month: start.month ?? 1, day: start.day ?? 1 };
  // A leap day before year 1 stands as its month; the report says so.
  if (first.year < 1 && first.month === 2 && !start.day && event.first?.day === 29) first.day = 29;
  const isRight = drawn && isDrawn(event, first, { year, month, day: last.day ?? daysIn(year, month) });
  onTheirDays += isRight;
  if (!isRight) console.error(`${event.date} is drawn from ${JSON.stringify(start)} to ${JSON.stringify(end)}`);
}
const all = [...complaints, ...errors];
console.error(all.join('\n'));
console.log(`${slides.length} slides, ${onTheirDays} on their days, ${slides.filter((slide) => slide.words).length} with their words, `
  + `${known.length - slides.length} left out, ${dropped} ends dropped, scale ${scale}, ${all.length} complaints`);
