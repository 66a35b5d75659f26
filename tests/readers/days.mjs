// The days of an event as Annals has them: what a target that knows only days has to draw.
import { readFileSync } from 'node:fs';

/** Year, month, day of `2004-01-01T00:00:00`, `-0043-03-15T…` or `Y-170000000-…`; nothing for `open` and `unknown`. */
export function day(bound) {
  const parts = /^Y?(-?\d+)-(\d\d)-(\d\d)T/.exec(bound);
  return parts && { year: Number(parts[1]), month: Number(parts[2]), day: Number(parts[3]) };
}

const order = ({ year, month, day }) => year * 10000 + month * 100 + day;

/** The events with the first and the last day of what is to be drawn; a side that nothing bounds has none. */
export function truth(file) {
  return JSON.parse(readFileSync(file, 'utf8')).map((event) => {
    if (!event.bounds) return event;
    const { start, end } = event.bounds;
    return { ...event, first: day(start.earliest) ?? day(end.earliest), last: day(end.latest) ?? day(start.latest) };
  });
}

/** Whether a drawing from one day to another is that of an event: its days, or on an open side the part of a year that
 * ends or begins there. */
export function isDrawn(event, first, last) {
  const isShort = order(first) <= order(last) && order(last) - order(first) < 10000;
  if (!event.first) return same(last, event.last) && isShort;
  if (!event.last) return same(first, event.first) && isShort;
  return same(first, event.first) && same(last, event.last);
}

/** Days in a month of an astronomical year. */
export function daysIn(year, month) {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
}

export const same = (a, b) => a && b && order(a) === order(b);

/** A text without white space and with its hidden characters written out, as exports have them. */
export function visible(text) {
  const hidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;
  return text.replace(hidden, (c) => `\\u{${c.codePointAt(0).toString(16)}}`).replace(/\s+/gu, '');
}
