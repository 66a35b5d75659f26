//! Dates that are known only by other events: something happened after one and before another.
//!
//! *After A* means after A had begun, *before B* means before B was over. So an event that happened while A or B
//! went on is never cut off, and the bounds exclude nothing that the dates of A and B allow: they run from the
//! earliest moment at which A may have begun to the latest at which B may have ended. The computed date is an
//! EDTF set of one (`[2004..2010]`), and which events it was computed from stays with the event as its links
//! [`AFTER`] and [`BEFORE`].

use crate::date::Range;
use crate::{Certainty, Date, Day, Event, EventId, Invalid, Moment, YearText};

/// The relation of an event to one that had begun before it happened.
pub const AFTER: &str = "after";
/// The relation of an event to one that was over only after it happened.
pub const BEFORE: &str = "before";

/// What lies between other events: after all of some had begun, and before any of some was over.
#[derive(Clone, Debug, Default)]
pub struct Between<'a> {
    /// The events that had begun.
    pub after: Vec<&'a Event>,
    /// The events that were not over.
    pub before: Vec<&'a Event>,
}

/// How exactly a bound is written; the finer the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Year,
    Month,
    Day,
}

/// A bound, how exactly the date that it comes from is known, and whose date that is.
#[derive(Clone, Copy)]
struct Limit<'a> {
    moment: Moment,
    unit: Unit,
    event: &'a Event,
}

impl Between<'_> {
    /// The date of something of which nothing else is known: an EDTF set of one, as exact as the more exact of
    /// the two dates that bound it.
    ///
    /// # Errors
    ///
    /// An event without a date, or one whose date has no such bound, and events in the wrong order.
    pub fn date(&self) -> Result<Date, Invalid> {
        let lower: Vec<Limit<'_>> = self.after.iter().map(|e| earliest_start(e)).collect::<Result<_, _>>()?;
        let upper: Vec<Limit<'_>> = self.before.iter().map(|e| latest_end(e)).collect::<Result<_, _>>()?;
        let lower = lower.into_iter().max_by_key(|limit| limit.moment);
        let upper = upper.into_iter().min_by_key(|limit| limit.moment);
        let text = match (lower, upper) {
            (None, None) => return Err(Invalid::new("nothing says after or before what it happened")),
            (Some(lower), None) => format!("[{}..]", lower.unit().write(lower.moment)),
            (None, Some(upper)) => format!("[..{}]", upper.unit().write(upper.moment)),
            (Some(lower), Some(upper)) => {
                in_order(&lower, &upper)?;
                // EDTF has no range of two precisions. The coarser bound is widened where a year is too far away
                // to be written with a month.
                let units = [lower.unit(), upper.unit()];
                let is_far = [lower, upper].iter().any(|limit| !has_months(limit.moment));
                let unit = if is_far { Unit::Year } else { units[0].max(units[1]) };
                let (first, last) = (unit.write(lower.moment), unit.write(upper.moment));
                if first == last { first } else { format!("[{first}..{last}]") }
            }
        };
        Ok(Date::parse(&text)?)
    }

    /// The moments between which an event begins, if its date allows it at all, that lies between them as surely as is asked:
    /// none that ends before the first one does, and none that begins after the last one.
    pub fn bounds(&self, certainty: Certainty) -> (Moment, Moment) {
        let first = self.after.iter().map(|other| match certainty {
            Certainty::Surely => other.span().start.latest,
            Certainty::Possibly => other.span().start.earliest,
        });
        let last = self.before.iter().map(|other| match certainty {
            Certainty::Surely => other.span().end.earliest,
            Certainty::Possibly => other.span().end.latest,
        });
        (first.max().unwrap_or(Moment::NEG_INFINITY), last.min().unwrap_or(Moment::INFINITY))
    }

    /// Whether an event lies between them: it began after those had begun and before these were over, surely or
    /// possibly. None of them lies between itself and another.
    pub fn admits(&self, event: &Event, certainty: Certainty) -> bool {
        let is_one_of_them = self.after.iter().chain(&self.before).any(|other| other.id == event.id);
        let begins_between = |start: &Range| match certainty {
            Certainty::Surely => {
                self.after.iter().all(|other| other.span().start.latest < start.earliest)
                    && self.before.iter().all(|other| start.latest < other.span().end.earliest)
            }
            Certainty::Possibly => {
                self.after.iter().all(|other| other.span().start.earliest <= start.latest)
                    && self.before.iter().all(|other| start.earliest <= other.span().end.latest)
            }
        };
        !is_one_of_them && event.happenings().iter().any(|span| begins_between(&span.start))
    }
}

