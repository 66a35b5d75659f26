// The timeline to scale. What is certain of a date is drawn solid, what is not fades; nothing is drawn more exact than
// it is known. It is one picture of the list below, so assistive technology is sent there.

const chart = {
  box: byId('chart'),
  inner: make('div', { class: 'inner', 'aria-hidden': 'true' }),
  view: { from: 0, to: 1 },
  home: { from: 0, to: 1 },
  asOf: undefined,
  shown: () => true,
  ask: () => {},
  lanes: 'k',
};

const ROW = 32;
const GUTTER = 120;
const MOST_ROWS = 160;
const MOST_IN_LANE = 700;
const COLOURS = 8;

/** What is known of where an event lies: its finite bounds. */
const bounds = (event) => event.spans.flatMap((span) => [span.from, span.begun, span.over, span.to]).filter(Number.isFinite);

/**
 * The stretch that the drawing begins with: from the first to the last bound, but for a few that lie so far away that
 * everything else would shrink to a line. Those wait at the edges.
 */
function homeView() {
  const moments = events.flatMap((event) => {
    const known = bounds(event);
    return known.length ? [Math.min(...known), Math.max(...known)] : [];
  }).sort((a, b) => a - b);
  if (!moments.length) return { from: secondsOf(2000), to: secondsOf(2001) };
  let [low, high] = [0, moments.length - 1];
  const most = Math.max(2, Math.floor(moments.length / 5));
  for (let cut = 1; cut <= most; cut += 1) {
    const rest = moments[high] - moments[cut];
    if (moments[cut] - moments[cut - 1] > 3 * Math.max(rest, DAY) && high - cut > 1) low = cut;
  }
  for (let cut = moments.length - 2; cut >= moments.length - 1 - most; cut -= 1) {
    const rest = moments[cut] - moments[low];
    if (moments[cut + 1] - moments[cut] > 3 * Math.max(rest, DAY) && cut - low > 1) high = cut;
  }
  const [from, to] = [moments[low], moments[high]];
  const room = Math.max((to - from) * 0.04, 12 * 3600);
  return { from: from - room, to: to + room };
}

/** Where a moment lies; the lanes' names stand in a gutter left of it where there is room. */
const x = (moment) => chart.gutter + (moment - chart.view.from) / (chart.view.to - chart.view.from) * (chart.width - chart.gutter);

const momentAt = (clientX) => chart.view.from + (clientX - chart.box.getBoundingClientRect().left - chart.gutter)
  / (chart.width - chart.gutter) * (chart.view.to - chart.view.from);

/** A moment as a place that a browser can draw at: at the edge if it lies beyond. */
const edge = (moment) => Math.max(chart.gutter, Math.min(chart.width, x(moment)));

function zoom(factor, around = (chart.view.from + chart.view.to) / 2) {
  const { from, to } = chart.view;
  const length = Math.min(Math.max((to - from) * factor, 120), 4e16);
  const share = (around - from) / (to - from);
  chart.view = { from: around - length * share, to: around + length * (1 - share) };
  drawSoon();
}

function move(share) {
  const by = (chart.view.to - chart.view.from) * share;
  chart.view = { from: chart.view.from + by, to: chart.view.to + by };
  drawSoon();
}

function fit() {
  chart.view = { ...chart.home };
  drawSoon();
}

/** Moves the view, if it has to, so that an event is in it. */
function bringIntoView(event) {
  const known = bounds(event);
  if (!known.length) return;
  const [first, last] = [Math.min(...known), Math.max(...known)];
  if (first >= chart.view.from && last <= chart.view.to) return;
  const length = Math.max((last - first) * 1.5, Math.min(chart.view.to - chart.view.from, 40 * YEAR));
  const middle = (first + last) / 2;
  chart.view = { from: middle - length / 2, to: middle + length / 2 };
  drawSoon();
}

const name = (event, which, count) => `${event.f & CIRCA ? '≈ ' : ''}${event.f & ONE_OF && event.spans[0].from !== -Infinity && event.spans[0].to !== Infinity ? '◇ ' : ''}${event.title.slice(0, 200)}${count > 1 ? ` (${which + 1} of ${count})` : ''}${event.f & UNCERTAIN ? ' ?' : ''}`;

const ruler = document.createElement('canvas').getContext('2d');
const widths = new Map();
function labelWidth(text) {
  if (!widths.has(text)) {
    ruler.font = chart.font;
    widths.set(text, Math.ceil(ruler.measureText(text.slice(0, 80)).width) + 8);
  }
  return Math.min(widths.get(text), Math.max(140, (chart.width - chart.gutter) * 0.32));
}

