// Making elements. Text only ever becomes text: nothing here reads markup.

const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a child is a node, a text, or nothing. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ''));
  return element;
}

/** A text of the data, which keeps its own direction. */
const own = (text) => make('bdi', {}, text);

/** Runs at most once a frame. */
function framed(run) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; run(); });
  };
}

/** Runs once nothing has asked for it for a while. */
function settled(run, milliseconds) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(run, milliseconds); };
}

/** The index of the last entry that `reaches`, of entries of which the first so many do; -1 if none does. */
function lastWhere(length, reaches) {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reaches(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const plural = (count, one, many) => `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;
