// What the page was given. Its events come in the order of the list; titles are read from the list itself.

const data = JSON.parse(byId('data').textContent);

const CIRCA = 1;
const UNCERTAIN = 2;
const INTERVAL = 4;
const START_UNKNOWN = 8;
const END_UNKNOWN = 16;
const ONE_OF = 32;

/** A moment; the ends of the axis are written as signs. */
const second = (told) => (told === '-' ? -Infinity : told === '+' ? Infinity : told);

const items = [...byId('list').children];
const events = data.events.map((event, index) => ({
  ...event,
  index,
  item: items[index],
  title: items[index].querySelector('h3').textContent,
  said: items[index].querySelector('.said').textContent,
  k: event.k ?? -1,
  p: event.p ?? -1,
  a: event.a ?? [],
  t: event.t ?? [],
  spans: event.h.map((span) => {
    const [from, begun, over, to] = span.map(second);
    return { from, begun, over, to };
  }),
  members: (event.m ?? []).map((member) => member.map(second)),
}));

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
const linkTo = (index) => make('a', { href: `#e${index}`, 'data-event': events[index].i }, own(short(events[index].title, 160)));
