//! `annals list`: events in the order of their dates.

use std::borrow::Cow;
use std::path::Path;

use annals_core::{KnownEvent, Log, Room, Selected, Selection, SledLog, Store};
use annals_model::line::event_line;
use annals_model::relative::Between;
use annals_model::{Event, Question, TimelineName};

use super::erased;
use super::relative::BetweenArgs;
use crate::args::{QuestionArgs, RangeArgs};
use crate::error::CliResult;
use crate::hints;
use crate::session::Session;
use crate::ui::{self, KEPT, Rows, counted};

/// Events of a list that are read where the index of dates names them, at least and at most; of more all but the first ones
/// are sorted beside the store.
const FOUND: (u64, u64) = (20_000, 100_000);
/// Where one in so many records is listed, nearly everything has to be read of the log for it.
const DENSE: u64 = 20;
/// Pieces of such a list that are printed before the others are sorted.
const AT_ONCE: usize = 3;
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
    let directory = session.store_path()?;
    let mut rows = Rows::new(session, HEADINGS, &directory);
    let found = (store.log().head()?.seq().0 / DENSE).clamp(FOUND.0, FOUND.1);
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    let total = if let Some(mut pieces) = store.pieces(&selection, found).map_err(explained)? {
        let (is_long, is_dense) = (pieces.may_exceed(KEPT), pieces.may_exceed(found));
        erased::note(session, &erased::told_beside(&store, &question, pieces.has_redactions())?)?;
        for piece in pieces.by_ref().take(if is_dense { AT_ONCE } else { usize::MAX }) {
            add(&mut rows, &question.timeline, &piece.map_err(explained)?)?;
            if is_long {
                rows.send()?;
            }
        }
        (!is_dense).then(|| pieces.total())
    } else {
        let Selected { events, total, has_redactions } = store.list(&selection).map_err(explained)?;
        erased::note(session, &erased::told_beside(&store, &question, has_redactions)?)?;
        add(&mut rows, &question.timeline, &events)?;
        Some(total)
    };
    session.after_dates(&store)?;
    // Whoever reads the output may take their time; others need the store.
    let total = match total {
        Some(total) => {
            drop(store);
            total
        }
        None => add_sorted(&mut rows, &selection, store, &directory)?,
    };
    let shown = rows.count();
    rows.finish()?;
    if shown < total {
        ui::note(session, &format!("{shown} of {}", counted(total, "event")))?;
    }
    Ok(())
}

/// What a question selects; all dates where it was not asked as of one.
pub fn selection<'a>(args: &QuestionArgs, question: &'a Question, most: Option<usize>) -> Selection<'a> {
    let (range, begun) = (args.range_certainty(), args.as_of.is_some());
    Selection { question, range, begun, between: None, most }
}

fn add(rows: &mut Rows<4>, timeline: &TimelineName, events: &[KnownEvent]) -> CliResult<()> {
    events.iter().try_for_each(|known| add_event(rows, timeline, &known.event, known.is_revised()))
}

fn add_event(rows: &mut Rows<4>, timeline: &TimelineName, event: &Event, is_revised: bool) -> CliResult<()> {
    let cells = || {
        let title = if is_revised {
            Cow::Owned(format!("{} (revised)", event.title))
        } else {
            Cow::Borrowed(event.title.as_str())
        };
        let (date, kind) = (ui::dated(event.date.as_ref()), event.kind.as_deref().unwrap_or(""));
        Ok([date.into(), event.id.as_str().into(), kind.into(), title])
    };
    rows.add(cells, || Ok(event_line(timeline, event)?))
}

/// Adds the events behind those that were added, sorted beside the store, which is let go before; gives how many the
/// timeline has in all that count.
fn add_sorted(
    rows: &mut Rows<4>,
    selection: &Selection<'_>,
    store: Store<SledLog>,
    directory: &Path,
) -> CliResult<u64> {
    let Question { timeline, known_at, .. } = selection.question;
    let admits = |event: &Event| selection.admits(event);
    let room = Room { bytes: IN_MEMORY, directory };
    let listing = store.listing(timeline, *known_at, Some(&admits), room);
    let listing = listing.map_err(|e| hints::explain(&store, e))?;
    drop(store);
    rows.wait_for_readers()?;
    let (added, most) = (rows.count(), selection.most.map_or(u64::MAX, |most| most as u64));
    let mut passed = 0;
    listing.each(|listed| {
        passed += 1;
        if passed <= added || passed > most {
            return CliResult::Ok(());
        }
        add_event(rows, timeline, &listed.event, listed.place != listed.seq)
    })?;
    Ok(listing.known())
}
