// Reads a JSON document and JSON Lines of the same events and compares them.
import { deepStrictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';

const [document, lines] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'));
const { events } = JSON.parse(document);
deepStrictEqual(events, lines.trimEnd().split('\n').map((line) => JSON.parse(line)));
console.log(`${events.length} events, the same in both`);
