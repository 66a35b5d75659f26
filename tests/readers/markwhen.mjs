// Reads a text with Markwhen's own parser and looks at the events that it finds.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { isDrawn, truth, visible } from './days.mjs';

const require = createRequire(path.join(process.env.ANNALS_READERS, 'package.json'));
const { parse, iter, isEvent } = require('@markwhen/parser');

const [file, truthFile] = process.argv.slice(2);
const known = truth(truthFile);
const parsed = parse(readFileSync(file, 'utf8'));
const complaints = [...parsed.parseMessages, ...parsed.documentMessages].map(({ message }) => message);
const found = [...iter(parsed.events)].map(({ eventy }) => eventy).filter(isEvent);

/** The day of an ISO time as it is written; the day before, for an end that is exclusive. */
function day(iso, back = 0) {
  const [, year, month, day_] = /^([+-]?\d+)-(\d\d)-(\d\d)T/.exec(iso);
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day_) - back);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

let onTheirDays = 0;
let inTheirYears = 0;
let titled = 0;
for (const event of found) {
  const { fromDateTimeIso: from, toDateTimeIso: to } = event.dateRangeIso;
  const meant = known.find(({ id }) => id === event.properties.id);
  if (!meant || event.properties.edtf !== meant.date) {
    complaints.push(`${event.firstLine.full} is no event of ours`);
    continue;
  }
  // Behind a year before Christ the parser leaves the colon in the text.
  const title = visible(event.firstLine.restTrimmed.replaceAll('\\', '')).replace(/^:/, '');
  if (title.startsWith(visible(meant.title.replaceAll('\\', '')).replaceAll('\\', ''))) titled += 1;
  else complaints.push(`${title} is no title of ours`);
  if (meant.date.includes('T')) {
    onTheirDays += new Date(from).getTime() === new Date(meant.date).getTime();
  } else if (meant.first?.year < 1) {
    inTheirYears += day(from).year === meant.first.year;
  } else {
    onTheirDays += isDrawn(meant, day(from), day(to, 1));
  }
}
console.error(complaints.join('\n'));
console.log(`${found.length} events, ${onTheirDays} on their days, ${inTheirYears} in its year, ${titled} with their titles, `
  + `${known.length - found.length} left out, ${complaints.length} complaints`);
