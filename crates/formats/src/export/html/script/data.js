// What the page was given. Its events come in the order of the list; their texts are read from the list itself.

const data = JSON.parse(byId('data').textContent);

const CIRCA = 1;
const UNCERTAIN = 2;
const INTERVAL = 4;
const START_UNKNOWN = 8;
const END_UNKNOWN = 16;
const ONE_OF = 32;

/** A moment; the ends of the axis are written as signs. */
const second = (told) => (told === '-' ? -Infinity : told === '+' ? Infinity : told);

/** A moment that is the last one of a day, or another in a list of its own. */
const ending = (told) => (Array.isArray(told) ? second(told[0]) : (told + 1) * DAY - 1);

/** Mostly one, without a list around it. */
const all = (told) => (Array.isArray(told) ? told : [told]);

/** The happenings of an event: a day, some days, or bounds as they are. */
function spansOf(when) {
  const [day, days] = all(when);
  if (typeof day !== 'number') {
    return when.map((span) => {
      const [from, begun, over, to] = span.map(second);
      return { from, begun, over, to };
    });
  }
  const [from, to] = [day * DAY, (day + (days ?? 1)) * DAY - 1];
  return [{ from, begun: to, over: from, to }];
}

const items = [...byId('list').children];
const events = items.map((item, index) => ({
  index,
  item,
  title: item.querySelector('h3').textContent,
  said: item.querySelector('b').textContent,
  f: data.events.f[index],
  k: all(data.events.k[index])[0] ?? -1,
  p: all(data.events.p[index])[0] ?? -1,
  a: all(data.events.a[index]),
  t: all(data.events.t[index]),
  spans: spansOf(data.events.h[index]),
  members: (data.events.m[index] ?? []).map((member) => member.map(second)),
}));

/** The id of an event, as it stands in the list. */
function idOf({ item }) {
  const term = [...item.querySelectorAll('dt')].find(({ textContent }) => textContent === 'Id');
  return term.nextSibling.textContent.replace(/, record \d+(?: of \S+|, revised on \S+ as record \d+)\s*$/, '');
}

/** Whether an event had begun at a moment: 'surely', 'possibly' or 'not yet'. */
function reached(event, asOf) {
  if (!event.spans.length) return 'possibly';
  if (event.spans.some((span) => span.begun <= asOf)) return 'surely';
  return event.spans.some((span) => span.from <= asOf) ? 'possibly' : 'not yet';
}

/** Whether an event goes on at a moment: 'surely', 'possibly' or undefined. */
function goesOn(event, asOf) {
  if (!event.spans.length) return 'possibly';
  if (event.spans.some((span) => span.begun <= asOf && asOf <= span.over)) return 'surely';
  return event.spans.some((span) => span.from <= asOf && asOf <= span.to) ? 'possibly' : undefined;
}

const short = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text);

/** A link to an event in the list. */
const linkTo = (index) => make('a', { href: `#e${index}`, 'data-event': idOf(events[index]) }, own(short(events[index].title, 160)));
