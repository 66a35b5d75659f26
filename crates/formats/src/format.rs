//! The names of the formats, for flags and their help.
//!
//! A new format is one variant here, one line in each of its tables, and one file in `export/` or `import/`.

use std::fmt;
use std::str::FromStr;

use annals_model::{Invalid, suggest};

/// What events can be exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON Lines, the native form.
    Jsonl,
    /// One JSON document.
    Json,
    /// A table for spreadsheets.
    Csv,
    /// A document for people.
    Markdown,
    /// A page for people, with the timeline drawn and the state at every date.
    Html,
    /// A calendar.
    Ics,
    /// Slides for TimelineJS.
    TimelineJs,
    /// A text for Markwhen.
    Markwhen,
    /// A diagram for Mermaid.
    Mermaid,
    /// Rows for Timesketch.
    Timesketch,
    /// Features for maps, with the dates of the Linked Places format.
    GeoJson,
    /// Linked data: schema.org and PROV-O.
    JsonLd,
    /// A feed.
    Atom,
    /// A table for analysis.
    Parquet,
}

/// What events can be imported from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImportFormat {
    /// JSON Lines, the native form.
    Jsonl,
    /// A table with commas between the cells.
    Csv,
    /// A table with tabs between the cells.
    Tsv,
    /// A calendar.
    Ics,
    /// Slides for TimelineJS, as JSON or as a table.
    TimelineJs,
    /// A text for Markwhen.
    Markwhen,
    /// Rows for Timesketch, as JSON Lines or as a table.
    Timesketch,
}

impl Format {
    /// Every format, in the order of the help.
    pub const ALL: &'static [Self] = &[
        Self::Jsonl,
        Self::Json,
        Self::Csv,
        Self::Markdown,
        Self::Html,
        Self::Ics,
        Self::TimelineJs,
        Self::Markwhen,
        Self::Mermaid,
        Self::Timesketch,
        Self::GeoJson,
        Self::JsonLd,
        Self::Atom,
        Self::Parquet,
    ];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Ics => "ics",
            Self::TimelineJs => "timelinejs",
            Self::Markwhen => "markwhen",
            Self::Mermaid => "mermaid",
            Self::Timesketch => "timesketch",
            Self::GeoJson => "geojson",
            Self::JsonLd => "jsonld",
            Self::Atom => "atom",
            Self::Parquet => "parquet",
        }
    }

    /// What it is, in a few words for the help.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Jsonl => "one event a line, complete; the form to import again",
            Self::Json => "one JSON document with all events, complete",
            Self::Csv => "a table for spreadsheets, complete; guarded against formulas",
            Self::Markdown => "a document for people",
            Self::Html => "one page with the timeline drawn and the state at every date; needs no network",
            Self::Ics => "a calendar (iCalendar)",
            Self::TimelineJs => "a page of slides, as JSON for TimelineJS",
            Self::Markwhen => "a text for Markwhen",
            Self::Mermaid => "a timeline diagram for Mermaid",
            Self::Timesketch => "rows for Timesketch, one a bound of a date",
            Self::GeoJson => "features for maps, complete; Linked Places dates",
            Self::JsonLd => "linked data, complete: schema.org and PROV-O",
            Self::Atom => "a feed for feed readers",
            Self::Parquet => "a table for analysis, complete",
        }
    }

    /// Whether it is JSON, on one line or many.
    pub const fn is_json(self) -> bool {
        matches!(
            self,
            Self::Jsonl | Self::Json | Self::TimelineJs | Self::Timesketch | Self::GeoJson | Self::JsonLd
        )
    }

    /// Whether it is text that a terminal can show.
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Parquet)
    }

    /// All the names, for the help: `jsonl, json, csv …`.
    pub fn names() -> String {
        names(Self::ALL, Self::as_str)
    }
}

impl ImportFormat {
    /// Every format, in the order of the help.
    pub const ALL: &'static [Self] =
        &[Self::Jsonl, Self::Csv, Self::Tsv, Self::Ics, Self::TimelineJs, Self::Markwhen, Self::Timesketch];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Ics => "ics",
            Self::TimelineJs => "timelinejs",
            Self::Markwhen => "markwhen",
            Self::Timesketch => "timesketch",
        }
    }

    /// What it is, in a few words for the help.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Jsonl => "one event or record a line",
            Self::Csv => "a table with a header row and commas between the cells",
            Self::Tsv => "a table with a header row and tabs between the cells",
            Self::Ics => "a calendar (iCalendar)",
            Self::TimelineJs => "the JSON or the spreadsheet (CSV) of TimelineJS",
            Self::Markwhen => "a text of Markwhen",
            Self::Timesketch => "rows of Timesketch, as JSON Lines or CSV",
        }
    }

    /// All the names, for the help: `jsonl, csv, tsv`.
    pub fn names() -> String {
        names(Self::ALL, Self::as_str)
    }
}

/// Other names under which people know a format.
const ALIASES: &[(&str, &str)] = &[
    ("md", "markdown"),
    ("ndjson", "jsonl"),
    ("ical", "ics"),
    ("icalendar", "ics"),
    ("mw", "markwhen"),
    ("mmd", "mermaid"),
];

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> String {
    all.iter().map(|format| name(*format)).collect::<Vec<_>>().join(", ")
}

fn find<T: Copy>(text: &str, all: &[T], name: fn(T) -> &'static str, what: &str) -> Result<T, Invalid> {
    let wanted = text.to_ascii_lowercase();
    let wanted = ALIASES.iter().find(|(alias, _)| *alias == wanted).map_or(wanted.as_str(), |(_, name)| name);
    all.iter().copied().find(|format| name(*format) == wanted).ok_or_else(|| {
        let invalid = Invalid::new(format!("`{}` is not {what} format", crate::text::shown(text)));
        invalid.with_hint(match suggest::nearest(text, all.iter().map(|format| name(*format))) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", names(all, name)),
        })
    })
}

impl FromStr for Format {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        find(text, Self::ALL, Self::as_str, "an export")
    }
}

impl FromStr for ImportFormat {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        find(text, Self::ALL, Self::as_str, "an import")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for ImportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_format() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().as_ref(), Ok(format));
        }
        for format in ImportFormat::ALL {
            assert_eq!(format.to_string().parse::<ImportFormat>().as_ref(), Ok(format));
        }
        assert_eq!("MD".parse::<Format>(), Ok(Format::Markdown));
    }

    #[test]
    fn a_typing_error_is_answered_with_the_nearest_name() {
        let error = "markdwon".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "`markdwon` is not an export format");
        assert_eq!(error.hint(), Some("did you mean `markdown`?"));
        let error = "spreadsheet".parse::<ImportFormat>().unwrap_err();
        assert_eq!(error.hint(), Some("one of jsonl, csv, tsv, ics, timelinejs, markwhen, timesketch"));
    }
}
