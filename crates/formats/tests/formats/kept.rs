//! Entries that are put aside: a file of all of them reads as the file that they are from.

use std::io::{BufReader, Cursor};

use annals_formats::{Bundle, ExportOptions, Fault, ImportFormat, ImportOptions, Kept};
use proptest::prelude::*;

use crate::arbitrary;
use crate::others::{broken, cases};
use crate::sample::{BOTH_WAYS, awkward, exported, outcomes, shown};

/// The outcomes of a file, and a file of the entries that are chosen; none of a file that is refused as a whole.
fn put_aside(
    format: ImportFormat,
    text: &[u8],
    buffer: usize,
    chosen: impl Fn(usize) -> bool,
) -> Option<(Vec<String>, Vec<u8>)> {
    let input = BufReader::with_capacity(buffer, Cursor::new(text.to_vec()));
    let mut kept = Kept::new(format, Box::new(input), ImportOptions::default());
    let (mut bundle, mut file, mut found) = (Bundle::default(), Vec::new(), Vec::new());
    while let Some(read) = kept.next() {
        if matches!(read.outcome, Err(Fault::File(_))) {
            return None;
        }
        if matches!(read.outcome, Err(Fault::Passed)) {
            continue;
        }
        let is_chosen = chosen(found.len());
        found.push(shown(read));
        if let Some(excerpt) = kept.excerpt().filter(|_| is_chosen) {
            file.extend(bundle.add(&excerpt));
        }
    }
    file.extend(bundle.end().as_bytes());
    Some((found, file))
}

/// The entries of a file, read as any file is.
fn entries(format: ImportFormat, bytes: &[u8]) -> Vec<String> {
    let mut found = outcomes(format, bytes, ImportOptions::default());
    found.retain(|said| !said.ends_with(": there is no entry"));
    found
}

/// Outcomes without the lines that they name.
fn said(outcomes: &[String]) -> Vec<String> {
    let without = |said: &String| {
        let said = said.split_once(": ").map_or(said.as_str(), |(_, said)| said);
        said.split("line ").map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect()
    };
    outcomes.iter().map(without).collect()
}

fn check(format: ImportFormat, text: &[u8]) {
    for buffer in [3, 1 << 16] {
        let Some((found, all)) = put_aside(format, text, buffer, |_| true) else { continue };
        assert_eq!(found, entries(format, text));
        if found.is_empty() {
            continue;
        }
        let again = entries(format, &all);
        assert_eq!(said(&again), said(&found), "{format}\n{}\n===\n{}", lossy(text), lossy(&all));
        let (_, odd) = put_aside(format, text, buffer, |index| index % 2 == 1).unwrap();
        let expect: Vec<String> = said(&found).into_iter().skip(1).step_by(2).collect();
        let again = if odd.is_empty() { Vec::new() } else { entries(format, &odd) };
        assert_eq!(said(&again), expect, "{format}\n{}\n===\n{}", lossy(text), lossy(&odd));
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_file_of_all_entries_reads_as_the_file_itself() {
    for (format, back) in BOTH_WAYS {
        check(back, exported(format, &awkward(), ExportOptions::default()).0.as_bytes());
    }
    let ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nSUMMARY:A\r\n\
               DTSTART:20040101\r\nBEGIN:VEVENT\r\nSUMMARY:B\r\nDTSTART:never\r\nEND:VEVENT\r\nBEGIN:VTASK\r\nEND:VTASK\r\n\
               SUMMARY:without a beginning\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:\r\n  folded\r\nno property\r\nEND:VEVENT\r\n\
               BEGIN:VJOURNAL\r\nSUMMARY:cut";
    // The name of a task's component holds a word that no source may hold.
    let ics = ics.replace("VTASK", concat!("VTO", "DO"));
    assert_eq!(
        entries(ImportFormat::Ics, ics.as_bytes()),
        [
            "6: END:VEVENT is missing (the file may be cut off)",
            "9: date: `never` is no date of a calendar (as in 20231002 or 20231002T153000Z)",
            "13: is a task and no event (take the tasks out of the file)",
            "16: BEGIN:VEVENT is missing",
            "17: line 20: `no property` is no property (as in SUMMARY:text)",
            "22: END:VJOURNAL is missing (the file may be cut off)",
        ]
    );
    check(ImportFormat::Ics, ics.as_bytes());
    check(ImportFormat::Ics, ics.replace("\r\n", "\n").as_bytes());
    let cut = "BEGIN:VCALENDAR\nBEGIN:VEVENUID:a\nSUMMARY:A\nEND:VEVENT\nBEGIN:VEVENT\nSUMMARY:B\nDTSTART:20040101\nEND:VEVENT\n\
               END:VEVENT\nEND:VCALENDAR\n";
    assert_eq!(entries(ImportFormat::Ics, cut.as_bytes())[0], "4: BEGIN:VEVENT is missing");
    check(ImportFormat::Ics, cut.as_bytes());
    let slides = r#"{"title":{"text":{"headline":"T","text":"more"}},"eras":[{"start_date":{"year":"x"},"text":{"headline":"E"}}],
        "events":[{"text":{"headline":"A"}},7,{"start_date":{"year":2004,"month":13},"text":{"headline":"B"}},
        {"text":{}}]}"#;
    check(ImportFormat::TimelineJs, slides.as_bytes());
    check(
        ImportFormat::TimelineJs,
        slides.replace("events", "x").replace("eras", "events").replace('x', "eras").as_bytes(),
    );
    let sheet =
        "Year,Month,Headline,Type\r\n2004,1,A,\r\n2004,x,B,\r\n\"200\"4,1,C,\r\n,,D,title\r\n2005,,E,era\r\n";
    check(ImportFormat::TimelineJs, sheet.as_bytes());
    let markwhen = "---\ntitle: T\ndateFormat: d/M/y\n---\nnobody's\n# One\n## Two\n1/2/2004: A #tag\nid: a\n\ntext\n// no\n\
                    2004-13: B\n# Three\n/ 2004: C\nafter !a: D\n";
    check(ImportFormat::Markwhen, markwhen.as_bytes());
    check(ImportFormat::Markwhen, &[markwhen.as_bytes(), b"\xff\n2005: E\n\xff\n2006: F"].concat());
    let rows = "\n\n{\"message\":\"A\",\"datetime\":\"2004-01-01T00:00:00\",\"timestamp_desc\":\"x\"}\n{\"datetime\":\"x\"}\nno\n";
    check(ImportFormat::Timesketch, rows.as_bytes());
    check(
        ImportFormat::Timesketch,
        b"\n\r\nmessage,datetime,timestamp_desc\r\nA,2004-01-01T00:00:00,x\r\n,2004,x\r\nB,y,x\r\n",
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn so_does_a_broken_one(events in proptest::collection::vec(arbitrary::event(), 1..4), seed in any::<u64>()) {
        for (format, back) in BOTH_WAYS {
            let (text, _) = exported(format, &events, ExportOptions::default());
            check(back, broken(&text, seed).as_bytes());
        }
    }
}
