//! One bit flipped, or the end cut off: in every file of a store and of a backup.
//!
//! Whatever comes of it, nothing panics or hangs, and an answer that is another or a shorter one has the exit code 4. What is
//! derived from the log (`tail`, the indexes) or says nothing of it (`lock`) may be lost without harm. The counts, over all
//! files and half of them for the log itself, are `ANNALS_FLIPS` and `ANNALS_TRUNCATIONS`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::disk::Dice;
use crate::sandbox::{Done, Sandbox, copy_directory};

/// How long a command may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// What is asked, of a store and of a backup.
const OF_STORE: &[&[&str]] = &[
    &["export", "--to", "jsonl", "--records"],
    &["--timeline", "haiti", "--format", "json", "replay", "--as-of", "2018"],
    &["--timeline", "haiti", "snapshot", "show", "kept"],
    &["attachment", "get", "e31a58ad"],
    // With the index of claims, with that of dates, and with both.
    &["history", "x1"],
    &["list", "--from", "2003", "--text", "event 22"],
    &["--format", "json", "replay", "--as-of", "2006"],
    &["verify"],
];
const OF_BACKUP: &[&[&str]] = &[&["verify", "store"]];

/// A directory that is damaged again and again, as it was.
struct Target {
    sandbox: Sandbox,
    intact: PathBuf,
    questions: &'static [&'static [&'static str]],
    answers: Vec<String>,
}

/// What damage to a file came to.
#[derive(Default)]
struct Tally {
    noticed: usize,
    harmless: usize,
}

/// The files below a directory, by their names in it.
fn files(directory: &Path, under: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory.join(under)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = if under.is_empty() { name } else { format!("{under}/{name}") };
        if directory.join(&name).is_dir() {
            files(directory, &name, found);
        } else {
            found.push(name);
        }
    }
    found.sort();
}

/// Runs a command that has to end in time.
fn ended(sandbox: &Sandbox, args: &[&str]) -> Done {
    let mut command = sandbox.command(args);
    let (out, err) = (sandbox.path("out"), sandbox.path("err"));
    command.stdin(Stdio::null());
    command.stdout(fs::File::create(&out).unwrap()).stderr(fs::File::create(&err).unwrap());
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > DEADLINE => {
                child.kill().unwrap();
                panic!("{args:?} hangs");
            }
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let told = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    Done { stdout: told(&out), stderr: told(&err), code: status.code().unwrap_or(-1) }
}