/// The events that an event says it came after, or before.
pub fn related<'a>(event: &'a Event, rel: &str) -> impl Iterator<Item = &'a EventId> {
    event.links.iter().filter(move |link| link.rel == rel).map(|link| &link.to)
}

/// Whether an event says after or before which others it happened.
pub fn is_relative(event: &Event) -> bool {
    event.links.iter().any(|link| link.rel == AFTER || link.rel == BEFORE)
}

fn earliest_start(event: &Event) -> Result<Limit<'_>, Invalid> {
    let date = dated(event)?;
    let start = date.span().start;
    let moment = start.earliest.min(own_day(date).map_or(start.earliest, |day| day.earliest));
    let without = "has no earliest start to count from";
    limit(event, date, moment, Unit::of(start), without)
}

fn latest_end(event: &Event) -> Result<Limit<'_>, Invalid> {
    let date = dated(event)?;
    let end = date.span().end;
    let moment = end.latest.max(own_day(date).map_or(end.latest, |day| day.latest));
    limit(event, date, moment, Unit::of(end), "has no latest end to count to")
}

fn limit<'a>(
    event: &'a Event,
    date: &Date,
    moment: Moment,
    unit: Unit,
    without: &str,
) -> Result<Limit<'a>, Invalid> {
    if moment.is_finite() {
        return Ok(Limit { moment, unit, event });
    }
    Err(Invalid::new(format!("{} ({date}) {without}", event.id))
        .with_hint("leave it out, or say when it happened with --date"))
}

fn dated(event: &Event) -> Result<&Date, Invalid> {
    event.date.as_ref().ok_or_else(|| {
        Invalid::new(format!("{} has no date to count from", event.id))
            .with_hint(format!("date it first: annals revise {} --date …", event.id))
    })
}

/// The whole day of a date with a time, as it was on the spot: an offset must not make it another.
fn own_day(date: &Date) -> Option<Range> {
    let (day, _) = date.as_str().split_once('T')?;
    Some(Date::parse(day).ok()?.span().start)
}

fn in_order(lower: &Limit<'_>, upper: &Limit<'_>) -> Result<(), Invalid> {
    if lower.moment <= upper.moment {
        return Ok(());
    }
    let told = |event: &Event| format!("{} ({})", event.id, event.date.as_ref().map_or("", Date::as_str));
    let (first, last) = (told(lower.event), told(upper.event));
    Err(Invalid::new(format!("{first} does not come before {last}: it began when that was over"))
        .with_hint("swap the two, or correct the date of one with `annals revise`"))
}

impl Limit<'_> {
    fn unit(&self) -> Unit {
        if has_months(self.moment) { self.unit } else { Unit::Year }
    }
}

/// EDTF writes months and days only up to four digits of a year.
fn has_months(moment: Moment) -> bool {
    moment.civil().0.year.unsigned_abs() <= 9_999
}

impl Unit {
    /// The coarsest unit at whose edges both bounds lie: how exactly something is known.
    fn of(range: Range) -> Self {
        let begins = |moment: Moment, unit: Self| {
            let (Day { month, day, .. }, second) = moment.civil();
            second == 0 && day == 1 && (unit == Self::Month || month == 1)
        };
        let fits = |unit: &Self| {
            [range.earliest, range.latest.next()].into_iter().all(|m| !m.is_finite() || begins(m, *unit))
        };
        [Self::Year, Self::Month].into_iter().find(fits).unwrap_or(Self::Day)
    }

