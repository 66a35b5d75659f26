//! What `replay --check` and `snapshot check` share: telling whether a saved answer is still the answer.

use std::io::Write;
use std::process::ExitCode;

use annals_model::saved::{Check, Difference, Json, ValueChange};

use crate::error::CliResult;
use crate::session::Session;
use crate::ui::{self, HEADING, print_change, safe};

/// Differences beside the values that are shown to people; programs get all.
const SHOWN: usize = 20;
/// Characters of a part of an answer that are shown.
const WIDTH: usize = 60;

/// Tells the outcome, and gives the exit code: 1 unless it is the same.
pub fn tell(session: &Session, check: &Check) -> CliResult<ExitCode> {
    if session.is_for_people() {
        print(check)?;
    } else {
        ui::print_json(session, check)?;
    }
    Ok(if check.same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(check: &Check) -> CliResult<()> {
    let mut out = ui::out();
    let Check { timeline, as_of, seq, .. } = check;
    let question = format!("{timeline} as of {as_of}, known at record {seq}");
    if check.same {
        writeln!(out, "same: {}", safe(&question))?;
        return Ok(out.flush()?);
    }
    writeln!(out, "{HEADING}not the same: {}{HEADING:#}", safe(&question))?;
    for finding in &check.reasons {
        writeln!(out, "  {}: {}", name(finding)?, safe(&finding.what))?;
    }
    if !check.changes.is_empty() {
        writeln!(out, "\n{HEADING}Values, from the saved answer to that of the log{HEADING:#}")?;
    }
    for change in &check.changes {
        print_value(&mut out, change)?;
    }
    if !check.others.is_empty() {
        writeln!(out, "\n{HEADING}What else differs{HEADING:#}")?;
    }
    for Difference { path, from, to } in check.others.iter().take(SHOWN) {
        let line = format!("{}: {} → {}", path.join("."), part(from.as_ref()), part(to.as_ref()));
        writeln!(out, "  {}", safe(&line).replace('\n', " "))?;
    }
    if check.others.len() > SHOWN {
        writeln!(out, "  and {} more, all in --format json", check.others.len() - SHOWN)?;
    }
    Ok(out.flush()?)
}

/// The kind of a reason, in words.
fn name(finding: &annals_model::saved::Finding) -> CliResult<String> {
    let name = serde_json::to_value(finding.reason)?;
    Ok(name.as_str().unwrap_or_default().replace('-', " "))
}

fn print_value(out: &mut impl Write, change: &ValueChange) -> CliResult<()> {
    let ValueChange { entity, attribute, kind, from, to, events } = change;
    let [from, to] = [from, to].map(|json| json.as_ref().map(Json::to_value));
    print_change(out, &format!("{entity}.{attribute}"), *kind, from.as_ref(), to.as_ref())?;
    if !events.is_empty() {
        let line = format!("decided by {}", events.join(", then by "));
        writeln!(out, "    {}", safe(&line).replace('\n', " "))?;
    }
    Ok(())
}

/// A part of an answer on one line.
fn part(json: Option<&Json>) -> String {
    let Some(json) = json else { return "absent".to_owned() };
    let text = json.to_string();
    if text.chars().count() <= WIDTH {
        return text;
    }
    format!("{}…", text.chars().take(WIDTH).collect::<String>())
}
