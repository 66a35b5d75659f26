// The state as of a date. What is answered was folded when the page was written; here it is only looked up.

const MOST_VALUES = 150;

/** An answer as the page was told it: a value that is sure and who decided it, or everything by name. */
const answerOf = (told) => (Array.isArray(told) ? { v: told[0], s: true, b: told[1] } : told ?? undefined);

/** The turns of an attribute stand one after another: a moment, an answer, a moment … */
const attributes = data.states.entities.flatMap(([timeline, entity, attributesOfIt]) => attributesOfIt.map(([name, ...turns]) => ({
  timeline,
  entity,
  attribute: data.states.names[name],
  moments: turns.filter((_, at) => at % 2 === 0).map(ending),
  answers: turns.filter((_, at) => at % 2 === 1).map(answerOf),
})));

/** What is answered of an attribute as of a moment; nothing where nothing stands or may stand. */
const answerAt = ({ moments, answers }, asOf) => answers[lastWhere(moments.length, (index) => moments[index] <= asOf)];

/** Whether two answers say the same; mostly they are of the same turn. */
const isSame = (one, other) => one === other || (one && other && JSON.stringify(one) === JSON.stringify(other));

/** A value; a set stands in braces. */
function value(told) {
  if (!Array.isArray(told)) return [own(told)];
  const members = told.flatMap((member, index) => (index ? [', ', own(member)] : [own(member)]));
  return ['{', ...members, '}'];
}

/** Links to events, and how many more there are. */
function links(indexes, more = 0) {
  const shown = indexes.flatMap((index, at) => (at ? [', ', linkTo(index)] : [linkTo(index)]));
  return more ? [...shown, ` and ${more} more`] : shown;
}

/** The sentences about what is open. */
function openWords(told) {
  const words = [];
  const line = (...children) => words.push(make('li', {}, ...children));
  for (const [other, by, more] of told.a ?? []) {
    if (other === null && told.v === undefined) continue;
    const what = other === null ? 'may be absent' : 'may be ';
    line(what, ...(other === null ? [] : value(other)), ...(by.length ? [', by ', ...links(by, more)] : []));
  }
  if (told.n) {
    const [low, high] = told.n;
    if (low !== null && high !== null && low !== high) line('between ', own(low), ' and ', own(high));
    else if ((low ?? high) !== null && told.v === undefined) line('may be ', own(low ?? high));
  }
  if (told.m) {
    const [surely, possibly] = told.m;
    const sure = new Set(surely);
    const more = possibly.filter((member) => !sure.has(member));
    if (surely.length) line('surely holds ', ...value(surely));
    if (more.length) line('may hold ', ...value(more));
  }
  for (const [other, by] of told.c ?? []) line(make('strong', {}, 'contested: '), ...value(other), ', by ', ...links([by]));
  // Whoever is named already as the one who may have set it is not named again.
  const named = new Set((told.a ?? []).flatMap(([, by]) => by));
  if (told.d?.some((index) => !named.has(index))) line('depends on the date of ', ...links(told.d, told.dn ?? 0));
  return words.length ? make('ul', { class: 'open' }, ...words) : '';
}

function valueRow(one, told, isNew) {
  const { entity, attribute } = one;
  const stands = told.v !== undefined;
  const cells = [
    make('th', { scope: 'row' }, own(attribute), isNew ? make('span', { class: 'new' }, ' changed') : ''),
    make('td', {},
      stands ? make('span', { class: 'value' }, ...value(told.v)) : make('span', { class: 'value none' }, 'nothing sure'),
      stands ? make('span', { class: told.s ? 'sure yes' : 'sure no' }, told.s ? 'sure' : 'not sure') : '',
      openWords(told),
      told.b === undefined ? '' : make('p', { class: 'by' }, make('span', {}, `${events[told.b].said}: `), linkTo(told.b))),
  ];
  return make('tr', { class: `${stands ? 'stands' : 'unsettled'}${isNew ? ' is-new' : ''}`, 'data-entity': entity, 'data-attribute': attribute }, ...cells);
}

