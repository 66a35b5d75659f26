//! What holds for every text: nothing panics, bounds are in order, and a printed date reads back as itself.
//!
//! Besides arbitrary text there are texts that are nearly EDTF or nearly a phrase, since random characters
//! hardly ever get past the first digit.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may panic as it does")]

use annals_model::{Date, Day};
use proptest::prelude::*;

const TODAY: Day = Day { year: 2023, month: 10, day: 15 };

/// A year, month or day of a mask, with flags in all places where EDTF has them.
fn single() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[?~%]?-?[0-9X]{4}[?~%]?",
        4 => "[?~%]?-?[0-2X][0-9X]{3}-[?~%]?[0-4X][0-9X][?~%]?",
        4 => "[?~%]?-?[0-2X][0-9X]{3}-[?~%]?[01X][0-9X][?~%]?-[?~%]?[0-3X][0-9X][?~%]?",
        1 => "-?[0-9]{4}S[1-4]",
        1 => "Y-?[1-9][0-9]{4,11}(S[1-5])?[?~%]?",
        1 => "Y-?[1-9][0-9]?E[0-9]{1,2}(S[1-5])?",
        1 => "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9](:[0-6][0-9])?(Z|[+-][01][0-9](:[0-6][0-9])?)?",
    ]
}

fn edtf() -> impl Strategy<Value = String> {
    let end = || prop_oneof![4 => single(), 1 => Just(String::new()), 1 => Just("..".to_owned())];
    let member = || {
        prop_oneof![
            3 => single(),
            1 => single().prop_map(|date| format!("..{date}")),
            1 => single().prop_map(|date| format!("{date}..")),
            2 => (1000..2100, 0..40).prop_map(|(year, length)| format!("{year}..{}", year + length)),
            1 => (1..12, 0..3).prop_map(|(month, length)| format!("2004-{month:02}..2004-{:02}", month + length)),
        ]
    };
    prop_oneof![
        3 => single(),
        3 => (end(), end()).prop_map(|(start, end)| format!("{start}/{end}")),
        1 => (single(), end()).prop_map(|(start, end)| format!("..{start}/{end}")),
        1 => (end(), single()).prop_map(|(start, end)| format!("{start}/{end}..")),
        2 => prop::collection::vec(member(), 1..5).prop_map(|members| format!("[{}]", members.join(", "))),
        2 => prop::collection::vec(member(), 1..5).prop_map(|members| format!("{{{}}}", members.join(","))),
    ]
}

fn phrase() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "today",
        "yesterday",
        "ago",
        "days",
        "months",
        "years",
        "last",
        "year",
        "month",
        "circa",
        "c.",
        "maybe",
        "about",
        "before",
        "after",
        "on",
        "or",
        "by",
        "no",
        "later",
        "earlier",
        "than",
        "between",
        "and",
        "from",
        "to",
        "since",
        "until",
        "the",
        "of",
        "century",
        "quarter",
        "half",
        "first",
        "2nd",
        "19th",
        "Q3",
        "spring",
        "winter",
        "bc",
        "AD",
        "b.c.",
        "Oct",
        "July",
        "May",
        "Monday",
        "2023",
        "1990s",
        "1900s",
        "44",
        "2",
        "31",
        "0",
        "10,000",
        "2004-2017",
        "12/04/1985",
        "25/12/1985",
        "14:30",
        "–",
        "-",
        "?",
        "2004-06",
        "Y12345",
        "290000000000",
        "9999999999999999999",
        "present",
        "northern",
        "early",
        "%",
        "3",
        "a",
        "in",
    ]);
    prop::collection::vec(word, 0..7).prop_map(|words| words.join(" "))
}

