//! Documents, calendars, slides, diagrams and rows, read by the programs that they are for. Each script gets an export and what
//! Annals itself says of the same events, and compares them day for day.

use serde_json::{Value, json};

use crate::programs::{node, python};
use crate::sandbox::{Sandbox, repository};
use crate::tables::awkward;

/// The events of a timeline as Annals lists them, with the bounds of their dates, in a file.
fn truth(sandbox: &Sandbox, timeline: &str) -> String {
    let listed = sandbox.json(&["--timeline", timeline, "list"]);
    let mut events: Vec<Value> = listed.as_array().unwrap().clone();
    let dates: Vec<&str> = events.iter().filter_map(|event| event["date"].as_str()).collect();
    let explained = sandbox.ok_with(&["--format", "json", "date", "-"], &dates.join("\n"));
    let mut bounds = explained.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for event in &mut events {
        if event.get("date").is_some() {
            let bounds = bounds.next().unwrap();
            assert_eq!(bounds["edtf"], event["date"]);
            event["bounds"] = json!({"start": bounds["start"], "end": bounds["end"]});
        }
    }
    sandbox.write("truth.json", &serde_json::to_string(&events).unwrap());
    sandbox.path("truth.json").to_str().unwrap().to_owned()
}

fn exported(sandbox: &Sandbox, timeline: &str, format: &str, name: &str) -> String {
    sandbox.ok(&["--timeline", timeline, "export", "--to", format, "-o", name]);
    sandbox.path(name).to_str().unwrap().to_owned()
}

