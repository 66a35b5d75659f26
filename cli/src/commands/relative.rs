//! The flags that place an event by others: after one, before another.

use annals_core::{Log, SledLog, Store};
use annals_model::relative::{AFTER, BEFORE, Between, related};
use annals_model::{Event, EventId, Link, Op, Question};

use crate::error::{CliError, CliResult};
use crate::hints;
use crate::session::Session;
use crate::ui;

/// After and before which events something happened that is to be recorded.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct RelativeFlags {
    /// It happened after this event had begun; instead of --date
    #[arg(long, value_name = "ID", conflicts_with = "date", help_heading = "Event")]
    after: Vec<EventId>,
    /// It happened before this event was over; instead of --date
    #[arg(long, value_name = "ID", conflicts_with = "date", help_heading = "Event")]
    before: Vec<EventId>,
}

/// Between which events others are listed.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Filters")]
pub struct BetweenArgs {
    /// Events that may have begun after this one had
    #[arg(long, value_name = "ID")]
    after: Vec<EventId>,
    /// Events that may have begun before this one was over
    #[arg(long, value_name = "ID")]
    before: Vec<EventId>,
}

impl RelativeFlags {
    /// Whether neither was given.
    pub fn is_empty(&self) -> bool {
        self.after.is_empty() && self.before.is_empty()
    }

    /// Computes the date from the other events, notes them as links, and says what was understood. Of the two
    /// kinds of links, one that is not given stays as it was.
    pub fn apply(&self, event: &mut Event, session: &Session, store: &Store<SledLog>) -> CliResult<()> {
        if self.is_empty() {
            return Ok(());
        }
        let (after, before) = (
            place(event, AFTER, &self.after, session, store)?,
            place(event, BEFORE, &self.before, session, store)?,
        );
        let between = Between { after: after.iter().collect(), before: before.iter().collect() };
        let date = between.date()?;
        let told = [(AFTER, &after), (BEFORE, &before)].map(|(rel, others)| {
            others
                .iter()
                .map(|other| format!("{rel} {} ({})", other.id, ui::dated(other.date.as_ref())))
                .collect::<Vec<_>>()
        });
        let (told, meaning) = (told.concat().join(", "), date.explain());
        ui::note(session, &format!("{told} is understood as {date}: {meaning}"))?;
        event.date = Some(date);
        Ok(())
    }
}

/// Puts the links of one kind in the place of the old ones, where any are given, and gives the events that the
/// links of this kind now name.
fn place(
    event: &mut Event,
    rel: &str,
    given: &[EventId],
    session: &Session,
    store: &Store<SledLog>,
) -> CliResult<Vec<Event>> {
    if !given.is_empty() {
        event.links.retain(|link| link.rel != rel);
        event.links.extend(given.iter().map(|id| Link { rel: rel.to_owned(), to: id.clone() }));
    }
    related(event, rel).map(|id| other(event, rel, id, session, store)).collect()
}

/// The version of another event that counts.
fn other(
    event: &Event,
    rel: &str,
    id: &EventId,
    session: &Session,
    store: &Store<SledLog>,
) -> CliResult<Event> {
    if *id == event.id {
        return Err(CliError::usage(format!("--{rel}: {id} cannot come {rel} itself")));
    }
    let history = store.history(session.timeline(), id).map_err(|e| hints::explain(store, e));
    let last = history?.pop().map(|stored| stored.record);
    let (op, content) = last.map_or((Op::Retract, None), |last| (last.op, last.content.event().cloned()));
    content.ok_or_else(|| {
        let how = if op == Op::Retract { "withdrawn" } else { "redacted" };
        CliError::failed(format!("--{rel}: {id} is {how}, so that nothing can be counted from it"))
            .with_hint(format!("`annals show {id}` tells why; name another event, or give --date"))
    })
}

impl BetweenArgs {
    /// Whether neither was given.
    pub fn is_empty(&self) -> bool {
        self.after.is_empty() && self.before.is_empty()
    }

    /// The events that are named, as the question knows them: those after which, and those before which.
    pub fn find(&self, store: &Store<SledLog>, question: &Question) -> CliResult<[Vec<Event>; 2]> {
        let all =
            |flag: &str, ids: &[EventId]| ids.iter().map(|id| known(flag, id, store, question)).collect();
        let (after, before): (CliResult<Vec<_>>, CliResult<Vec<_>>) =
            (all("--after", &self.after), all("--before", &self.before));
        Ok([after?, before?])
    }
}

/// The version of an event that the question knows.
fn known(flag: &str, id: &EventId, store: &Store<SledLog>, question: &Question) -> CliResult<Event> {
    hints::require(store, &question.timeline)?;
    let timeline = &question.timeline;
    if let Some(event) = store.counting(timeline, id, store.position(question.known_at)?.seq)? {
        return Ok(event);
    }
    let error = CliError::failed(format!("{flag}: no event {id} is known"));
    Err(error.with_hint(match store.log().event(timeline, id)? {
        Some(_) => format!("`annals show {id}` tells when it was recorded, and whether it was withdrawn"),
        None => hints::event(store, timeline, id),
    }))
}
