// Puts the parts together: one date, which the slider, the drawing and the field set and everything shows.

const slider = byId('slider');
const stops = data.states.stops.map(ending);

function ask(asOf) {
  const until = second(data.states.until ?? '+');
  const moment = Math.min(asOf, until);
  const stop = Math.max(0, lastWhere(stops.length, (index) => stops[index] <= moment));
  slider.value = stop;
  const text = dateName(moment);
  slider.setAttribute('aria-valuetext', `${text}, ${stop + 1} of ${stops.length}`);
  byId('as-of').textContent = text;
  byId('as-of').dataset.asOf = dateText(moment);
  byId('previous').disabled = moment <= stops[0];
  byId('next').disabled = stop === stops.length - 1;
  chart.asOf = moment;
  drawCursor();
  showState(moment);
  showStatus();
}

function beginSlider() {
  byId('asking').hidden = false;
  slider.max = stops.length - 1;
  const soon = framed(() => ask(stops[Number(slider.value)]));
  slider.addEventListener('input', soon);
  const step = (by) => {
    const stop = lastWhere(stops.length, (index) => stops[index] <= chart.asOf);
    const exactly = stops[stop] === chart.asOf || by > 0;
    ask(stops[Math.min(stops.length - 1, Math.max(0, exactly ? stop + by : stop))]);
  };
  byId('previous').addEventListener('click', () => step(-1));
  byId('next').addEventListener('click', () => step(1));
  byId('date-form').addEventListener('submit', (submit) => {
    submit.preventDefault();
    const moment = lastSecondOf(byId('date').value);
    const fault = moment === undefined ? 'A year, month or day: 2004, 2004-12, 2004-12-31' : '';
    byId('date-fault').textContent = fault;
    byId('date').setAttribute('aria-invalid', moment === undefined);
    if (moment !== undefined) ask(moment);
  });
}

function beginTheme() {
  const button = byId('theme');
  button.hidden = false;
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark.matches ? 'dark' : 'light')) === 'dark';
  const say = () => { button.textContent = isDark() ? 'Light' : 'Dark'; };
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    say();
  });
  prefersDark.addEventListener('change', say);
  say();
}

/** An event that a link leads to is shown, whatever the filters say. */
function showTarget() {
  const event = events[Number(/^#e(\d+)$/.exec(location.hash)?.[1] ?? -1)];
  if (!event) return;
  if (event.item.hidden) {
    byId('filters').reset();
    filter();
  }
  event.item.scrollIntoView({ block: 'center' });
  bringIntoView(event);
}

document.documentElement.classList.add('scripted');
byId('drawing').hidden = false;
beginTheme();
beginChart();
beginList();
beginState();
if (stops.length) {
  beginSlider();
  chart.ask = ask;
  ask(stops.at(-1));
} else {
  ask(0);
}
filter();
draw();
window.addEventListener('hashchange', showTarget);
showTarget();