/** The happenings in view, with their places; and the events that lie before and after it. */
function inView() {
  const found = { lanes: new Map(), earlier: [], later: [] };
  for (const event of events) {
    if (!event.spans.length || !chart.shown(event)) continue;
    const isIn = event.spans.map((span) => span.to >= chart.view.from && span.from <= chart.view.to);
    if (!isIn.includes(true)) {
      (event.spans[0].from > chart.view.to ? found.later : found.earlier).push(event);
      continue;
    }
    const lane = chart.lanes ? event[chart.lanes] : -1;
    if (!found.lanes.has(lane)) found.lanes.set(lane, []);
    event.spans.forEach((span, which) => {
      if (!isIn[which]) return;
      const text = name(event, which, event.spans.length);
      let [left, right] = [edge(span.from), edge(span.to)];
      if (right - left < 9) [left, right] = [(left + right) / 2 - 4.5, (left + right) / 2 + 4.5];
      found.lanes.get(lane).push({ event, span, text, left, right });
    });
  }
  return found;
}

/** Gives each happening of a lane the first row that has room for it; how many rows that takes, if not too many. */
function pack(happenings) {
  if (happenings.length > MOST_IN_LANE) return Infinity;
  const rows = [];
  for (const one of happenings) {
    // What has no beginning is named where it ends.
    one.width = labelWidth(one.text);
    const wanted = one.span.from === -Infinity && one.span.to !== Infinity ? one.right - one.width : one.left;
    one.label = Math.max(chart.gutter + 4, Math.min(wanted, chart.width - one.width - 4));
  }
  for (const one of happenings.sort((a, b) => Math.min(a.left, a.label) - Math.min(b.left, b.label))) {
    const [begin, end] = [Math.min(one.left, one.label), Math.max(one.right, one.label + one.width) + 10];
    let row = rows.findIndex((taken) => taken <= begin);
    if (row < 0) row = rows.push(0) - 1;
    rows[row] = end;
    one.row = row;
  }
  return rows.length;
}

function place(element, left, width) {
  element.style.left = `${left}px`;
  element.style.width = `${Math.max(width, 0)}px`;
  return element;
}

/** The bar of one happening. */
function bar({ event, span, left, right }) {
  const box = place(make('div', { class: 'stroke' }), left, right - left);
  const part = (kind, from, to) => to > from && box.append(place(make('span', { class: kind }), from - left, to - from));
  if (!(event.f & INTERVAL)) {
    if (right - left <= 9) part('dot', left, right);
    else if (event.members.length) {
      part('thread', left, right);
      for (const [from, to] of event.members) {
        const [a, b] = [edge(from), edge(to)];
        part(b - a < 9 ? 'dot' : 'within', b - a < 9 ? (a + b) / 2 - 4.5 : a, b - a < 9 ? (a + b) / 2 + 4.5 : b);
      }
    } else if (span.from === -Infinity) part('since', left, right);
    else if (span.to === Infinity) part('from-then', left, right);
    else part('within', left, right);
    return box;
  }
  if (right - left <= 9) {
    part('dot', left, right);
    return box;
  }
  const [startUnknown, endUnknown] = [event.f & START_UNKNOWN, event.f & END_UNKNOWN];
  const overlap = span.begun > span.over;
  // Where the end may lie before the last possible start, no moment surely belongs to it.
  const middle = startUnknown && endUnknown ? undefined : startUnknown ? edge(span.over) : endUnknown ? edge(span.begun) : (edge(span.begun) + edge(span.over)) / 2;
  if (middle === undefined) part('dashed', left, right);
  else {
    const [begun, over] = overlap ? [middle, middle] : [edge(span.begun), edge(span.over)];
    part(startUnknown ? 'dashed' : 'fade-in', left, begun);
    part('solid', begun, over);
    part(endUnknown ? 'dashed' : 'fade-out', over, right);
  }
  if (span.from === -Infinity && !startUnknown) part('arrow-left', left, left + 9);
  if (span.to === Infinity && !endUnknown) part('arrow-right', right - 9, right);
  return box;
}

/** How many happenings lie where, for a lane that has too many to draw each. */
function density(happenings) {
  const counts = new Array(Math.ceil(chart.width / 6)).fill(0);
  for (const { span, left, right } of happenings) {
    const [first, last] = [Math.max(0, Math.floor(left / 6)), Math.min(counts.length - 1, Math.floor(right / 6))];
    // What is spread over a long time weighs little at each place, whatever part of it is in view.
    const share = 6 / Math.max(6, Math.min(x(span.to), 1e6) - Math.max(x(span.from), -1e6));
    for (let at = first; at <= last; at += 1) counts[at] += share;
  }
  const most = Math.max(...counts);
  const strip = make('div', { class: 'density' });
  counts.forEach((count, at) => {
    if (!count) return;
    const column = place(make('span', {}), at * 6, 5);
    column.style.height = `${Math.max(1, count / most * 40)}px`;
    strip.append(column);
  });
  return strip;
}

