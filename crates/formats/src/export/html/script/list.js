// The list of events: search, filters, and what each event is as of the date.

const list = { visible: new Set(events), texts: undefined, shown: undefined };

/** The words of an event, for the search. */
function texts() {
  list.texts ??= events.map(({ item }) => item.textContent.toLowerCase());
  return list.texts;
}

function filter() {
  const words = byId('search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = Object.fromEntries(['k', 'a', 'p', 't'].map((what) => [what, byId(`filter-${what}`).value]));
  const found = words.length ? texts() : [];
  list.visible = new Set();
  for (const event of events) {
    const has = (what) => wanted[what] === '' || [event[what]].flat().includes(Number(wanted[what]));
    const isShown = has('k') && has('a') && has('p') && has('t') && words.every((word) => found[event.index].includes(word));
    if (event.item.hidden === isShown) event.item.hidden = !isShown;
    if (isShown) list.visible.add(event);
  }
  const all = list.visible.size === events.length;
  byId('found').textContent = all ? plural(events.length, 'event', 'events') : `${list.visible.size.toLocaleString('en-GB')} of ${plural(events.length, 'event', 'events')}`;
  drawUndated();
  drawSoon();
}

/** Says of each event whether it had happened by a date; only what is another now is touched, and the style words it. */
function showStatus(asOf) {
  list.shown ??= [];
  for (const event of events) {
    const now = reached(event, asOf);
    if (list.shown[event.index] === now) continue;
    list.shown[event.index] = now;
    event.item.dataset.reached = now.replace(' ', '-');
  }
}

function options(id, names) {
  const counts = new Array(names.length).fill(0);
  const what = id.at(-1);
  for (const event of events) for (const index of new Set([event[what]].flat())) if (index >= 0) counts[index] += 1;
  const sorted = names.map((text, index) => [text, index]).sort(([a], [b]) => a.localeCompare(b, 'en'));
  byId(id).append(...sorted.map(([text, index]) => make('option', { value: index }, `${text} (${counts[index]})`)));
  byId(id).closest('label').hidden = !names.length;
}

function beginList() {
  options('filter-k', data.kinds);
  options('filter-a', data.actors);
  options('filter-p', data.places);
  options('filter-t', data.tags);
  const form = byId('filters');
  form.hidden = false;
  const soon = settled(filter, 120);
  form.addEventListener('input', soon);
  form.addEventListener('reset', () => setTimeout(filter));
  form.addEventListener('submit', (submit) => { submit.preventDefault(); filter(); });
  const brief = byId('brief');
  brief.hidden = false;
  brief.addEventListener('click', () => {
    const isBrief = document.body.classList.toggle('brief');
    brief.setAttribute('aria-pressed', isBrief);
  });
  if (events.length > 300) brief.click();
  chart.shown = (event) => list.visible.has(event);
}
