//! `annals date`: explains a date.

use std::io::{BufRead, Write as _};

use annals_model::date::DateEdges;
use annals_model::{AsOf, Certainty, Date, Invalid, Moment};
use serde::Serialize;

use crate::error::{CliError, CliResult};
use crate::session::Session;
use crate::ui::{self, HEADING, safe, safe_json};

/// Explain a date
#[derive(Debug, clap::Args)]
#[command(after_long_help = "A date is EDTF (ISO 8601-2), or as people say it.

Examples:
  annals date 2004
  annals date \"between 2017 and 2019\"
  annals date 2017/2019 --as-of 2018
  annals date - --format jsonl < dates.txt      one text a line")]
pub struct Args {
    /// The text, or - for one a line from standard input
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: String,
    /// Also say whether the date covers this one
    #[arg(long, value_name = "D", allow_hyphen_values = true)]
    as_of: Option<String>,
}

#[derive(Serialize)]
struct Explained<'a> {
    input: &'a str,
    edtf: &'a str,
    #[serde(flatten)]
    edges: DateEdges,
    #[serde(skip_serializing_if = "Option::is_none")]
    covers: Option<Covers>,
}

#[derive(Serialize)]
struct Refused<'a> {
    input: &'a str,
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// How a date lies to a moment.
#[derive(Serialize)]
struct Covers {
    as_of: String,
    begun: &'static str,
    ended: &'static str,
    ongoing: &'static str,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    let as_of = args.as_of.as_ref().map(|text| session.as_of("--as-of", text)).transpose()?;
    if args.text != "-" {
        return match Date::parse_spoken(&args.text, session.today()) {
            Ok(date) => print(session, &args.text, &date, as_of.as_ref()),
            Err(error) => {
                let invalid = Invalid::from(error);
                if !session.is_for_people() {
                    print_refused(session, &args.text, &invalid)?;
                }
                Err(invalid.into())
            }
        };
    }
    let mut refused = 0_u64;
    for line in std::io::stdin().lock().lines() {
        let line =
            line.map_err(|e| CliError::failed(e.to_string()).because_of("cannot read standard input"))?;
        match Date::parse_spoken(&line, session.today()) {
            Ok(date) => print(session, &line, &date, as_of.as_ref())?,
            Err(error) => {
                refused += 1;
                print_refused(session, &line, &error.into())?;
            }
        }
    }
    match refused {
        0 => Ok(()),
        _ => Err(CliError::failed(format!("{} could not be read", ui::counted(refused, "date")))),
    }
}

fn print(session: &Session, input: &str, date: &Date, as_of: Option<&AsOf>) -> CliResult<()> {
    let covers = as_of.map(|as_of| covers(date, as_of));
    if !session.is_for_people() {
        let explained = Explained { input, edtf: date.as_str(), edges: date.edges(), covers };
        return ui::print_json_line(&explained);
    }
    let mut out = ui::out();
    let edges = serde_json::to_value(date.edges())?;
    let edge = |end: &str, bound: &str| edges[end][bound].as_str().unwrap_or_default().to_owned();
    writeln!(out, "{HEADING}{}{HEADING:#}  {}", safe(date.as_str()), safe(&date.explain()))?;
    for end in ["start", "end"] {
        let (earliest, latest) = (edge(end, "earliest"), edge(end, "latest"));
        writeln!(out, "  {end:<6} no earlier than {earliest}, no later than {latest}")?;
    }
    if let Some(Covers { as_of, begun, ended, ongoing }) = covers {
        writeln!(out, "  as of {as_of}: begun {begun}, ended {ended}, going on {ongoing}")?;
    }
    Ok(out.flush()?)
}

fn print_refused(session: &Session, input: &str, invalid: &Invalid) -> CliResult<()> {
    let mut out = ui::out();
    if session.is_for_people() {
        writeln!(out, "{}: {}", safe(input), safe(&invalid.to_string()))?;
        if let Some(hint) = invalid.hint() {
            writeln!(out, "  hint: {}", safe(hint))?;
        }
    } else {
        let refused = Refused { input, error: invalid.to_string(), hint: invalid.hint() };
        writeln!(out, "{}", safe_json(&serde_json::to_string(&refused)?))?;
    }
    Ok(out.flush()?)
}

fn covers(date: &Date, as_of: &AsOf) -> Covers {
    let until = as_of.until();
    let any = |test: &dyn Fn(&annals_model::date::Span) -> bool| date.happenings().iter().any(test);
    let reached = |moment: Moment| moment <= until;
    let say = |surely: bool, possibly: bool| match (surely, possibly) {
        (true, _) => Certainty::Surely.as_str(),
        (false, true) => Certainty::Possibly.as_str(),
        (false, false) => "not",
    };
    Covers {
        as_of: as_of.to_string(),
        begun: say(any(&|s| reached(s.start.latest)), any(&|s| reached(s.start.earliest))),
        ended: say(any(&|s| reached(s.end.latest)), any(&|s| reached(s.end.earliest))),
        ongoing: say(
            any(&|s| reached(s.start.latest) && until <= s.end.earliest),
            any(&|s| reached(s.start.earliest) && until <= s.end.latest),
        ),
    }
}