/// Titles that some target would take for more than a title; each is the first line of the text, too.
fn hostile_titles() -> Vec<String> {
    let file = repository("tests/fixtures/hostile/titles.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A store with an event for each hostile title and one with a title as long as a title may be.
pub fn hostile() -> Sandbox {
    let sandbox = Sandbox::with_store();
    let mut lines = String::new();
    let long = "long ".repeat(1999) + "title";
    for (number, title) in hostile_titles().iter().chain([&long]).enumerate() {
        let description = format!("{title}\n\n{title}\n{title}");
        let label: String = title.chars().filter(|c| !c.is_control()).take(99).collect();
        let event = json!({
            "id": format!("e{number}"), "title": title, "date": format!("2023-{:02}-{:02}", 1 + number / 28, 1 + number % 28),
            "description": description, "kind": label, "tags": [label],
        });
        lines += &(event.to_string() + "\n");
    }
    sandbox.write("hostile.jsonl", &lines);
    sandbox.ok(&["import", "hostile.jsonl"]);
    sandbox
}

/// A way to run a script with arguments.
type Run = fn(&str, &[&str]) -> Option<String>;

/// Runs a script on an export of the awkward events, on one of the demo and on one of hostile events, and compares what
/// it tells.
fn check(run: Run, script: &str, format: &str, name: &str, expect: [&str; 3]) {
    let stores = [(awkward(), "main"), (Sandbox::with_haiti(), "haiti"), (hostile(), "main")];
    for ((sandbox, timeline), expect) in stores.into_iter().zip(expect) {
        let truth = truth(&sandbox, timeline);
        let file = exported(&sandbox, timeline, format, name);
        let Some(told) = run(script, &[&file, &truth]) else { return };
        assert_eq!(told.trim_end(), expect, "{format}, {timeline}");
    }
}

#[test]
fn timelinejs_shows_every_slide_on_its_day() {
    check(
        node,
        "timelinejs",
        "timelinejs",
        "out.json",
        [
            "19 slides, 19 on their days, 19 with their words, 1 left out, 0 ends dropped, scale cosmological, 0 complaints",
            "18 slides, 18 on their days, 18 with their words, 1 left out, 0 ends dropped, scale human, 0 complaints",
            "41 slides, 41 on their days, 41 with their words, 0 left out, 0 ends dropped, scale human, 0 complaints",
        ],
    );
}

#[test]
fn markdown_it_reads_every_event_and_no_markup_of_others() {
    check(
        node,
        "markdown",
        "markdown",
        "out.md",
        [
            "20 events, 20 with their dates and titles, 20 with their texts, 0 complaints",
            "19 events, 19 with their dates and titles, 19 with their texts, 0 complaints",
            "41 events, 41 with their dates and titles, 41 with their texts, 0 complaints",
        ],
    );
}

#[test]
fn a_browser_shows_every_title_and_no_title_does_anything() {
    check(
        node,
        "html_titles",
        "html",
        "out.html",
        [
            "20 events, 20 with their titles, 0 complaints",
            "19 events, 19 with their titles, 0 complaints",
            "41 events, 41 with their titles, 0 complaints",
        ],
    );
}

#[test]
fn mermaid_draws_every_event() {
    check(
        node,
        "mermaid",
        "mermaid",
        "out.mmd",
        [
            "20 events drawn, 20 with their titles, 0 complaints",
            "19 events drawn, 19 with their titles, 0 complaints",
            "41 events drawn, 41 with their titles, 0 complaints",
        ],
    );
}

#[test]
fn markwhen_reads_every_event_on_its_day() {
    check(
        node,
        "markwhen",
        "markwhen",
        "out.mw",
        [
            "18 events, 17 on their days, 1 in its year, 18 with their titles, 2 left out, 0 complaints",
            "18 events, 18 on their days, 0 in its year, 18 with their titles, 1 left out, 0 complaints",
            "41 events, 41 on their days, 0 in its year, 41 with their titles, 0 left out, 0 complaints",
        ],
    );
}

#[test]
fn icalendar_reads_every_entry_on_its_day() {
    check(
        python,
        "calendar_entries",
        "ics",
        "out.ics",
        [
            "17 entries, 17 on their days, 17 with their titles, 3 left out, longest line 75",
            "18 entries, 18 on their days, 18 with their titles, 1 left out, longest line 75",
            "41 entries, 41 on their days, 41 with their titles, 0 left out, longest line 75",
        ],
    );
}

#[test]
fn ical_js_takes_every_value_and_reads_every_entry_on_its_day() {
    check(
        node,
        "calendar_strict",
        "ics",
        "out.ics",
        [
            "17 entries, 17 on their days, 17 with their titles, 3 left out, 0 complaints",
            "18 entries, 18 on their days, 18 with their titles, 1 left out, 0 complaints",
            "41 entries, 41 on their days, 41 with their titles, 0 left out, 0 complaints",
        ],
    );
}

#[test]
fn timesketch_takes_every_row() {
    check(
        python,
        "sketch_rows",
        "timesketch",
        "out.jsonl",
        [
            "37 rows of 17 events, all bounds as Annals has them, 3 left out",
            "25 rows of 18 events, all bounds as Annals has them, 1 left out",
            "82 rows of 41 events, all bounds as Annals has them, 0 left out",
        ],
    );
}

/// A calendar that another program read and wrote again is the same events.
#[test]
fn a_calendar_comes_back_from_icalendar() {
    let sandbox = awkward();
    let file = exported(&sandbox, "main", "ics", "out.ics");
    let again = sandbox.path("again.ics");
    let Some(_) = python("calendar_again", &[&file, again.to_str().unwrap()]) else { return };
    let other = Sandbox::with_store();
    other.ok(&["import", again.to_str().unwrap()]);
    let list = |sandbox: &Sandbox| sandbox.json(&["list"]).as_array().unwrap().clone();
    let known = list(&sandbox);
    let found = list(&other);
    assert_eq!(found.len(), 17);
    assert!(found.iter().all(|event| known.contains(event)), "{found:#?}");
}

/// Random dates of every kind, some of which do not exist.
fn random_dates(count: usize) -> Vec<String> {
    let mut state = 7_u64;
    let mut next = |limit: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 33).unwrap() % limit
    };
    let mut point = |kinds: i64| {
        let year = match next(5) {
            0 => next(240) - 120,
            1 => next(19_999) - 9_999,
            _ => 1_000 + next(1_100),
        };
        let year = if year < 0 { format!("-{:04}", -year) } else { format!("{year:04}") };
        let zone = ["", "Z", "+05:30", "-11:00", "+14:00"][usize::try_from(next(5)).unwrap()];
        match next(kinds) {
            0 => year,
            1 => format!("{year}-{:02}", 1 + next(12)),
            2 => format!("{year}-{:02}", 21 + next(21)),
            3 | 4 => format!("{year}-{:02}-{:02}", 1 + next(12), 1 + next(31)),
            _ => format!(
                "{year}-{:02}-{:02}T{:02}:{:02}:59{zone}",
                1 + next(12),
                1 + next(31),
                next(24),
                next(60)
            ),
        }
    };
    let date = |number: usize| {
        let (a, b) = (point(6), point(5));
        let a = a + ["", "", "?", "~", "%"][number % 5];
        match number % 11 {
            0 => format!("{a}/{b}"),
            1 => format!("{a}/.."),
            2 => format!("../{a}"),
            3 => format!("{a}/"),
            4 => format!("/{a}"),
            5 => format!("[{a},{b}]"),
            6 => format!("{{{a},{b}}}"),
            7 => format!("[{a}..{b}]"),
            _ => a,
        }
    };
    (0..count).map(date).collect()
}

