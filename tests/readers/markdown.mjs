// Reads a document with markdown-it, with HTML, tables and bare links on, and looks at what it would draw.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { visible } from './days.mjs';

const require = createRequire(path.join(process.env.ANNALS_READERS, 'package.json'));
const MarkdownIt = require('markdown-it');

const [file, truthFile] = process.argv.slice(2);
const known = JSON.parse(readFileSync(truthFile, 'utf8'));
const tokens = new MarkdownIt({ html: true, linkify: false }).parse(readFileSync(file, 'utf8'), {});
const complaints = [];

// What a document of ours is made of; anything else a text of an event has made.
const BLOCKS = ['heading', 'paragraph', 'bullet_list', 'list_item', 'blockquote', 'inline'];
const INLINES = ['text', 'text_special', 'softbreak', 'hardbreak', 'strong_open', 'strong_close', 'link_open', 'link_close'];
for (const token of tokens) {
  if (!BLOCKS.includes(token.type.replace(/_(open|close)$/, ''))) complaints.push(`${token.type}: ${token.content}`);
  for (const part of token.children ?? []) {
    if (!INLINES.includes(part.type)) complaints.push(`${part.type}: ${part.content}`);
    const address = part.attrGet('href');
    if (address !== null && !/^https?:\/\//.test(address)) complaints.push(`a link to ${address}`);
  }
}

/** What is read of an inline token, without its marks. */
const text = (token) => token.children.map(({ type, content }) => (type.endsWith('break') ? '\n' : content)).join('');

const headings = tokens.flatMap((token, at) => (token.type === 'heading_open' && token.tag === 'h3' ? [text(tokens[at + 1])] : []));
const paragraphs = tokens.flatMap((token, at) => (token.type === 'paragraph_open' ? [visible(text(tokens[at + 1]))] : []));
let titled = 0;
let told = 0;
for (const [at, { date, title, description, id }] of known.entries()) {
  const meant = `${date ? `${date} · ` : ''}${title}`;
  // A line end in a title is written out, too.
  const shown = visible(headings[at] ?? '').replaceAll(/\\u\{[ad]\}/g, '');
  if (shown === visible(meant)) titled += 1;
  else complaints.push(`${headings[at]} is not ${meant}`);
  const parts = (description ?? '').split(/\n\n+/).map(visible).filter(Boolean);
  told += parts.every((part) => paragraphs.includes(part)) && paragraphs.includes(visible(`Id: ${id}`));
}
console.error(complaints.join('\n'));
console.log(`${headings.length} events, ${titled} with their dates and titles, ${told} with their texts, ${complaints.length} complaints`);
