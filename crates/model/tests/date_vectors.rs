//! The published EDTF vectors, all of them: each row agrees with us, or a ruling says why not.
//!
//! The files are those of the project edtf.java (see their NOTICE). A row agrees when we accept it exactly
//! if it is valid, with the same first and last second and the same canonical text. A ruling that no longer
//! differs fails the test, so that the list stays short and true.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may panic as it does")]

use std::fs;
use std::path::Path;

use annals_model::Date;
use annals_model::date::Edge;

const FILES: [&str; 6] = ["edge-cases", "iso8601-2", "level0", "level1", "level2", "loc-spec"];

/// How many rows there are; a file that is cut short must not pass.
const ROWS: usize = 184;

const NO_SUCH_DAY: &str = "a day that the calendar does not have is refused, not only its bounds";
const BARE_NUMBER: &str =
    "a number of other than four digits has more than one reading; 20XX and 199X have one";
const QUARTER_YEARS: &str = "the vectors cut the calendar year into four; ours are meteorological seasons";
const WHOLE_SECONDS: &str = "fractions of a second are refused";

/// Where we differ, and why.
const RULINGS: &[(&str, &str)] = &[
    ("1900-02-29", NO_SUCH_DAY),
    ("2019-02-29", NO_SUCH_DAY),
    ("2020-05-01T10:30:00−05:00", "EDTF is ASCII; the hint shows the text with its own minus"),
    ("2020-05-01T10:30:45.123Z", WHOLE_SECONDS),
    ("2020-05-01T10:30:45.500-05:00", WHOLE_SECONDS),
    ("20", BARE_NUMBER),
    ("00", BARE_NUMBER),
    ("19", BARE_NUMBER),
    ("-01", BARE_NUMBER),
    ("-05", BARE_NUMBER),
    ("-99", BARE_NUMBER),
    ("199", BARE_NUMBER),
    ("202", BARE_NUMBER),
    ("-005", BARE_NUMBER),
    ("199?", BARE_NUMBER),
    ("199~", BARE_NUMBER),
    ("199%", BARE_NUMBER),
    ("2020-21", QUARTER_YEARS),
    ("2020-22", QUARTER_YEARS),
    ("2020-23", QUARTER_YEARS),
    ("2020-24", QUARTER_YEARS),
    ("1999-24", QUARTER_YEARS),
    ("2001-21", QUARTER_YEARS),
    ("2020-25", QUARTER_YEARS),
    ("2020-30", QUARTER_YEARS),
    ("2020-37", "the first of three periods of four months ends with April, not with May"),
];

/// Rows whose bounds are wrong, by their place, since `Y-10000` stands in three files and is right in two.
const WRONG_ROWS: &[(&str, &str, &str)] = &[
    (
        "edge-cases",
        "2020-05-01T00:00:00+14:00",
        "the row's own text, 10:00Z on the day before, gives our bounds",
    ),
    ("edge-cases", "2020-05-01T00:00:00-12:00", "the row's own text, 12:00Z, gives our bounds"),
    ("edge-cases", "Y100000", "it must begin when Y99999 ends, which level1 has"),
    ("edge-cases", "Y-10000", "these are the bounds of -9999"),
];

struct Row {
    file: &'static str,
    input: String,
    min: String,
    max: String,
    edtf: String,
    valid: bool,
}

fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/edtf-vectors");
    let mut rows = Vec::new();
    for file in FILES {
        let path = folder.join(file).with_extension("tsv");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for line in text.lines().skip(1).filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [input, _, _, min, max, edtf, ..] = columns.as_slice() else { panic!("{file}: {line}") };
            rows.push(Row {
                file,
                input: (*input).to_owned(),
                min: (*min).to_owned(),
                max: (*max).to_owned(),
                edtf: (*edtf).to_owned(),
                valid: columns.get(6).is_none_or(|valid| *valid == "VALID"),
            });
        }
    }
    rows
}

/// Milliseconds as whole seconds; where the vectors leave a bound empty, it is unknown.
fn bound(text: &str) -> String {
    match text {
        "" => "unknown".to_owned(),
        "Infinity" | "-Infinity" => "open".to_owned(),
        _ => text.parse::<i64>().unwrap().div_euclid(1_000).to_string(),
    }
}

fn ours(edge: Edge) -> String {
    match edge {
        Edge::At(moment) => moment.seconds().to_string(),
        Edge::Open | Edge::Unknown => edge.to_string(),
    }
}

/// What differs, or nothing.
fn difference(row: &Row) -> Option<String> {
    let date = match (Date::parse(&row.input), row.valid) {
        (Ok(date), true) => date,
        (Err(_), false) => return None,
        (Ok(_), false) => return Some("we accept it".to_owned()),
        (Err(error), true) => return Some(error.to_string()),
    };
    // Both zero means that the vectors check the text only.
    if (row.min.as_str(), row.max.as_str()) != ("0", "0") {
        let edges = date.edges();
        let (min, max) = (ours(edges.start.earliest), ours(edges.end.latest));
        if (min.as_str(), max.as_str()) != (bound(&row.min).as_str(), bound(&row.max).as_str()) {
            return Some(format!("bounds {min} and {max}, not {} and {}", bound(&row.min), bound(&row.max)));
        }
    }
    // The vectors turn date-times to UTC with milliseconds; we keep the offset, so the moments are compared.
    let same_text = match row.edtf.strip_suffix(".000Z") {
        Some(utc) => Date::parse(&format!("{utc}Z")).unwrap().span() == date.span(),
        None => date.as_str() == row.edtf,
    };
    (!same_text).then(|| format!("text {date}, not {}", row.edtf))
}

fn ruling(row: &Row) -> Option<&'static str> {
    let by_input = RULINGS.iter().find(|(input, _)| *input == row.input).map(|(_, why)| *why);
    let by_place =
        WRONG_ROWS.iter().find(|(file, input, _)| (*file, *input) == (row.file, row.input.as_str()));
    by_input.or(by_place.map(|(_, _, why)| *why))
}

#[test]
fn every_vector_agrees_or_has_a_ruling() {
    let rows = rows();
    assert_eq!(rows.len(), ROWS);
    let mut wrong = Vec::new();
    for row in &rows {
        match (difference(row), ruling(row)) {
            (None, None) | (Some(_), Some(_)) => {}
            (Some(difference), None) => wrong.push(format!("{} `{}`: {difference}", row.file, row.input)),
            (None, Some(_)) => {
                wrong.push(format!("{} `{}`: agrees, so it needs no ruling", row.file, row.input));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_ruling_is_about_a_vector() {
    let rows = rows();
    for (input, why) in RULINGS {
        assert!(rows.iter().any(|row| row.input == *input), "`{input}` is not a vector: {why}");
    }
    for (file, input, why) in WRONG_ROWS {
        assert!(rows.iter().any(|row| row.file == *file && row.input == *input), "{file} `{input}`: {why}");
    }
}