/// However vague a date is, no program draws it on other days than those that it names.
#[test]
fn no_random_date_moves_a_day() {
    let count = std::env::var("ANNALS_TEST_RANDOM_DATES").map_or(300, |count| count.parse().unwrap());
    let sandbox = Sandbox::with_store();
    let line = |(number, date): (usize, &String)| {
        json!({"id": format!("r{number}"), "title": format!("Event {number}"), "date": date}).to_string()
            + "\n"
    };
    sandbox.write("random.jsonl", &random_dates(count).iter().enumerate().map(line).collect::<String>());
    sandbox.ok(&["import", "random.jsonl", "--skip-bad", "bad.jsonl"]);
    let truth = truth(&sandbox, "main");
    let programs: [(Run, &str, &str); 5] = [
        (node, "timelinejs", "timelinejs"),
        (node, "markwhen", "markwhen"),
        (node, "calendar_strict", "ics"),
        (python, "calendar_entries", "ics"),
        (python, "sketch_rows", "timesketch"),
    ];
    for (run, script, format) in programs {
        let file = exported(&sandbox, "main", format, "out");
        let Some(told) = run(script, &[&file, &truth]) else { return };
        let number = |of: &str| {
            let part = told.split(", ").find(|part| part.contains(of))?;
            part.split(' ').next()?.parse::<usize>().ok()
        };
        if script == "sketch_rows" {
            // The script itself holds every row against the bounds.
            assert!(told.contains("all bounds as Annals has them"), "{told}");
            continue;
        }
        let all: usize = told.split(' ').next().unwrap().parse().unwrap();
        let (days, years) = (number(" on their days").unwrap(), number(" in its year").unwrap_or(0));
        assert!(all > count / 3 && days > count / 3, "{script}: {told}");
        assert_eq!(days + years, all, "{script}: {told}");
        if let Some(dropped) = number(" ends dropped") {
            let report = sandbox.run(&["export", "--to", format, "-o", "out"]).stderr;
            let mut counts = report.lines().filter(|line| line.contains(" within the year or month that "));
            let reported = counts.next().map_or(0, |line| line.split(' ').next().unwrap().parse().unwrap());
            assert_eq!(reported, dropped, "{report}");
        }
    }
}

/// What Markwhen takes for an event our importer takes for one, too, on the same day, or refuses with its line; it never
/// vanishes in the text of the event above.
#[test]
fn no_event_of_markwhen_is_taken_for_text() {
    let file = repository("tests/fixtures/markwhen/dates.txt");
    let Some(told) = node("markwhen_dates", &[file.to_str().unwrap()]) else { return };
    let told: Vec<Value> = serde_json::from_str(&told).unwrap();
    let begins = std::fs::read_to_string(&file).unwrap();
    let entry = |(number, line)| format!("2001: Before {number}\n\n{line}: Number {number}\n\n");
    let sandbox = Sandbox::with_store();
    let text = begins.lines().enumerate().map(entry).collect::<String>();
    sandbox.write("all.mw", &format!("---\ntimezone: UTC\n---\n\n{text}"));
    sandbox.ok(&["import", "all.mw", "--skip-bad", "bad.mw"]);
    let refused = std::fs::read_to_string(sandbox.path("bad.mw")).unwrap();
    let events: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(truth(&sandbox, "main")).unwrap()).unwrap();
    let (mut same, mut put_aside) = (0, 0);
    for (number, (line, told)) in begins.lines().zip(&told).enumerate() {
        let Some(day) = told.as_str() else { continue };
        let title = format!("Number {number}");
        if refused.lines().any(|line| line.ends_with(&title)) {
            put_aside += 1;
            continue;
        }
        let event = events.iter().find(|event| event["title"].as_str().unwrap().ends_with(&title));
        let event = event.unwrap_or_else(|| panic!("`{line}` is an event of Markwhen on {day} and vanished"));
        if day == "the present" {
            continue;
        }
        let earliest = event["bounds"]["start"]["earliest"].as_str().unwrap();
        assert_eq!(year_and_day(earliest.split('T').next().unwrap()), year_and_day(day), "{line}");
        same += 1;
    }
    assert!(same > 50 && put_aside > 50, "{same} read, {put_aside} refused");
}

/// The year as a number and the rest of a day: programs write long and early years with more digits or fewer.
fn year_and_day(day: &str) -> (i64, &str) {
    let (year, rest) = day.split_at(day.len() - "-01-01".len());
    (year.trim_start_matches(['Y', '+']).parse().unwrap(), rest)
}
