// The list of events: search, filters, and what each event is as of the date.

const list = { visible: new Set(events), near: new Set(events), texts: undefined };

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

/** Says of an event that may be seen whether it had happened by the date; the style words it. */
function say(event) {
  const now = reached(event, state.asOf).replace(' ', '-');
  if (event.item.dataset.reached === now) return;
  if (!event.item.dataset.reached) event.item.firstChild.append(make('span', { class: 'status' }));
  event.item.dataset.reached = now;
}

/** The same of all that may be seen: a browser that skips what is far away says what that is. */
function showStatus() {
  for (const event of list.near) say(event);
}

function beginStatus() {
  if (!('ContentVisibilityAutoStateChangeEvent' in window)) return;
  const isNear = ({ item }) => item.firstChild.checkVisibility({ contentVisibilityAuto: true });
  list.near = new Set(events.filter(isNear));
  byId('list').addEventListener('contentvisibilityautostatechange', ({ target, skipped }) => {
    const event = events[Number(target.id.slice(1))];
    if (skipped) list.near.delete(event);
    else {
      list.near.add(event);
      say(event);
    }
  }, true);
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
  beginStatus();
  if (events.length > 300) brief.click();
  chart.shown = (event) => list.visible.has(event);
}