/** One table of values, the attributes of an entity together. */
function table(title, rows, wasTold) {
  const body = [];
  let last;
  for (const { one, told } of rows.slice(0, MOST_VALUES)) {
    const entity = data.timelines.length > 1 ? `${data.timelines[one.timeline]}: ${one.entity}` : one.entity;
    if (entity !== last) body.push(make('tbody', {}, make('tr', { class: 'entity' }, make('th', { scope: 'rowgroup', colspan: 2 }, own(entity)))));
    last = entity;
    body.at(-1).append(valueRow(one, told, wasTold && !isSame(wasTold(one), told)));
  }
  const rest = rows.length - MOST_VALUES;
  return [
    make('h3', {}, title),
    make('table', {}, ...body),
    rest > 0 ? make('p', { class: 'note' }, `and ${plural(rest, 'value', 'values')} more: search for an entity to see them`) : '',
  ];
}

const state = { asOf: undefined, told: undefined };

function going(asOf) {
  const found = events.map((event) => [event, goesOn(event, asOf)]).filter(([, certainty]) => certainty);
  if (!found.length) return [];
  const surely = found.filter(([, certainty]) => certainty === 'surely');
  const possibly = found.filter(([, certainty]) => certainty === 'possibly');
  const list = (rows) => rows.slice(0, 12).map(([event, certainty]) => make('li', { 'data-certainty': certainty },
    certainty === 'possibly' ? make('span', { class: 'sure no' }, 'possibly') : '', ' ', linkTo(event.index)));
  const rest = Math.max(0, surely.length - 12) + Math.max(0, possibly.length - 12);
  return [make('h3', {}, 'Going on'), make('ul', { class: 'going' }, ...list(surely), ...list(possibly),
    rest ? make('li', {}, `and ${rest} more`) : '')];
}

/** What is new, for those who do not see the table. */
const announce = settled(() => { byId('told').textContent = state.announcement; }, 350);

function showState(asOf) {
  const find = byId('find').value.trim().toLowerCase();
  const rows = [];
  const told = new Map();
  const changed = [];
  for (const one of attributes) {
    const answer = answerAt(one, asOf);
    if (answer) told.set(one, answer);
    if (state.told && !isSame(state.told.get(one), answer)) changed.push([one, answer]);
    if (answer && (!find || `${one.entity}.${one.attribute}`.toLowerCase().includes(find))) rows.push({ one, told: answer });
  }
  const before = state.told;
  const wasTold = before && asOf !== state.asOf ? (one) => before.get(one) : state.wasTold;
  const surely = rows.filter(({ told: { v } }) => v !== undefined);
  const possibly = rows.filter(({ told: { v } }) => v === undefined);
  const count = { surely: 0, possibly: 0, 'not yet': 0 };
  for (const event of events) count[reached(event, asOf)] += 1;
  byId('tally').textContent = `${plural(count.surely, 'event', 'events')} happened, ${count.possibly.toLocaleString('en-GB')} possibly${data.states.until === null ? `, ${count['not yet'].toLocaleString('en-GB')} came later` : ''}`;
  byId('answers').replaceChildren(
    ...surely.length ? table('Stands', surely, wasTold) : [],
    ...possibly.length ? table('May stand', possibly, wasTold) : [],
    ...rows.length ? [] : [make('p', { class: 'note' }, attributes.length ? 'Nothing stands, surely or possibly.' : 'No event here changes a state.')],
    ...going(asOf));
  const words = changed.slice(0, 3).map(([one, answer]) => `${one.entity}.${one.attribute}: ${answer?.v === undefined ? (answer ? 'nothing sure' : 'nothing') : [answer.v].flat().join(', ')}`);
  if (state.told && asOf !== state.asOf) {
    state.announcement = changed.length ? `${plural(changed.length, 'value', 'values')} changed. ${words.join('; ')}${changed.length > 3 ? ' …' : ''}` : 'No value changed.';
    announce();
  }
  byId('command').textContent = `annals${data.timelines.length === 1 ? ` --timeline ${data.timelines[0]}` : ''} replay --as-of ${dateText(asOf)}`;
  Object.assign(state, { asOf, told, wasTold });
}

function beginState() {
  byId('state').hidden = false;
  byId('find-label').hidden = attributes.length < 20;
  byId('find').addEventListener('input', () => showState(state.asOf));
  const missing = data.states.left_out;
  byId('missing').hidden = !missing;
  byId('missing').textContent = `${plural(missing, 'attribute has', 'attributes have')} too many values for this page and ${missing === 1 ? 'is' : 'are'} left out here. The log has them.`;
}
