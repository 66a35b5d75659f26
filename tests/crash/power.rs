//! The power goes at any moment: what was acknowledged is there, byte for byte, and nothing is damaged.
//!
//! A session of the real binary is recorded once. Then it is cut at random moments: the files are built as a disk may
//! have them, the real binary opens them, and its log is held against the ledger. The count is `ANNALS_CUTS`.

use std::path::Path;

use crate::disk::{Dice, Disk, Fate};
use crate::sandbox::{Sandbox, has};
use crate::trace::{Call, record};

/// The directory whose files are looked at, and the store in it.
const ROOM: &str = "room";
const STORE: &str = "room/.annals";

/// A session, and where in it which record was acknowledged.
struct Session {
    sandbox: Sandbox,
    /// The calls of each command.
    commands: Vec<Vec<Call>>,
    /// The log as it is in the end, a record a line.
    log: Vec<String>,
}

fn event(number: usize) -> String {
    format!(
        r#"{{"id":"e{number}","title":"Event {number}","date":"2004","description":"{}"}}"#,
        "so it was said ".repeat(1 + number % 40)
    )
}

impl Session {
    fn record(commands: &[(&[&str], String)]) -> Self {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.path(ROOM)).unwrap();
        let mut recorded = Vec::new();
        for (index, (args, input)) in commands.iter().enumerate() {
            sandbox.write("input.jsonl", input);
            let trace = sandbox.path(&format!("trace-{index}"));
            let args = [&["--store", STORE], *args].concat();
            recorded.push(record(&sandbox.command(&args), &trace));
            std::fs::remove_file(trace).unwrap();
        }
        let log = log_of(&sandbox, &sandbox.path(STORE));
        Self { sandbox, commands: recorded, log }
    }

    /// Cuts the session behind so many calls, and says what is wrong with what is left.
    fn cut(&self, mut disk: Disk, calls: usize, fate: Fate, dice: &mut Dice) -> Result<(), String> {
        let (mut rest, mut acknowledged, mut is_made) = (calls, 0, false);
        for command in &self.commands {
            disk.process();
            for call in command.iter().take(rest) {
                disk.apply(call);
                if let Call::Told { text } = call {
                    is_made |= text.contains("made an empty store");
                    acknowledged = acknowledged.max(told(text));
                }
            }
            rest = rest.saturating_sub(command.len());
        }
        let after = tempfile::tempdir().unwrap();
        disk.cut(fate, dice, after.path());
        let store = after.path().join(".annals");
        let what = format!("cut behind call {calls}, {fate:?}, {acknowledged} acknowledged");
        let verified = self.sandbox.run(&["--store", store.to_str().unwrap(), "--format", "json", "verify"]);
        if !is_made && verified.code == 1 && verified.stderr.contains("there is no store") {
            return Ok(());
        }
        if verified.code != 0 {
            return Err(format!("{what}: {}{}", verified.stdout, verified.stderr));
        }
        let log = log_of(&self.sandbox, &store);
        if log.len() < acknowledged || log != self.log[..log.len()] {
            return Err(format!("{what}: {} records are there", log.len()));
        }
        // And it can be gone on with.
        let more =
            ["--store", store.to_str().unwrap(), "append", "--id", "after", "--title", "After the cut"];
        let done = self.sandbox.run(&more);
        if done.code == 0 { Ok(()) } else { Err(format!("{what}: {}", done.stderr)) }
    }

    fn calls(&self) -> usize {
        self.commands.iter().map(Vec::len).sum()
    }

    fn disk(&self) -> Disk {
        Disk::new(self.sandbox.path(ROOM))
    }
}

fn log_of(sandbox: &Sandbox, store: &Path) -> Vec<String> {
    let log = sandbox.ok(&["--store", store.to_str().unwrap(), "export", "--to", "jsonl", "--records"]);
    log.lines().map(str::to_owned).collect()
}

/// The last record that an answer speaks of.
fn told(text: &str) -> usize {
    let seq = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?["seq"].as_u64();
    text.lines().filter_map(seq).max().map_or(0, |seq| usize::try_from(seq).unwrap())
}

/// One of everything that records.
fn session() -> Session {
    let json = ["--format", "jsonl"];
    let with = |args: &'static [&'static str]| [&json[..], args].concat();
    let single = with(&["append", "input.jsonl"]);
    let revise = with(&["revise", "e3", "--title", "Otherwise"]);
    let retract = with(&["retract", "e4", "--reason", "withdrawn"]);
    let import = with(&["import", "input.jsonl"]);
    let chunks = with(&["import", "input.jsonl", "--chunk", "30"]);
    let many = |from: usize, to: usize| (from..to).map(event).collect::<Vec<_>>().join("\n");
    let mut commands: Vec<(&[&str], String)> = vec![(&["init"], String::new())];
    commands.extend((1..8).map(|number| (&single[..], event(number))));
    commands.push((&single, many(8, 40)));
    commands.push((&revise, String::new()));
    commands.push((&retract, String::new()));
    commands.push((&import, many(40, 400)));
    commands.push((&chunks, many(400, 700)));
    commands.extend((700..704).map(|number| (&single[..], event(number))));
    let session = Session::record(&commands);
    assert_eq!(session.log.len(), 705);
    session
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    if !has("strace") {
        return;
    }
    let cuts: usize = std::env::var("ANNALS_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let (session, mut dice) = (session(), Dice(0x00C0_FFEE));
    for cut in 0..cuts {
        let fate = [Fate::Mixed, Fate::Lost, Fate::Mixed, Fate::Kept][cut % 4];
        let calls = dice.below(session.calls() + 1);
        session
            .cut(session.disk(), calls, fate, &mut dice)
            .unwrap_or_else(|what| panic!("cut {cut}: {what}"));
    }
    println!("{cuts} cuts among {} calls: nothing that was acknowledged is lost", session.calls());
}

/// On a disk that makes nothing durable the same cuts do lose records: the test above can fail.
#[test]
fn a_disk_that_lies_about_syncing_is_found_out() {
    if !has("strace") {
        return;
    }
    let (session, mut dice) = (session(), Dice(0x00C0_FFEE));
    let calls = session.calls();
    let found = session.cut(session.disk().deaf(), calls, Fate::Lost, &mut dice);
    assert!(found.is_err());
    let found = (0..8).filter(|_| session.cut(session.disk().deaf(), calls, Fate::Mixed, &mut dice).is_err());
    assert!(found.count() > 4);
}
