// Gives a map to check-geojson, which holds every rule of RFC 7946 against it, and counts the features.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.ANNALS_READERS, 'package.json'));
const { check } = require('@placemarkio/check-geojson');
const { features } = check(readFileSync(process.argv[2], 'utf8'));
console.log(`${features.length} features, ${features.filter(({ geometry }) => geometry).length} with a place`);
