// Seconds of the date axis as days, and days as people and as dates write them. The axis is the proleptic Gregorian
// calendar without time zones, for hundreds of millions of years, which the browser's own dates do not reach.

const DAY = 86400;
const YEAR = 365.2425 * DAY;
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
  'November', 'December'];

/** Year (0 is 1 BCE), month, day and the second of the day. */
function civil(seconds) {
  const days = Math.floor(seconds / DAY);
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524)
    - Math.floor(dayOfEra / 146096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day, second: seconds - days * DAY };
}

/** The first second of a day; a month may be any number and is carried over into the year. */
function secondsOf(year, month = 1, day = 1) {
  const carried = year + Math.floor((month - 1) / 12);
  const inYear = ((month - 1) % 12 + 12) % 12 + 1;
  const fromMarch = (inYear + 9) % 12;
  const marchYear = inYear <= 2 ? carried - 1 : carried;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * fromMarch + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return (era * 146097 + dayOfEra - 719468) * DAY;
}

/** The last second of the day that a moment lies in, or of its year where dates know years only. */
function askable(seconds) {
  const { year, second } = civil(Math.floor(seconds));
  return Math.abs(year) > 9999 ? secondsOf(year + 1) - 1 : Math.floor(seconds) - second + DAY - 1;
}

const padded = (number, length) => String(number).padStart(length, '0');

/** `2004`, `79 CE`, `44 BCE`, `170 million BCE`. */
function yearName(year) {
  const count = year > 0 ? year : 1 - year;
  const large = count >= 1e6 ? `${+(count / 1e6).toPrecision(4)} million` : count.toLocaleString('en-GB');
  if (year > 0) return year < 1000 ? `${year} CE` : year < 1e5 ? String(year) : `${large} CE`;
  return `${count < 1e4 ? count : large} BCE`;
}

const clock = (second) => {
  const [hour, minute, rest] = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  return `${padded(hour, 2)}:${padded(minute, 2)}${rest ? `:${padded(rest, 2)}` : ''}`;
};

/** The date that has this as its last second, for people. */
function dateName(seconds) {
  const { year, month, day, second } = civil(seconds);
  if (Math.abs(year) > 9999) return yearName(year);
  const name = `${day} ${MONTHS[month - 1]} ${yearName(year)}`;
  return second === DAY - 1 ? name : `${name}, ${clock(second)}`;
}

/** The same as a date is written for `--as-of`. */
function dateText(seconds) {
  const { year, month, day, second } = civil(seconds);
  if (Math.abs(year) > 9999) return `Y${year}`;
  const date = `${year < 0 ? '-' : ''}${padded(Math.abs(year), 4)}-${padded(month, 2)}-${padded(day, 2)}`;
  if (second === DAY - 1) return date;
  return `${date}T${[Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60]
    .map((part) => padded(part, 2)).join(':')}`;
}

/** The last second of a year, month or day as it is typed; undefined where it is none of these. */
function lastSecondOf(text) {
  const found = /^(-?\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(text.trim());
  if (!found) return undefined;
  const [year, month, day] = found.slice(1).map((part) => part && Number(part));
  if (month !== undefined && (month < 1 || month > 12)) return undefined;
  if (day !== undefined && (day < 1 || secondsOf(year, month, day) >= secondsOf(year, month + 1))) return undefined;
  if (day !== undefined) return secondsOf(year, month, day) + DAY - 1;
  return (month !== undefined ? secondsOf(year, month + 1) : secondsOf(year + 1)) - 1;
}

/** Marks for an axis: about one in `spacing` of the seconds from `from` to `to`, each with its name. */
function ticks(from, to, spacing) {
  const found = [];
  const small = [60, 300, 900, 3600, 10800, 21600, 43200].find((step) => step >= spacing);
  if (small) {
    for (let at = Math.ceil(from / small) * small; at <= to; at += small) {
      const { year, month, day, second } = civil(at);
      found.push([at, second ? clock(second) : `${day} ${MONTHS[month - 1].slice(0, 3)} ${yearName(year)}`]);
    }
    return found;
  }
  const begin = civil(from);
  if (spacing <= 15 * DAY) {
    const step = [1, 2, 5, 10, 15].find((days) => days * DAY >= spacing);
    for (let month = begin.year * 12 + begin.month - 1; ; month += 1) {
      const [year, index] = [Math.floor(month / 12), ((month % 12) + 12) % 12];
      const first = secondsOf(year, index + 1);
      if (first > to) return found;
      const days = (secondsOf(year, index + 2) - first) / DAY;
      for (let day = 1; day <= days - (step > 1 ? step / 2 : 0); day += day === 1 && step > 1 ? step - 1 : step) {
        const name = `${day} ${MONTHS[index].slice(0, 3)}`;
        found.push([first + (day - 1) * DAY, day === 1 ? `${name} ${yearName(year)}` : name]);
      }
    }
  }
  if (spacing <= YEAR / 2) {
    const step = [1, 2, 3, 6].find((months) => months * 30.5 * DAY >= spacing) ?? 6;
    for (let month = Math.floor((begin.year * 12 + begin.month - 1) / step) * step; ; month += step) {
      const [year, index] = [Math.floor(month / 12), ((month % 12) + 12) % 12];
      const at = secondsOf(year, index + 1);
      if (at > to) return found;
      found.push([at, index ? MONTHS[index].slice(0, 3) : yearName(year)]);
    }
  }
  let step = 10 ** Math.floor(Math.log10(spacing / YEAR));
  step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * step).find((years) => years * YEAR >= spacing));
  for (let year = Math.floor(begin.year / step) * step; secondsOf(year) <= to; year += step) {
    // A round number of years before our era is a year earlier on an axis that has a year 0.
    const round = year <= 0 && step > 1 ? year + 1 : year;
    found.push([secondsOf(round), yearName(round)]);
  }
  return found;
}
