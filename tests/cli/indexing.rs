//! The indexes of a store: made by the first question that it serves, never trusted, made anew when it does not fit.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::sandbox::Sandbox;

const ASKED: &[&str] = &["history", "town7.level"];

/// A store with more records than are read from the log itself.
fn store(title: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.ok(&["init"]);
    let mut lines = String::new();
    for number in 0..3000 {
        let (town, day) = (number % 100, number % 28 + 1);
        let _ = writeln!(
            lines,
            r#"{{"id":"e{number}","date":"20{:02}-05-{day:02}","title":"{title}","effects":[{{"op":"set","entity":"town{town}","attribute":"level","value":{number}}}]}}"#,
            number / 100,
        );
    }
    sandbox.write("events.jsonl", &lines);
    sandbox.ok(&["import", "events.jsonl"]);
    sandbox
}

fn runs(sandbox: &Sandbox) -> Vec<PathBuf> {
    let dir = sandbox.path(".annals/index");
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut runs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    runs.retain(|path| path.extension().is_some_and(|end| end == "run"));
    runs.sort();
    runs
}

#[test]
fn the_first_question_makes_the_index_and_the_next_ones_use_it() {
    let sandbox = store("t");
    assert!(runs(&sandbox).is_empty(), "nobody asked yet");
    let first = sandbox.ok(ASKED);
    assert_eq!(first.lines().count(), 33, "{first}");
    let made = runs(&sandbox);
    assert_eq!(made.len(), 1);
    let written = fs::metadata(&made[0]).unwrap().modified().unwrap();
    assert_eq!(sandbox.ok(ASKED), first);
    assert_eq!(fs::metadata(&made[0]).unwrap().modified().unwrap(), written);
    sandbox.ok(&["append", "--id", "new", "--date", "2077", "--title", "t", "--set", "town7.level=1"]);
    sandbox.ok(&["retract", "e7", "--reason", "wrong"]);
    let later = sandbox.ok(ASKED);
    assert!(later.contains("new") && !later.contains("e7 "), "{later}");
    assert_eq!(sandbox.ok(&["history", "town7.level", "--known-at", "@3000"]), first);
}

#[test]
fn a_damaged_index_is_noticed_and_made_anew_and_the_answer_is_the_same() {
    let sandbox = store("t");
    let answer = sandbox.ok(ASKED);
    let manifest = sandbox.path(".annals/index/manifest");
    let flip = |path: &PathBuf| {
        let mut bytes = fs::read(path).unwrap();
        // In every block: a question notices what it reads.
        bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x40);
        fs::write(path, bytes).unwrap();
    };
    let cut = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() - 9]).unwrap();
    };
    let remove = |path: &PathBuf| fs::remove_file(path).unwrap();
    let run = || runs(&sandbox).remove(0);
    let damages: [&dyn Fn(); 6] = [
        &|| flip(&run()),
        &|| cut(&run()),
        &|| remove(&run()),
        &|| flip(&manifest),
        &|| cut(&manifest),
        &|| remove(&manifest),
    ];
    for (number, damage) in damages.iter().enumerate() {
        damage();
        let done = sandbox.run(ASKED);
        assert_eq!((done.stdout.as_str(), done.code), (answer.as_str(), 0), "damage {number}");
        assert_eq!(done.stderr.lines().count(), 1, "damage {number}: {}", done.stderr);
        assert!(done.stderr.contains("the index was left aside or made anew"), "{}", done.stderr);
        let done = sandbox.run(ASKED);
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), (answer.as_str(), ""), "damage {number}");
    }
}

#[test]
fn the_index_of_another_store_is_not_believed() {
    let (sandbox, other) = (store("t"), store("another"));
    let answer = sandbox.ok(ASKED);
    other.ok(ASKED);
    for name in ["manifest", "0.run"] {
        fs::copy(other.path(".annals/index").join(name), sandbox.path(".annals/index").join(name)).unwrap();
    }
    let done = sandbox.run(ASKED);
    assert_eq!(done.stdout, answer);
    assert!(done.stderr.contains("it is of another log"), "{}", done.stderr);
}

