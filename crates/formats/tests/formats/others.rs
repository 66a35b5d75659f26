//! Through the formats of other programs and back: an event comes back as it was, or its loss is in the report.

use annals_formats::{ExportOptions, Format, ImportFormat, ImportOptions};
use annals_model::Event;
use proptest::prelude::*;

use crate::arbitrary;
use crate::sample::{awkward, endless, exported, imported, outcomes};

/// Random cases of each property.
pub fn cases() -> u32 {
    std::env::var("ANNALS_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(100)
}

const BOTH_WAYS: [(Format, ImportFormat); 4] = [
    (Format::Ics, ImportFormat::Ics),
    (Format::TimelineJs, ImportFormat::TimelineJs),
    (Format::Markwhen, ImportFormat::Markwhen),
    (Format::Timesketch, ImportFormat::Timesketch),
];

/// The kinds of loss after which an event is not in the file; all others are about how the target draws it.
pub const LEFT_OUT: [&str; 3] = ["undated", "boundless", "far"];

/// Whether the report says of an event that it is not in the file.
fn is_left_out(format: Format, event: &Event) -> bool {
    let (_, lost) = exported(format, std::slice::from_ref(event), ExportOptions::default());
    lost.iter().any(|(kind, count, _)| LEFT_OUT.contains(&kind) && count == 1)
}

fn check(event: &Event) {
    for (format, back) in BOTH_WAYS {
        let events = std::slice::from_ref(event);
        let (text, lost) = exported(format, events, ExportOptions::default());
        let expect: &[Event] = if is_left_out(format, event) { &[] } else { events };
        assert_eq!(imported(back, &text, ImportOptions::default()), expect, "{format}\n{lost}\n{text}");
    }
}

#[test]
fn the_awkward_events_come_back_or_are_counted() {
    for event in awkward().into_iter().chain([endless()]) {
        check(&event);
    }
}

#[test]
fn what_another_program_changed_is_read_and_the_rest_is_kept() {
    let events = awkward();
    let event = events.iter().find(|event| event.id.as_str() == "circa").unwrap();
    let change = |format: Format, back: ImportFormat, from: &str, to: &str| {
        let (text, _) = exported(format, std::slice::from_ref(event), ExportOptions::default());
        assert!(text.contains(from), "{text}");
        imported(back, &text.replacen(from, to, 1), ImportOptions::default()).remove(0)
    };
    let renamed = Event { title: "Cholera comes".into(), ..event.clone() };
    let (old, new) = ("Cholera reaches Haiti", "Cholera comes");
    assert_eq!(change(Format::TimelineJs, ImportFormat::TimelineJs, old, new), renamed);
    assert_eq!(change(Format::Timesketch, ImportFormat::Timesketch, old, new), renamed);
    // Where the words of the date stand in the title, they go with it when they are left alone.
    let renamed = Event { title: "Cholera comes — 2010 (circa)".into(), ..event.clone() };
    assert_eq!(change(Format::Ics, ImportFormat::Ics, old, new).title, new);
    assert_eq!(
        change(Format::Markwhen, ImportFormat::Markwhen, " — 2010 (circa)", "!").title,
        format!("{old}!")
    );
    assert_ne!(renamed.title, new);
    let moved =
        change(Format::Ics, ImportFormat::Ics, "DTEND;VALUE=DATE:20110101", "DTEND;VALUE=DATE:20100201");
    assert_eq!(moved.date.unwrap().as_str(), "2010-01-01/2010-01-31");
    let moved = change(Format::Markwhen, ImportFormat::Markwhen, "\n2010: ", "\n2011: ");
    assert_eq!(moved.date.unwrap().as_str(), "2011");
    assert_eq!((moved.effects, moved.extra), (event.effects.clone(), event.extra.clone()));
}

/// The lines of a file, each at some time left out, doubled, cut or swapped with the next.
pub fn broken(text: &str, seed: u64) -> String {
    let mut random = seed;
    let mut next = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % limit
    };
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..3 {
        if lines.is_empty() {
            break;
        }
        let at = next(lines.len());
        match next(4) {
            0 => {
                lines.remove(at);
            }
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let cut = next(lines[at].chars().count() + 1);
                lines[at] = lines[at].chars().take(cut).collect();
            }
            _ => {
                let other = next(lines.len());
                lines.swap(at, other);
            }
        }
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_event_comes_back_or_is_counted(event in arbitrary::event()) {
        check(&event);
    }

    #[test]
    fn several_events_stand_in_one_file(events in proptest::collection::vec(arbitrary::event(), 2..5)) {
        let mut events = events;
        for (number, event) in events.iter_mut().enumerate() {
            event.id = annals_model::EventId::new(format!("e{number}")).unwrap();
        }
        for (format, back) in BOTH_WAYS {
            let (text, lost) = exported(format, &events, ExportOptions::default());
            let left_out: u64 = lost.iter().filter(|(kind, _, _)| LEFT_OUT.contains(kind)).map(|(_, count, _)| count).sum();
            let expect: Vec<Event> = events.iter().filter(|event| !is_left_out(format, event)).cloned().collect();
            prop_assert_eq!(expect.len() as u64 + left_out, events.len() as u64);
            prop_assert_eq!(imported(back, &text, ImportOptions::default()), expect, "{}", text);
        }
    }

    #[test]
    fn a_broken_file_is_no_panic(events in proptest::collection::vec(arbitrary::event(), 1..4), seed in any::<u64>()) {
        for (format, back) in BOTH_WAYS {
            let (text, _) = exported(format, &events, ExportOptions::default());
            outcomes(back, broken(&text, seed).as_bytes(), ImportOptions::default());
        }
    }

    #[test]
    fn noise_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in arbitrary::text()) {
        for (_, back) in BOTH_WAYS {
            outcomes(back, &bytes, ImportOptions::default());
            outcomes(back, text.as_bytes(), ImportOptions::default());
            let calendar = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:{text}\r\nSUMMARY:{text}\r\nEND:VEVENT\r\n");
            outcomes(back, calendar.as_bytes(), ImportOptions::default());
        }
    }
}
