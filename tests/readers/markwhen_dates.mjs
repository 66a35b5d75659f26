// Says of each line of a file whether Markwhen's own parser takes it for the beginning of an event, and of which day.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.ANNALS_READERS, 'package.json'));
const { parse, iter, isEvent } = require('@markwhen/parser');

const lines = readFileSync(process.argv[2], 'utf8').trimEnd().split('\n');
const told = lines.map((line) => {
  const { events } = parse(`---\ntimezone: UTC\n---\n\n2001: Before\nid: a\n\n${line}: Title\n`);
  const found = [...iter(events)].map(({ eventy }) => eventy).filter(isEvent);
  if (found.length < 2) return null;
  const from = found[1].dateRangeIso.fromDateTimeIso;
  // Where a date that does not exist lands.
  return Math.abs(Date.parse(from) - Date.now()) < 172_800_000 ? 'the present' : from.split('T')[0];
});
console.log(JSON.stringify(told));