const LISTED: &[&str] = &["list", "--from", "2007-05-03", "--to", "2007-05-05", "--kind", "B"];

/// A store whose events have kinds, and do something long in their middle.
fn dated() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.ok(&["init"]);
    let mut lines = String::new();
    for number in 0..3000 {
        let (kind, day) = (["a", "b"][number % 2], number % 28 + 1);
        let _ = writeln!(
            lines,
            r#"{{"id":"e{number}","date":"20{:02}-05-{day:02}","title":"t","kind":"{kind}"}}"#,
            number / 100
        );
    }
    lines.push_str(r#"{"id":"long","date":"2007/2009","title":"long","kind":"b"}"#);
    sandbox.write("events.jsonl", &lines);
    sandbox.ok(&["import", "events.jsonl"]);
    sandbox
}

#[test]
fn an_import_makes_the_index_of_dates_and_lists_use_it() {
    let sandbox = dated();
    let run = sandbox.path(".annals/dates/0.run");
    let written = fs::metadata(&run).unwrap().modified().unwrap();
    let first = sandbox.ok(LISTED);
    assert_eq!(first.lines().count(), 6, "{first}");
    assert!(first.lines().nth(1).unwrap().contains("long"), "{first}");
    sandbox.ok(&["append", "--id", "new", "--date", "2007-05-04", "--title", "t", "--kind", "b"]);
    sandbox.ok(&["retract", "long", "--reason", "wrong"]);
    let later = sandbox.ok(LISTED);
    assert!(later.contains("new") && !later.contains("long"), "{later}");
    assert_eq!(sandbox.ok(&[LISTED, &["--known-at", "@3001"]].concat()), first);
    let limited = sandbox.ok(&[LISTED, &["--limit", "2"]].concat());
    assert_eq!(
        limited.lines().skip(1).collect::<Vec<_>>(),
        later.lines().skip(1).take(2).collect::<Vec<_>>()
    );
    assert_eq!(fs::metadata(&run).unwrap().modified().unwrap(), written);
    assert!(sandbox.ok(&["stats"]).contains("3,002"));
}

#[test]
fn a_damaged_index_of_dates_is_noticed_and_made_anew_and_the_answer_is_the_same() {
    let sandbox = dated();
    let answer = sandbox.ok(LISTED);
    let (run, manifest) = (sandbox.path(".annals/dates/0.run"), sandbox.path(".annals/dates/manifest"));
    for (number, path) in [&run, &manifest].into_iter().cycle().take(6).enumerate() {
        let mut bytes = fs::read(path).unwrap();
        match number / 2 {
            0 => fs::remove_file(path).unwrap(),
            1 => fs::write(path, &bytes[..bytes.len() - 9]).unwrap(),
            _ => {
                bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x40);
                fs::write(path, bytes).unwrap();
            }
        }
        let done = sandbox.run(LISTED);
        assert_eq!((done.stdout.as_str(), done.code), (answer.as_str(), 0), "damage {number}");
        let notes: Vec<&str> = done.stderr.lines().filter(|line| line.contains("index of dates")).collect();
        assert_eq!(notes.len(), 1, "damage {number}: {}", done.stderr);
        let done = sandbox.run(LISTED);
        assert!(done.stdout == answer && !done.stderr.contains("index of dates"), "damage {number}");
    }
}

#[test]
fn the_last_records_are_those_at_the_end_of_the_log() {
    let sandbox = dated();
    let all = sandbox.ok(&["log", "--format", "jsonl"]);
    let last = |args: &[&str]| sandbox.ok(&[&["log", "--format", "jsonl"], args].concat());
    let of =
        |from: usize, to: usize| all.lines().skip(from).take(to - from).collect::<Vec<_>>().join("\n") + "\n";
    assert_eq!(last(&["--last", "300"]), of(2701, 3001));
    assert_eq!(last(&["--last", "3", "--known-at", "@513"]), of(510, 513));
    assert_eq!(last(&["--last", "9000"]), all);
    assert_eq!(last(&["--last", "0"]), "");
}
