//! `annals list`: events in the order of their dates.

use std::io::Write as _;

use annals_core::{Known, KnownEvent, Selected, Selection, SledLog, Store};
use annals_model::Question;
use annals_model::line::event_line;
use annals_model::relative::Between;

use super::erased;
use super::relative::BetweenArgs;
use crate::args::{QuestionArgs, RangeArgs};
use crate::error::CliResult;
use crate::hints;
use crate::session::Session;
use crate::ui::{self, Table, counted};

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
    let known = (!args.between.is_empty()).then(|| store.known(&question.timeline, question.known_at));
    let known = known.transpose().map_err(explained)?;
    let between = known.as_ref().map_or_else(|| Ok(Between::default()), |known| args.between.find(known))?;
    let most = args.limit.filter(|_| known.is_none());
    let Selected { mut events, total, has_redactions } =
        listed(&args.question, &question, most, session, &store)?;
    let redacted = erased::told_beside(&store, &question, has_redactions)?;
    // Whoever reads the output may take their time; others need the store.
    drop(store);
    erased::note(session, &redacted)?;
    events.retain(|known| between.admits(&known.event, args.question.range_certainty()));
    events.truncate(args.limit.unwrap_or(usize::MAX));
    if !session.is_for_people() {
        let lines: Result<Vec<String>, _> =
            events.iter().map(|known| event_line(&question.timeline, &known.event)).collect();
        return ui::print_json_lines(session, lines?);
    }
    let mut table = Table::new(&["DATE", "EVENT", "KIND", "TITLE"]);
    for known in &events {
        let event = &known.event;
        let date = ui::dated(event.date.as_ref());
        let title =
            if known.is_revised() { format!("{} (revised)", event.title) } else { event.title.clone() };
        table.row([date, event.id.as_str(), event.kind.as_deref().unwrap_or(""), &title]);
    }
    let mut out = ui::out();
    write!(out, "{table}")?;
    out.flush()?;
    let shown = events.len() as u64;
    if shown < total {
        ui::note(session, &format!("{shown} of {}", counted(total, "event")))?;
    }
    Ok(())
}

/// The events that a question selects, in list order; all dates where it was not asked as of one.
fn listed(
    args: &QuestionArgs,
    question: &Question,
    most: Option<usize>,
    session: &Session,
    store: &Store<SledLog>,
) -> CliResult<Selected> {
    let selection = Selection { question, range: args.range_certainty(), begun: args.as_of.is_some(), most };
    session.before_dates(store)?;
    let listed = store.list(&selection).map_err(|e| hints::explain(store, e))?;
    session.after_dates(store)?;
    Ok(listed)
}

/// The same of what was read of the log already.
pub fn chosen<'a>(args: &QuestionArgs, question: &Question, known: &'a Known) -> Vec<&'a KnownEvent> {
    let mut events: Vec<&KnownEvent> = known
        .events()
        .iter()
        .filter(|known| args.as_of.is_none() || question.counts(&known.event))
        .filter(|known| question.filter.admits(&known.event, args.range_certainty()))
        .collect();
    events.sort_by_cached_key(|known| known.counted().list_order());
    events
}
