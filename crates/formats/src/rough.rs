//! How a vague date is drawn by a target that knows years, months and days and nothing else.
//!
//! Every such target needs the same answer: where the drawing begins and ends, each end only as far as the date
//! names it, and what the drawing does not show. The words for it are the model's ([`Date::words`]); what is not
//! drawn is counted here, in one way for all targets.

use std::fmt::Write as _;

use annals_model::date::Range;
use annals_model::{DAY, Date, Day, Moment, YearText, days_in_month, is_leap};

use crate::export::Row;
use crate::export::losses::{Loss, Losses, POSSIBLY, UNDATED};

/// A date as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One second.
    Second(Second),
    /// From the beginning of one part to the end of another, or of the same one.
    Stretch(Part, Option<Part>),
    /// Nothing can be drawn: the date names neither a beginning nor an end.
    Nowhere,
}

/// A second, with the time of day as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Second {
    /// The second on the clock of the place.
    pub civil: Moment,
    /// The same second in UTC; as the clock had it where no offset is known.
    pub moment: Moment,
    /// Seconds east of UTC; nothing for civil time.
    pub offset: Option<i64>,
}

/// A year, a month or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub year: i64,
    pub month: Option<u8>,
    pub day: Option<u8>,
}

/// A date as it is drawn, and how that differs from what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rough {
    pub shape: Shape,
    /// It happened somewhere within the stretch, not all along it.
    pub is_within: bool,
    /// One side is open or unknown.
    pub is_one_sided: bool,
    /// Several happenings are drawn as one.
    pub is_several: bool,
}

const CIRCA: Loss =
    Loss::new("circa", "date has its \"circa\" in words only", "dates have their \"circa\" in words only");
const UNCERTAIN: Loss = Loss::new(
    "uncertain",
    "date has its \"uncertain\" in words only",
    "dates have their \"uncertain\" in words only",
);
const WITHIN: Loss = Loss::new(
    "within",
    "date somewhere within a stretch is drawn as all of it",
    "dates somewhere within a stretch are drawn as all of it",
);
const ONE_SIDED: Loss = Loss::new(
    "one-sided",
    "date has its open or unknown side in words only",
    "dates have their open or unknown side in words only",
);
const SEVERAL: Loss = Loss::new(
    "several",
    "date of several happenings is drawn as one stretch",
    "dates of several happenings are drawn as one stretch",
);

/// The date of a row with what a target draws of it; what it cannot draw, or draws otherwise, is counted.
pub fn placed<'e, T>(
    row: &Row<'e>,
    losses: &mut Losses,
    draw: impl FnOnce(&Rough) -> Result<T, Loss>,
) -> Option<(&'e Date, Rough, T)> {
    let Some(date) = &row.event.date else {
        losses.count(UNDATED);
        return None;
    };
    let rough = Rough::of(date);
    match draw(&rough) {
        Ok(drawn) => {
            if !row.sure {
                losses.count(POSSIBLY);
            }
            rough.count(date, losses);
            Some((date, rough, drawn))
        }
        Err(loss) => {
            losses.count(loss);
            None
        }
    }
}

impl Rough {
    /// How a date is drawn.
    pub fn of(date: &Date) -> Self {
        let plain = Self { shape: Shape::Nowhere, is_within: false, is_one_sided: false, is_several: false };
        if let Some(second) = Second::of(date) {
            return Self { shape: Shape::Second(second), ..plain };
        }
        let span = date.span();
        let is_several = date.happenings().len() > 1;
        let sides = [span.start.earliest, span.end.latest];
        let is_one_sided = sides.iter().any(|side| !side.is_finite());
        let floor = Floor::of(date);
        let (first, last) = if date.is_interval() || is_several {
            match interval(span.start, span.end) {
                // Of one side all is drawn that it may be, and nothing beside it.
                (Some(_), None) => single(span.start, Floor::Month),
                (None, Some(_)) => single(span.end, Floor::Month),
                sides => sides,
            }
        } else {
            single(span.start, floor)
        };
        let is_within = !date.is_interval() && !is_several && first.is_some() && last.is_some();
        let shape = match (first, last) {
            (Some(first), last) => Shape::Stretch(first, last.filter(|last| *last != first)),
            (None, Some(last)) => Shape::Stretch(last, None),
            (None, None) => Shape::Nowhere,
        };
        Self { shape, is_within, is_one_sided, is_several }
    }