const laneNames = () => (chart.lanes ? (chart.lanes === 'k' ? data.kinds : data.places) : []);
const colourOf = (event) => (event.k < 0 ? 0 : 1 + event.k % COLOURS);

function drawAxis(box) {
  const spacing = (chart.view.to - chart.view.from) / Math.max(2, (chart.width - chart.gutter) / 85);
  let taken = -Infinity;
  const names = make('div', { class: 'axis' });
  box.append(names);
  for (const [moment, text] of ticks(chart.view.from, chart.view.to, spacing)) {
    const at = x(moment);
    if (at < chart.gutter || at > chart.width - 20) continue;
    const line = make('div', { class: 'line' });
    line.style.left = `${at}px`;
    box.append(line);
    if (at < taken) continue;
    const label = make('span', { class: 'tick' }, text);
    label.style.left = `${at + 4}px`;
    names.append(label);
    taken = at + text.length * 7 + 14;
  }
}

function drawLane(box, lane, happenings, top, isDense) {
  const names = laneNames();
  const section = make('div', { class: 'lane' });
  let height = 0;
  const isNamed = chart.lanes && names.length;
  section.append(make('div', { class: 'lane-name' }, isNamed ? own(names[lane] ?? (chart.lanes === 'k' ? 'no kind' : 'no place')) : ''));
  if ((isNamed || isDense) && !chart.gutter) height += isDense ? 34 : 20;
  if (isDense) {
    const strip = density(happenings);
    strip.style.top = `${height}px`;
    strip.classList.add(`c${colourOf(happenings[0].event)}`);
    section.append(strip);
    section.firstChild.append(make('div', { class: 'dense-note' }, `${happenings.length.toLocaleString('en-GB')}: zoom in to see each`));
    height += 48;
  } else {
    for (const one of happenings) {
      const stroke = bar(one);
      stroke.classList.add(`c${colourOf(one.event)}`);
      const label = make('div', { class: 'label' }, own(one.text));
      place(label, one.label, one.width);
      label.dataset.from = one.span.from;
      for (const element of [stroke, label]) {
        element.style.top = `${height + one.row * ROW + (element === stroke ? 18 : 0)}px`;
        element.dataset.index = one.event.index;
        element.title = `${one.event.said}: ${one.event.title}`.slice(0, 300);
        section.append(element);
      }
    }
    height += (Math.max(...happenings.map((one) => one.row)) + 1) * ROW;
  }
  section.style.top = `${top}px`;
  section.style.height = `${height}px`;
  box.append(section);
  return height + 6;
}

function drawEdges({ earlier, later }) {
  const button = (side, found, mark) => {
    if (!found.length) return '';
    const most = found.length > 3 ? 1 : 3;
    const sorted = side === 'earlier' ? found.slice(-most).reverse() : found.slice(0, most);
    const titles = sorted.map((event) => `${event.title.slice(0, 40)}${event.title.length > 40 ? '…' : ''} (${event.said})`).join(' · ');
    const rest = found.length > 3 ? ' …' : '';
    const text = side === 'earlier' ? `${mark} ${found.length.toLocaleString('en-GB')} earlier: ${titles}${rest}` : `${found.length.toLocaleString('en-GB')} later: ${titles}${rest} ${mark}`;
    const element = make('button', { type: 'button', class: `edge ${side}` }, own(text));
    element.addEventListener('click', () => bringIntoView(sorted[0]));
    return element;
  };
  byId('edges').replaceChildren(...[button('earlier', earlier, '◂'), button('later', later, '▸')].filter(Boolean));
}

function draw() {
  const style = getComputedStyle(chart.box);
  chart.font = `12.5px ${style.fontFamily}`;
  chart.width = chart.box.clientWidth;
  if (!chart.width) return;
  chart.gutter = chart.lanes && laneNames().length && chart.width > 620 ? GUTTER : 0;
  chart.box.classList.toggle('has-gutter', chart.gutter > 0);
  const found = inView();
  const first = new Map([...found.lanes].map(([lane, all]) => [lane, Math.min(...all.map(({ event }) => Math.min(...bounds(event))))]));
  const lanes = [...found.lanes].sort(([a], [b]) => (a < 0) - (b < 0) || first.get(a) - first.get(b) || a - b);
  const packed = lanes.map(([, happenings]) => pack(happenings));
  const isMuch = packed.reduce((sum, rows) => sum + rows, 0) > MOST_ROWS;
  const box = document.createDocumentFragment();
  drawAxis(box);
  let top = 30;
  lanes.forEach(([lane, happenings], index) => {
    top += drawLane(box, lane, happenings, top, isMuch && packed[index] > 8);
  });
  if (!lanes.length) {
    box.append(make('p', { class: 'empty' }, 'Nothing in this stretch.'));
    top += 40;
  }
  chart.inner.replaceChildren(box, chart.veil, chart.cursor);
  chart.inner.style.height = `${top + 6}px`;
  drawEdges(found);
  drawCursor();
}

