//! JSON: one document, `annals/timeline/1`, indented for reading.
//!
//! `{"schema":"annals/timeline/1","title":…,"timeline":…,"events":[…]}`; several timelines stand as a list under
//! `timelines`. Each event has the fields of its JSON line, its timeline among them, so that a program which
//! reads the one can read the other. It is written event by event.

use std::io;

use annals_model::line;

use super::{ExportError, Exporter, Heading, Losses, Row};

pub struct Json<'o> {
    out: &'o mut dyn io::Write,
    is_first: bool,
}

impl<'o> Json<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let mut head = String::from("{\n  \"schema\": \"annals/timeline/1\",\n");
        let mut field = |name: &str, json: String| head.extend(["  \"", name, "\": ", &json, ",\n"]);
        if let Some(title) = heading.title {
            field("title", serde_json::to_string(title)?);
        }
        match heading.timelines {
            [one] => field("timeline", serde_json::to_string(one)?),
            several => field("timelines", serde_json::to_string(several)?),
        }
        head.push_str("  \"events\": [");
        out.write_all(head.as_bytes())?;
        Ok(Self { out, is_first: true })
    }
}

impl Exporter for Json<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let text = indented(&line::event_line(row.timeline, row.event)?, 2);
        let between = if self.is_first { "\n    " } else { ",\n    " };
        self.is_first = false;
        self.out.write_all(between.as_bytes())?;
        Ok(self.out.write_all(text.as_bytes())?)
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        self.out.write_all(if self.is_first { b"]\n}\n" } else { b"\n  ]\n}\n" })?;
        Ok(Losses::default())
    }
}

/// JSON without white space, spread over lines; every number and text stays as it is written.
fn indented(json: &str, mut depth: usize) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            out.push(c);
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(close) = rest.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    break_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_white_space_between_tokens_changes() {
        let json = r#"{"a":"{[,:\\\"","b":[],"c":{},"d":[1.0e5,{"e":null}]}"#;
        let expect = "{\n    \"a\": \"{[,:\\\\\\\"\",\n    \"b\": [],\n    \"c\": {},\n    \"d\": [\n      1.0e5,\n      {\n        \"e\": null\n      }\n    ]\n  }";
        assert_eq!(indented(json, 1), expect);
    }
}