    /// Counts what the drawing of the date does not show.
    pub fn count(&self, date: &Date, losses: &mut Losses) {
        let kinds = [
            (date.is_approximate(), CIRCA),
            (date.is_uncertain(), UNCERTAIN),
            (self.is_within, WITHIN),
            (self.is_one_sided, ONE_SIDED),
            (self.is_several, SEVERAL),
        ];
        kinds.into_iter().filter(|(is_so, _)| *is_so).for_each(|(_, loss)| losses.count(loss));
    }

    /// Whether the drawing says all that the date says.
    pub fn is_exact(&self, date: &Date) -> bool {
        let is_flagged = date.is_approximate() || date.is_uncertain();
        !(is_flagged || self.is_within || self.is_one_sided || self.is_several)
    }
}

/// One happening somewhere in a range: the part that it is, or the parts at its ends.
fn single(range: Range, floor: Floor) -> (Option<Part>, Option<Part>) {
    if let Some(part) = Part::covering(range) {
        return (Some(part), None);
    }
    let first = range.earliest.is_finite().then(|| Part::beginning(range.earliest, floor));
    let last = range.latest.is_finite().then(|| Part::ending(range.latest, floor));
    (first, last)
}

/// The ends of an interval. A side without a bound is drawn only as far as the other bound of that end shows that
/// it lies beyond the other end.
fn interval(start: Range, end: Range) -> (Option<Part>, Option<Part>) {
    let first = Part::covering(start).or_else(|| {
        let is_apart = start.latest < end.earliest && start.latest.is_finite();
        if start.earliest.is_finite() {
            return Some(Part::beginning(start.earliest, Floor::Year));
        }
        is_apart.then(|| Part::ending(start.latest, Floor::Year))
    });
    let last = Part::covering(end).or_else(|| {
        let is_apart = start.latest < end.earliest && end.earliest.is_finite();
        if end.latest.is_finite() {
            return Some(Part::ending(end.latest, Floor::Year));
        }
        is_apart.then(|| Part::beginning(end.earliest, Floor::Year))
    });
    (first, last)
}

/// The finest part that a date names: an end of a range is drawn no coarser than this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    Year,
    Month,
    Day,
}

impl Floor {
    fn of(date: &Date) -> Self {
        let parts =
            date.as_str().split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '~' | '?' | '%'));
        // A sign in front is no separator, and qualifiers stand beside the digits.
        let dashes = parts.map(|part| part.trim_start_matches(['-', '~', '?', '%']).matches('-').count());
        match dashes.max() {
            None | Some(0) => Self::Year,
            Some(1) => Self::Month,
            Some(_) => Self::Day,
        }
    }
}

impl Part {
    /// The year, month or day that a range is exactly.
    fn covering(range: Range) -> Option<Self> {
        if !range.earliest.is_finite() || !range.latest.is_finite() {
            return None;
        }
        let ((first, second), (last, last_second)) = (range.earliest.civil(), range.latest.civil());
        if second != 0 || i64::from(last_second) != DAY - 1 || first.year != last.year {
            return None;
        }
        let year = Self { year: first.year, month: None, day: None };
        let month = Self { month: Some(first.month), ..year };
        match (first.month, first.day, last.month, last.day) {
            (1, 1, 12, 31) => Some(year),
            (a, 1, b, day) if a == b && day == days_in_month(last.year, b) => Some(month),
            (a, day, b, other) if a == b && day == other => Some(Self { day: Some(day), ..month }),
            _ => None,
        }
    }

    /// The coarsest part that begins at a moment.
    fn beginning(moment: Moment, floor: Floor) -> Self {
        let (Day { year, month, day }, _) = moment.civil();
        Self::cut(year, month, day, floor, (month, day) == (1, 1), day == 1)
    }

    /// The coarsest part that ends at a moment.
    fn ending(moment: Moment, floor: Floor) -> Self {
        let (Day { year, month, day }, _) = moment.civil();
        Self::cut(year, month, day, floor, (month, day) == (12, 31), day == days_in_month(year, month))
    }

    fn cut(year: i64, month: u8, day: u8, floor: Floor, is_year: bool, is_month: bool) -> Self {
        match floor {
            Floor::Year if is_year => Self { year, month: None, day: None },
            Floor::Year | Floor::Month if is_month => Self { year, month: Some(month), day: None },
            _ => Self { year, month: Some(month), day: Some(day) },
        }
    }

    /// Its first day.
    pub fn first_day(self) -> Day {
        Day { year: self.year, month: self.month.unwrap_or(1), day: self.day.unwrap_or(1) }
    }

    /// Its last day.
    pub fn last_day(self) -> Day {
        let month = self.month.unwrap_or(12);
        Day { year: self.year, month, day: self.day.unwrap_or_else(|| days_in_month(self.year, month)) }
    }