impl Target {
    /// A store with something of everything.
    fn store() -> Self {
        let sandbox = Sandbox::new();
        sandbox.ok(&["demo", "store"]);
        let more: Vec<_> = (0..2300)
            .map(|n| {
                let effect = format!(r#"{{"op":"set","entity":"x{}","attribute":"y","value":{n}}}"#, n % 7);
                format!(r#"{{"id":"e{n}","title":"Event {n}","date":"2004","effects":[{effect}]}}"#)
            })
            .collect();
        sandbox.write("more.jsonl", &more.join("\n"));
        sandbox.write("report.pdf", "The report, as it was.\n");
        // What does not compress and is larger than a page, which sled puts into a file of its own.
        let mut dice = Dice(7);
        let text: String =
            (0..150_000).map(|_| char::from(b'a' + u8::try_from(dice.below(26)).unwrap())).collect();
        sandbox.write("large.jsonl", &format!(r#"{{"id":"large","title":"Large","description":"{text}"}}"#));
        for args in [
            &["import", "more.jsonl"][..],
            &["append", "large.jsonl"],
            &[
                "append",
                "--id",
                "gone",
                "--title",
                "A name that goes",
                "--date",
                "2004",
                "--set",
                "x1.name=gone",
            ],
            &["redact", "gone", "--reason", "asked for"],
            &["append", "--id", "a", "--title", "With a copy", "--attach", "report.pdf"],
            &["--timeline", "haiti", "snapshot", "save", "kept", "--as-of", "2018"],
            &["revise", "e3", "--title", "Otherwise"],
            // The indexes, where questions make them.
            &["history", "x1"],
            &["list", "--from", "2003"],
        ] {
            sandbox.ok(&[&["--store", "store"], args].concat());
        }
        Self::of(sandbox, OF_STORE)
    }

    /// A backup of it.
    fn backup() -> Self {
        let Self { sandbox, intact, .. } = Self::store();
        fs::remove_dir_all(intact).unwrap();
        sandbox.ok(&["--store", "store", "backup", "safe"]);
        fs::remove_dir_all(sandbox.path("store")).unwrap();
        fs::rename(sandbox.path("safe"), sandbox.path("store")).unwrap();
        Self::of(sandbox, OF_BACKUP)
    }

    fn of(sandbox: Sandbox, questions: &'static [&'static [&'static str]]) -> Self {
        let intact = sandbox.path("intact");
        copy_directory(&sandbox.path("store"), &intact);
        let mut target = Self { sandbox, intact, questions, answers: Vec::new() };
        let answers = questions.iter().map(|question| {
            let done = target.ask(question);
            assert_eq!(done.code, 0, "{question:?}: {}", done.stderr);
            done.stdout
        });
        target.answers = answers.collect();
        target
    }

    fn ask(&self, question: &[&str]) -> Done {
        ended(&self.sandbox, &[&["--store", "store", "--lock-wait", "1"], question].concat())
    }

    /// Asks everything of a directory in which one file is damaged.
    fn check(&self, name: &str, bytes: &[u8], what: &str, tally: &mut Tally) {
        let store = self.sandbox.path("store");
        fs::remove_dir_all(&store).unwrap();
        copy_directory(&self.intact, &store);
        fs::write(store.join(name), bytes).unwrap();
        let mut is_noticed = false;
        for (question, answer) in self.questions.iter().zip(&self.answers) {
            let done = self.ask(question);
            let what = format!("{name}, {what}, {question:?}: exit {}: {}", done.code, done.stderr);
            assert!(!done.stderr.contains("panicked"), "{what}");
            match done.code {
                0 => assert!(done.stdout == *answer, "{what}: another answer: {}", done.stdout),
                4 => is_noticed = true,
                // A format that is unknown is no damage: a later version may have made it.
                1 if name == "format" || name == "backup" => is_noticed = true,
                _ => panic!("{what}"),
            }
        }
        let is_derived =
            ["lock", "tail"].contains(&name) || name.starts_with("index/") || name.starts_with("dates/");
        assert!(!(is_derived && is_noticed), "{name}, {what}: derived data is no damage");
        tally.noticed += usize::from(is_noticed);
        tally.harmless += usize::from(!is_noticed);
    }

    /// Damages every file, so many times in all, and each at least twice.
    fn attack(&self, count: usize, how: &str, damage: impl Fn(&mut Vec<u8>, usize, &mut Dice) -> String) {
        let mut names = Vec::new();
        files(&self.intact, "", &mut names);
        let mut dice = Dice(0x000F_11B5);
        for name in &names {
            let whole = fs::read(self.intact.join(name)).unwrap();
            // What sled has allocated and not used says nothing.
            let used = whole.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if used == 0 {
                continue;
            }
            // Half of all of it goes where the log is.
            let extra = if ["sled/db", "log/1-1.frames"].contains(&name.as_str()) { count / 2 } else { 0 };
            let share = (count / 2 / names.len()).max(2) + extra;
            let mut tally = Tally::default();
            for _ in 0..share {
                let mut bytes = whole.clone();
                let what = damage(&mut bytes, used, &mut dice);
                self.check(name, &bytes, &what, &mut tally);
            }
            println!("{how}, {name}: {} noticed, {} harmless", tally.noticed, tally.harmless);
        }
    }

    fn flips(&self) {
        self.attack(counted("ANNALS_FLIPS", 24), "flips", |bytes, used, dice| {
            let (byte, bit) = (dice.below(used), dice.below(8));
            bytes[byte] ^= 1 << bit;
            format!("bit {bit} of byte {byte} of {used} flipped")
        });
    }

    fn truncations(&self) {
        self.attack(counted("ANNALS_TRUNCATIONS", 24), "truncations", |bytes, used, dice| {
            let length = dice.below(used);
            bytes.truncate(length);
            format!("cut to {length} of {used} bytes")
        });
    }
}

fn counted(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_flipped_bit_anywhere_in_a_store_is_noticed_or_does_no_harm() {
    Target::store().flips();
}

#[test]
fn a_file_of_a_store_that_is_cut_is_noticed_or_does_no_harm() {
    Target::store().truncations();
}

#[test]
fn a_flipped_bit_anywhere_in_a_backup_is_noticed() {
    Target::backup().flips();
}

#[test]
fn a_file_of_a_backup_that_is_cut_is_noticed() {
    Target::backup().truncations();
}

#[test]
fn a_flipped_bit_in_the_settings_of_sled_is_noticed_or_does_no_harm() {
    let sandbox = Sandbox::with_haiti();
    let file = sandbox.path(".annals/sled/conf");
    let whole = fs::read(&file).unwrap();
    for byte in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[byte] ^= 0x80;
        fs::write(&file, &bytes).unwrap();
        let done = ended(&sandbox, &["--timeline", "haiti", "list"]);
        assert!([0, 4].contains(&done.code), "byte {byte}: exit {}: {}", done.code, done.stderr);
    }
    fs::write(&file, &whole).unwrap();
    sandbox.ok(&["verify"]);
}