    fn write(self, moment: Moment) -> String {
        let (Day { year, month, day }, _) = moment.civil();
        match self {
            Self::Year => YearText(year).to_string(),
            Self::Month => format!("{}-{month:02}", YearText(year)),
            Self::Day => Day { year, month, day }.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(date: &str) -> Event {
        let date = (!date.is_empty()).then(|| Date::parse(date).unwrap());
        Event { date, ..Event::new(EventId::new("e").unwrap(), "t") }
    }

    fn between(after: &[&str], before: &[&str]) -> Result<String, String> {
        let events = |dates: &[&str]| dates.iter().map(|date| event(date)).collect::<Vec<_>>();
        let (after, before) = (events(after), events(before));
        let between = Between { after: after.iter().collect(), before: before.iter().collect() };
        between.date().map(|date| date.to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_bounds_leave_out_nothing_that_the_dates_allow() {
        let check = |after: &[&str], before: &[&str], expect: &str| {
            assert_eq!(between(after, before).as_deref(), Ok(expect), "{after:?} {before:?}");
        };
        check(&["2004"], &["2010"], "[2004..2010]");
        check(&["2004"], &["2010-07"], "[2004-01..2010-07]");
        check(&["2004-06-01"], &["2010"], "[2004-06-01..2010-12-31]");
        check(&["2004"], &[], "[2004..]");
        check(&[], &["2010-07"], "[..2010-07]");
        check(&["2004"], &["2004"], "2004");
        check(&["2004/2017"], &["2019"], "[2004..2019]");
        check(&["2004"], &["2004/2017-10"], "[2004-01..2017-10]");
        check(&["2004/2004-06-15"], &[], "[2004-01-01..]");
        check(&["[2003..2005]"], &["2010~"], "[2003..2010]");
        check(&["201X"], &["2023-21"], "[2010-01..2023-05]");
        check(&["{2004,2007}"], &["2019"], "[2004..2019]");
        check(&["2004", "2006-03"], &["2010", "2009"], "[2006-03..2009-12]");
        check(&["2004-01-01"], &["2004-12-31"], "[2004-01-01..2004-12-31]");
        check(&["2004-06-11T10:00:00"], &["2004-06-11T12:00:00"], "2004-06-11");
        check(&["-0043-03-15"], &["0014"], "[-0043-03-15..0014-12-31]");
        check(&["Y-17000"], &["2004-06-11"], "[Y-17000..2004]");
    }

    #[test]
    fn an_offset_cuts_off_nothing_of_the_day_on_the_spot() {
        assert_eq!(between(&["2023-10-02T23:00:00-05:00"], &[]).as_deref(), Ok("[2023-10-02..]"));
        assert_eq!(between(&[], &["2023-10-02T01:00:00+05:00"]).as_deref(), Ok("[..2023-10-02]"));
    }

    #[test]
    fn what_gives_no_bound_is_refused() {
        let check = |after: &[&str], before: &[&str], expect: &str| {
            let error = between(after, before).unwrap_err();
            assert!(error.contains(expect), "{error}");
        };
        check(&[""], &[], "e has no date to count from");
        check(&["../2019"], &[], "e (../2019) has no earliest start to count from");
        check(&["[..1927]"], &[], "no earliest start");
        check(&[], &["2016/.."], "e (2016/..) has no latest end to count to");
        check(&[], &["2016/"], "no latest end");
        check(&["2010"], &["2004"], "e (2010) does not come before e (2004)");
        check(&[], &[], "nothing says");
    }

    #[test]
    fn an_event_lies_surely_or_possibly_between_others() {
        let (a, b) = (event("2004"), event("2010"));
        let between = Between { after: vec![&a], before: vec![&b] };
        let check = |date: &str, surely: bool, possibly: bool| {
            let event = Event { id: EventId::new("other").unwrap(), ..event(date) };
            assert_eq!(between.admits(&event, Certainty::Surely), surely, "{date}");
            assert_eq!(between.admits(&event, Certainty::Possibly), possibly, "{date}");
        };
        check("2003", false, false);
        check("2004-06", false, true);
        check("2005/2020", true, true);
        check("2000/2007", false, false);
        check("2007", true, true);
        check("2010-12-31", false, true);
        check("2011", false, false);
        check("", false, true);
        check("{2003,2007}", true, true);
        assert!(!between.admits(&a, Certainty::Possibly));
    }
}