/// Everything that must hold for a date, however it was made.
fn check(date: &Date) -> Result<(), TestCaseError> {
    for span in date.happenings().iter().chain([&date.span()]) {
        prop_assert!(span.start.earliest <= span.start.latest, "{date}: {span:?}");
        prop_assert!(span.end.earliest <= span.end.latest, "{date}: {span:?}");
        prop_assert!(span.start.earliest <= span.end.earliest, "{date}: {span:?}");
        prop_assert!(span.start.latest <= span.end.latest, "{date}: {span:?}");
    }
    let again = Date::parse(date.as_str()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(again.as_str(), date.as_str());
    prop_assert_eq!(again.happenings(), date.happenings());
    prop_assert!(date.explain().ends_with('.'), "{}", date.explain());
    let json = serde_json::to_string(date).unwrap();
    prop_assert_eq!(&serde_json::from_str::<Date>(&json).unwrap(), date);
    Ok(())
}

fn check_text(text: &str) -> Result<(), TestCaseError> {
    let results = [Date::parse(text), Date::parse_spoken(text, TODAY)];
    for result in &results {
        match result {
            Ok(date) => check(date)?,
            Err(error) => {
                let hint = error.hint().unwrap_or("");
                prop_assert!(!hint.is_empty(), "{error}");
                prop_assert!(!format!("{error}{hint}").contains(char::is_control), "{error} {hint}");
            }
        }
    }
    if let [Ok(strict), spoken] = &results {
        prop_assert_eq!(spoken.as_ref().ok(), Some(strict), "EDTF means the same to people");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_at_all_makes_it_panic(text in any::<String>()) {
        check_text(&text)?;
    }

    #[test]
    fn no_text_of_its_own_characters_makes_it_panic(text in "[0-9XYSETZu?~%/.,:+\\-\\[\\]{} −–]{0,24}") {
        check_text(&text)?;
    }

    #[test]
    fn what_looks_like_edtf_is_ordered_and_reads_back(text in edtf()) {
        check_text(&text)?;
    }

    #[test]
    fn what_looks_like_a_phrase_is_ordered_and_reads_back(text in phrase()) {
        check_text(&text)?;
    }

    #[test]
    fn the_fast_path_agrees_with_the_grammar(text in "[0-9]{4}(-[0-3][0-9]){0,2}") {
        // A set of one member means its member, and never takes the fast path.
        let (fast, slow) = (Date::parse(&text), Date::parse(&format!("[{text}]")));
        prop_assert_eq!(fast.is_ok(), slow.is_ok(), "{}", text);
        prop_assert_eq!(fast.ok().map(|date| date.span()), slow.ok().map(|date| date.span()));
    }

    #[test]
    fn a_masked_year_is_bounded_by_the_years_that_fit(mask in "-?[0-9X]{4}", rest in "|-XX|-02-29|-0X-3X|-24") {
        let fits = |year: &i64| {
            let text = format!("{}{:04}", if *year < 0 { "-" } else { "" }, year.unsigned_abs());
            text.len() == mask.len() && text.bytes().zip(mask.bytes()).all(|(digit, slot)| slot == b'X' || slot == digit)
        };
        let concrete = |year: i64| {
            let sign = if year < 0 { "-" } else { "" };
            Date::parse(&format!("{sign}{:04}{rest}", year.unsigned_abs())).ok().map(|date| date.span())
        };
        let mut years = (-9_999..=9_999_i64).filter(fits);
        let first = years.by_ref().find_map(concrete);
        let last = (-9_999..=9_999_i64).rev().filter(fits).find_map(concrete);
        let whole = Date::parse(&format!("{mask}{rest}")).ok().map(|date| date.span());
        prop_assert_eq!(whole.map(|span| span.start.earliest), first.map(|span| span.start.earliest));
        prop_assert_eq!(whole.map(|span| span.end.latest), last.map(|span| span.end.latest));
    }

    #[test]
    fn edtf_core_and_we_accept_the_same_but_for_the_rulings(text in edtf()) {
        let theirs = edtf_core::Edtf::parse(&text);
        let ours = Date::parse(&text);
        if let (Ok(value), Err(error)) = (&theirs, &ours) {
            let reason = error.to_string();
            let rulings = ["further away", "more than 1000 members", "further behind UTC", "ends before it starts"];
            prop_assert!(rulings.iter().any(|ruling| reason.contains(ruling)), "{value}: {reason}");
        }
        if let (Err(error), Ok(date)) = (&theirs, &ours) {
            let rulings = ["negative years cannot", "at least one dated", "time must be", "whitespace", "24 is not"];
            prop_assert!(rulings.iter().any(|ruling| error.message.contains(ruling)), "{date}: {error}");
        }
    }
}

#[test]
fn hostile_texts_are_answered_at_once() {
    let long = "2004,".repeat(1_999);
    let masks = "-XXX1-02-29,".repeat(800);
    let texts = [
        format!("[{long}2005]"),
        format!("{{{long}2005}}"),
        format!("[{masks}2004]"),
        format!("{{{masks}2004}}"),
        "1".repeat(1_000_000),
        "[".repeat(1_000_000),
        "2004 or ".repeat(100_000),
        "{Y-17E7..Y17E7}".to_owned(),
        "{-9999-01-01..9999-12-31}".to_owned(),
        "Y1E99999".to_owned(),
        "Y9E18S1".to_owned(),
        "Y9223372036854775807".to_owned(),
        "Y-9223372036854775807S1".to_owned(),
    ];
    for text in texts {
        if let Err(error) = Date::parse(&text) {
            assert!(error.to_string().len() < 500, "the text is cut in the message");
        }
        let _ = Date::parse_spoken(&text, TODAY);
    }
}
