//! Dates, as files carry them and as people say them.

use annals_model::{Date, Day};

const TODAY: Day = Day { year: 2026, month: 3, day: 1 };

/// EDTF: what is read is written as it is read again, and its bounds are in order.
pub fn date(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Date::parse(text) {
        Ok(date) => holds(&date),
        // What is refused can be told to somebody.
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Words: what was understood is EDTF, and is understood as itself.
pub fn spoken(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(date) = Date::parse_spoken(text, TODAY) {
        holds(&date);
        let again = Date::parse_spoken(date.as_str(), TODAY).unwrap();
        assert_eq!(again.as_str(), date.as_str(), "{text:?}");
    }
}

fn holds(date: &Date) {
    let again = Date::parse(date.as_str()).unwrap_or_else(|error| panic!("{date}: {error}"));
    assert_eq!((again.as_str(), again.happenings()), (date.as_str(), date.happenings()));
    assert!(!date.happenings().is_empty());
    for span in date.happenings().iter().chain([&date.span()]) {
        assert!(span.start.earliest <= span.start.latest, "{date}: {span:?}");
        assert!(span.end.earliest <= span.end.latest, "{date}: {span:?}");
        assert!(span.start.earliest <= span.end.latest, "{date}: {span:?}");
    }
    assert!(!date.explain().is_empty() && !date.words().is_empty());
    let _ = date.edges();
}