    /// The part as EDTF writes it.
    pub fn edtf(self) -> String {
        let mut text = YearText(self.year).to_string();
        for field in [self.month, self.day].into_iter().flatten() {
            // Writing to a String cannot fail.
            let _ = write!(text, "-{field:02}");
        }
        text
    }

    /// Whether it exists in a calendar that calls the year `year`: 29 February needs a leap year there, too.
    pub fn exists_in(self, year: i64) -> bool {
        (self.month, self.day) != (Some(2), Some(29)) || is_leap(year)
    }
}

impl Second {
    fn of(date: &Date) -> Option<Self> {
        let (_, time) = date.as_str().split_once('T')?;
        let moment = date.span().start.earliest;
        // `15:30:00` and, perhaps, `Z`, `+02:00` or `-05`.
        let offset = time.get(8..).filter(|shift| !shift.is_empty()).map(offset);
        let civil = Moment::from_seconds(moment.seconds() + offset.unwrap_or(0));
        Some(Self { civil, moment, offset })
    }
}

/// Seconds east of UTC: `+02:00`, `-05`, `Z`.
fn offset(text: &str) -> i64 {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let mut parts = text.trim_start_matches(['+', '-']).split(':').map(|part| part.parse().unwrap_or(0));
    let (hours, minutes): (i64, i64) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    sign * (hours * 3600 + minutes * 60)
}

/// `20231002`, the day as calendars write it without separators.
pub fn compact(day: Day) -> String {
    format!("{:04}{:02}{:02}", day.year, day.month, day.day)
}

/// Hour, minute and second of a moment.
pub fn clock(moment: Moment) -> (u32, u32, u32) {
    let (_, second) = moment.civil();
    (second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str) -> String {
        let rough = Rough::of(&Date::parse(text).unwrap());
        let flags =
            [(rough.is_within, "within"), (rough.is_one_sided, "one-sided"), (rough.is_several, "several")];
        let shape = match rough.shape {
            Shape::Second(second) => format!("{} = {} {:?}", second.civil, second.moment, second.offset),
            Shape::Stretch(first, None) => first.edtf(),
            Shape::Stretch(first, Some(last)) => format!("{} {}", first.edtf(), last.edtf()),
            Shape::Nowhere => "nowhere".to_owned(),
        };
        flags.iter().filter(|(is_so, _)| *is_so).fold(shape, |shape, (_, name)| format!("{shape} {name}"))
    }

    #[test]
    fn a_date_is_drawn_only_as_far_as_it_is_known() {
        let check = |text: &str, expect: &str| assert_eq!(drawn(text), expect, "{text}");
        check("2004", "2004");
        check("2004-07~", "2004-07");
        check("2004-07-12", "2004-07-12");
        check("-0043-03-15", "-0043-03-15");
        check("Y-17E7", "Y-170000000");
        check("1985-04-XX", "1985-04");
        check("201X", "2010 2019 within");
        check("-01XX", "-0199 -0100 within");
        check("2023-24", "2023-12 2024-02 within");
        check("[2017..2019]", "2017 2019 within");
        check("[2017-01-01..2019-12-31]", "2017-01-01 2019-12-31 within");
        check("[..2019-12-31]", "2019-12-31 one-sided");
        check("[2019..]", "2019 one-sided");
        check("{2017,2019}", "2017 2019 several");
        check("2017/2019", "2017 2019");
        check("2004/2004-06-15", "2004 2004-06-15");
        check("2023-10-02/2023-10-02", "2023-10-02");
        check("2023-10-02/..", "2023-10-02 one-sided");
        check("2004-01/", "2004-01 one-sided");
        check("../2019", "2019 one-sided");
        check("/2019-12", "2019-12 one-sided");
        check("../2019-24", "2019-12 2020-02 one-sided");
        check("1143-40/", "1143-01 1143-06 one-sided");
        check("/1157-39", "1157-09 1157-12 one-sided");
        check("..2004/2010", "2004 2010 one-sided");
        check("2004/2010..", "2004 2010 one-sided");
        check("/", "nowhere one-sided");
        check("../..", "nowhere one-sided");
        check("2023-10-02T15:30:00", "2023-10-02T15:30:00 = 2023-10-02T15:30:00 None");
        check("2023-10-02T15:30:00Z", "2023-10-02T15:30:00 = 2023-10-02T15:30:00 Some(0)");
        check("2023-10-02T23:30:00-05:30", "2023-10-02T23:30:00 = 2023-10-03T05:00:00 Some(-19800)");
    }
}