const drawSoon = framed(draw);

function drawCursor() {
  if (chart.asOf === undefined || !chart.width) return;
  const at = Math.max(chart.gutter - 2, Math.min(chart.width + 2, x(chart.asOf)));
  chart.cursor.style.left = `${at}px`;
  chart.veil.style.left = `${at}px`;
  for (const label of chart.inner.querySelectorAll('.label')) {
    label.classList.toggle('not-yet', Number(label.dataset.from) > chart.asOf);
  }
}

function drawUndated() {
  const undated = events.filter((event) => !event.spans.length && chart.shown(event));
  const box = byId('undated');
  box.hidden = !undated.length;
  const links = undated.slice(0, 40).map((event) => make('li', {}, linkTo(event.index)));
  const more = undated.length > 40 ? [make('li', {}, `and ${undated.length - 40} more in the list`)] : [];
  box.replaceChildren(make('h3', {}, 'Undated'), make('ul', {}, ...links, ...more));
}

/** What the mouse and the fingers do: drag to move, wheel with control to zoom, click to ask. */
function listenToPointers() {
  let grip;
  chart.box.addEventListener('pointerdown', (press) => {
    if (press.button === 0 && press.target !== chart.box) grip = { x: press.clientX, view: { ...chart.view }, moved: false };
  });
  window.addEventListener('pointermove', (drag) => {
    if (!grip) return;
    const by = drag.clientX - grip.x;
    if (Math.abs(by) < 5 && !grip.moved) return;
    grip.moved = true;
    const shift = by / (chart.width - chart.gutter) * (grip.view.to - grip.view.from);
    chart.view = { from: grip.view.from - shift, to: grip.view.to - shift };
    drawSoon();
  });
  window.addEventListener('pointercancel', () => { grip = undefined; });
  window.addEventListener('pointerup', (release) => {
    const held = grip;
    grip = undefined;
    if (!held || held.moved) return;
    const target = release.target.closest?.('[data-index]');
    if (target) return void (location.hash = `#e${target.dataset.index}`);
    const moment = momentAt(release.clientX);
    chart.ask(askable(moment));
  });
  chart.box.addEventListener('wheel', (turn) => {
    if (!turn.ctrlKey) return;
    turn.preventDefault();
    zoom(turn.deltaY > 0 ? 1.25 : 0.8, momentAt(turn.clientX));
  }, { passive: false });
}

function beginChart() {
  chart.cursor = make('div', { class: 'cursor' });
  chart.veil = make('div', { class: 'veil' });
  chart.box.append(chart.inner);
  chart.home = homeView();
  chart.view = { ...chart.home };
  const lanes = byId('lanes');
  if (data.kinds.length < 2) chart.lanes = '';
  if (data.kinds.length > 24) chart.lanes = '';
  lanes.value = chart.lanes;
  lanes.addEventListener('change', () => { chart.lanes = lanes.value; drawSoon(); });
  const does = {
    earlier: () => move(-0.3), later: () => move(0.3), 'zoom-in': () => zoom(0.6), 'zoom-out': () => zoom(1 / 0.6), fit,
  };
  for (const [id, run] of Object.entries(does)) byId(id).addEventListener('click', run);
  const keys = {
    ArrowLeft: does.earlier, ArrowRight: does.later, '+': does['zoom-in'], '=': does['zoom-in'], '-': does['zoom-out'], Home: fit,
  };
  chart.box.addEventListener('keydown', (press) => {
    if (press.ctrlKey || press.metaKey || press.altKey || !keys[press.key]) return;
    press.preventDefault();
    keys[press.key]();
  });
  listenToPointers();
  new ResizeObserver(drawSoon).observe(chart.box);
  // Paper is narrower than the window, and nobody can zoom on it.
  window.addEventListener('beforeprint', () => { chart.box.style.width = '17cm'; draw(); });
  window.addEventListener('afterprint', () => { chart.box.style.width = ''; draw(); });
  drawUndated();
}
