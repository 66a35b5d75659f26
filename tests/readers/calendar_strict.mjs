// Reads a calendar with ical.js, as Thunderbird does, where it takes no value that is not of its type, and compares the days.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { isDrawn, truth, visible } from './days.mjs';

const require = createRequire(path.join(process.env.ANNALS_READERS, 'package.json'));
const required = require('ical.js');
const ICAL = required.default ?? required;
ICAL.design.strict = true;

const [file, truthFile] = process.argv.slice(2);
const known = truth(truthFile);
const calendar = new ICAL.Component(ICAL.parse(readFileSync(file, 'utf8')));
const entries = calendar.getAllSubcomponents('vevent');
const complaints = [];
let onTheirDays = 0;
let titled = 0;
for (const entry of entries) {
  const value = (name) => entry.getFirstPropertyValue(name);
  const id = decodeURIComponent(value('uid').replace(/@[^@]*$/, ''));
  const event = known.find((event) => event.id === id);
  if (value('x-annals-date').replaceAll('\\,', ',') !== event.date) complaints.push(`${id} has another date`);
  if (value('dtstamp').zone !== ICAL.Timezone.utcTimezone) complaints.push(`${id} has no stamp in UTC`);
  const start = value('dtstart');
  if (start.isDate) {
    const last = value('dtend').clone();
    last.adjust(-1, 0, 0, 0);
    onTheirDays += isDrawn(event, start, last);
  } else {
    const isInstant = /(Z|[+-]\d\d:\d\d)$/.test(event.date);
    const meant = isInstant ? new Date(event.date).toISOString().replace('.000', '') : event.date;
    // Years below 1000 are written with fewer digits.
    onTheirDays += start.toString().padStart(meant.length, '0') === meant && (start.zone === ICAL.Timezone.utcTimezone) === isInstant;
  }
  titled += visible(value('summary')).startsWith(visible(event.title));
}
console.error(complaints.join('\n'));
console.log(`${entries.length} entries, ${onTheirDays} on their days, ${titled} with their titles, `
  + `${known.length - entries.length} left out, ${complaints.length} complaints`);
