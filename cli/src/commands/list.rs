//! `annals list`: events in the order of their dates.

use std::io::Write as _;

use annals_core::{Listed, Listing, Log, Room, Selected, Selection, SledLog, Store};
use annals_model::line::event_line;
use annals_model::relative::Between;
use annals_model::{Event, Question};

use super::erased;
use super::relative::BetweenArgs;
use crate::args::{QuestionArgs, RangeArgs};
use crate::error::CliResult;
use crate::hints;
use crate::session::Session;
use crate::ui::{self, Columns, JsonLines, Table, counted};

/// Events of a list that are kept in memory, at least and at most; more are sorted beside the store and printed one by
/// one.
const KEPT: (u64, u64) = (20_000, 100_000);
/// Where one in so many records is listed, nearly everything has to be read of the log for it.
const DENSE: u64 = 20;
/// Bytes of events that are sorted in memory then.
const IN_MEMORY: usize = 32 << 20;
/// What stands over the columns.
const HEADINGS: [&str; 4] = ["DATE", "EVENT", "KIND", "TITLE"];

/// Show events in the order of their dates
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Without --as-of all events are shown. --from and --to keep every event whose date allows that it
falls between them; with --certainty surely only those that surely do. --after and --before
take other events instead of dates: after that one had begun, before this one was over.

Examples:
  annals list --from 2010 --to 2019
  annals list --as-of 2018 --kind deployment
  annals list --after cholera-2010 --before un-police-leave-2019
  annals list --known-at 2023-11-13 --format jsonl"
)]
pub struct Args {
    /// Only the first N events
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    range: RangeArgs,
    #[command(flatten)]
    between: BetweenArgs,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let store = session.open()?;
    let question = args.question.question(session, &args.range)?;
    let explained = |error| hints::explain(&store, error);
    let [after, before] = args.between.find(&store, &question)?;
    let between = Between { after: after.iter().collect(), before: before.iter().collect() };
    let between = Some(&between).filter(|_| !args.between.is_empty());
    let selection = Selection { between, ..selection(&args.question, &question, args.limit) };
    session.before_dates(&store)?;
    let kept = (store.log().head()?.seq().0 / DENSE).clamp(KEPT.0, KEPT.1);
    let kept = usize::try_from(kept).unwrap_or(usize::MAX);
    if store.is_long(&selection, kept).map_err(explained)? {
        return long(&selection, session, store);
    }
    let Selected { events, total, has_redactions } = store.list(&selection).map_err(explained)?;
    session.after_dates(&store)?;
    let redacted = erased::told_beside(&store, &question, has_redactions)?;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    erased::note(session, &redacted)?;
    if !session.is_for_people() {
        let lines: Result<Vec<String>, _> =
            events.iter().map(|known| event_line(&question.timeline, &known.event)).collect();
        return ui::print_json_lines(session, lines?);
    }
    let mut table = Table::new(&HEADINGS);
    for known in &events {
        with_cells(&known.event, known.is_revised(), |cells| table.row(cells));
    }
    let mut out = ui::out();
    write!(out, "{table}")?;
    out.flush()?;
    note_shown(session, events.len() as u64, total)
}

/// What a question selects; all dates where it was not asked as of one.
pub fn selection<'a>(args: &QuestionArgs, question: &'a Question, most: Option<usize>) -> Selection<'a> {
    let (range, begun) = (args.range_certainty(), args.as_of.is_some());
    Selection { question, range, begun, between: None, most }
}

/// The same where it is too much for memory: sorted beside the store, and printed one by one.
fn long(selection: &Selection<'_>, session: &Session, store: Store<SledLog>) -> CliResult<()> {
    let (question, most) = (selection.question, selection.most.unwrap_or(usize::MAX));
    let admits = |event: &Event| selection.admits(event);
    let directory = session.store_path()?;
    let room = Room { bytes: IN_MEMORY, directory: &directory };
    let listing = store.listing(&question.timeline, question.known_at, Some(&admits), room);
    let listing = listing.map_err(|e| hints::explain(&store, e))?;
    let redacted = erased::told(&store, &question.timeline, listing.position().seq)?;
    session.after_dates(&store)?;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    erased::note(session, &redacted)?;
    if !session.is_for_people() {
        let mut lines = JsonLines::new(session);
        each(&listing, most, |listed| lines.line(&event_line(&question.timeline, &listed.event)?))?;
        return lines.finish();
    }
    // The width of the columns is known when all events have gone by.
    let mut columns = Columns::new(HEADINGS);
    each(&listing, most, |Listed { event, place, seq, .. }| {
        with_cells(event, place != seq, |cells| columns.widen(cells));
        Ok(())
    })?;
    let mut out = ui::out();
    columns.write_head(&mut out)?;
    let shown = each(&listing, most, |Listed { event, place, seq, .. }| {
        Ok(with_cells(event, place != seq, |cells| columns.write(&mut out, cells))?)
    })?;
    out.flush()?;
    note_shown(session, shown, listing.known())
}

/// Calls `visit` with the first events of a listing; gives how many these were.
fn each(listing: &Listing, most: usize, mut visit: impl FnMut(&Listed) -> CliResult<()>) -> CliResult<u64> {
    let mut shown = 0;
    listing.each(|listed| {
        if shown < most as u64 {
            shown += 1;
            visit(listed)?;
        }
        CliResult::Ok(())
    })?;
    Ok(shown)
}

/// Hands over what a row shows of an event.
fn with_cells<T>(event: &Event, is_revised: bool, take: impl FnOnce([&str; 4]) -> T) -> T {
    let revised = is_revised.then(|| format!("{} (revised)", event.title));
    let title = revised.as_deref().unwrap_or(&event.title);
    let (date, kind) = (ui::dated(event.date.as_ref()), event.kind.as_deref().unwrap_or(""));
    take([date, event.id.as_str(), kind, title])
}

/// Says how many events there are that are not shown.
fn note_shown(session: &Session, shown: u64, total: u64) -> CliResult<()> {
    if shown < total {
        ui::note(session, &format!("{shown} of {}", counted(total, "event")))?;
    }
    Ok(())
}
