//! The power goes at any moment: what was acknowledged is there, byte for byte, and nothing is damaged.
//!
//! Sessions of the real binary are recorded once: one of everything that records, and one of what looks after a store:
//! compactions, a backup and its updates, redactions, a restore. Then they are cut at random moments: the files are built as a disk
//! may have them, the real binary opens them, and log and backup are held against what had been answered. The count is
//! `ANNALS_CUTS`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::disk::{Dice, Disk, Fate};
use crate::sandbox::{Sandbox, has};
use crate::trace::{Call, record};

/// The directory whose files are looked at, the store in it, and its backup.
const ROOM: &str = "room";
const STORE: &str = "room/.annals";
const BACKUP: &str = "room/backup";
/// What is made of the backup.
const AGAIN: &str = "room/again";
/// Stands in the event that is redacted, and nowhere else.
const MARK: &str = "a name that has to go";
/// An effect that says it.
const SAYS: &str = "somebody.name=a name that has to go";
const JSON: [&str; 2] = ["--format", "jsonl"];

/// A session, and where in it which record was acknowledged.
struct Session {
    sandbox: Sandbox,
    /// The calls of each command.
    commands: Vec<Vec<Call>>,
    /// The log as it is after each command, a record a line.
    logs: Vec<Vec<String>>,
}

/// What had been answered before the power went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    is_made: bool,
    /// The last record.
    seq: usize,
    /// Records of the backup.
    backed_up: Option<usize>,
    /// Records of the store that was made of it.
    restored: Option<usize>,
    is_redacted: bool,
    /// Whether the store was compacted behind the redaction.
    is_cleared: bool,
}

impl Told {
    /// Takes note of what a command printed.
    fn note(&mut self, text: &str) {
        self.is_made |= text.contains("made an empty store");
        for answer in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let number = |name: &str| answer[name].as_u64().map(|number| usize::try_from(number).unwrap());
            self.seq = self.seq.max(number("seq").unwrap_or(0));
            match answer["outcome"].as_str() {
                Some("backed up") => self.backed_up = number("records"),
                Some("restored") => self.restored = number("records"),
                Some("redacted") => self.is_redacted = true,
                _ => {}
            }
            self.is_cleared |= self.is_redacted && answer["schema"] == "annals/compact/1";
        }
    }
}

fn event(number: usize) -> String {
    format!(
        r#"{{"id":"e{number}","title":"Event {number}","date":"2004","description":"{}"}}"#,
        "so it was said ".repeat(1 + number % 40)
    )
}

impl Session {
    fn record(commands: &[(Vec<&str>, String)]) -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.path(ROOM)).unwrap();
        let (mut recorded, mut logs) = (Vec::new(), Vec::new());
        for (index, (args, input)) in commands.iter().enumerate() {
            sandbox.write("input.jsonl", input);
            let trace = sandbox.path(&format!("trace-{index}"));
            // The first that is named is the one that is looked at.
            let named = if args.contains(&"--store") { &[][..] } else { &["--store", STORE] };
            let args = [named, &args[..]].concat();
            recorded.push(record(&sandbox.command(&args), &trace));
            fs::remove_file(trace).unwrap();
            // To look at the store itself would change it behind the recording.
            let copy = tempfile::tempdir().unwrap();
            copy_files(&sandbox.path(STORE), copy.path());
            logs.push(log_of(&sandbox, copy.path()));
        }
        Self { sandbox, commands: recorded, logs }
    }

    /// Cuts the session behind so many calls, and says what is wrong with what is left. Where it rests, time passes
    /// between the commands.
    fn cut(
        &self,
        mut disk: Disk,
        calls: usize,
        rests: bool,
        fate: Fate,
        dice: &mut Dice,
    ) -> Result<(), String> {
        let (mut rest, mut told, mut at) = (calls, Told::default(), 0);
        for (index, command) in self.commands.iter().enumerate() {
            if rest == 0 {
                break;
            }
            disk.process();
            if rests {
                disk.rest();
            }
            for call in command.iter().take(rest) {
                disk.apply(call);
                if let Call::Told { text } = call {
                    told.note(text);
                }
            }
            (rest, at) = (rest.saturating_sub(command.len()), index);
        }
        let after = tempfile::tempdir().unwrap();
        disk.cut(fate, dice, after.path());
        self.hold(after.path(), told, at).map_err(|what| {
            format!("cut behind call {calls}, in command {at}, {rests}, {fate:?}, answered: {told:?}: {what}")
        })
    }

    /// Holds what is left against what was answered; the power went during the command `at`, or right behind it.
    fn hold(&self, room: &Path, told: Told, at: usize) -> Result<(), String> {
        let [store, backup] = [".annals", "backup"].map(|name| room.join(name).to_str().unwrap().to_owned());
        if told.is_redacted {
            is_gone(&room.join(".annals"), told.is_cleared)?;
        }
        let verified = self.sandbox.run(&["--store", &store, "--format", "json", "verify"]);
        if !told.is_made && verified.code == 1 && verified.stderr.contains("there is no store") {
            return Ok(());
        }
        if verified.code != 0 {
            return Err(format!("{}{}", verified.stdout, verified.stderr));
        }
        let log = log_of(&self.sandbox, Path::new(&store));
        let before = at.checked_sub(1).map_or(&[][..], |before| &self.logs[before]);
        let is_beginning = |of: &[String]| of.get(..log.len()).is_some_and(|beginning| beginning == log);
        let is_old = !told.is_redacted && is_beginning(before);
        if log.len() < told.seq || !(is_old || is_beginning(&self.logs[at])) {
            return Err(format!("{} records are there", log.len()));
        }
        self.hold_backup(&store, &backup, told)?;
        self.hold_restored(&room.join("again"), told)?;
        // And it can be gone on with.
        let more = ["--store", &store, "append", "--id", "after", "--title", "After the cut"];
        let done = self.sandbox.run(&more);
        if done.code == 0 { Ok(()) } else { Err(done.stderr) }
    }

    /// A backup that was answered is whole, that one or a newer one; any other can be made or brought up to date.
    fn hold_backup(&self, store: &str, backup: &str, told: Told) -> Result<(), String> {
        if !Path::new(backup).exists() && told.backed_up.is_none() {
            return Ok(());
        }
        let checked = self.sandbox.run(&["--format", "json", "verify", backup]);
        match checked.code {
            0 => {
                let held: Value = serde_json::from_str(&checked.stdout).unwrap();
                let records = held["read"]["records"].as_u64().unwrap();
                if told.backed_up.is_some_and(|answered| records < answered as u64) {
                    return Err(format!("the backup has {records} records"));
                }
            }
            1 if told.backed_up.is_none() => {}
            _ => return Err(format!("the backup: {}{}", checked.stdout, checked.stderr)),
        }
        let again = self.sandbox.run(&["--store", store, "backup", backup]);
        let whole = self.sandbox.run(&["verify", backup]);
        match (again.code, whole.code) {
            (0, 0) => Ok(()),
            _ => Err(format!("the backup anew: {}{}{}", again.stderr, whole.stdout, whole.stderr)),
        }
    }

    /// A store that was made of the backup is there whole, or not at all.
    fn hold_restored(&self, again: &Path, told: Told) -> Result<(), String> {
        if told.restored.is_none() && !again.exists() {
            return Ok(());
        }
        let checked = self.sandbox.run(&["--store", again.to_str().unwrap(), "--format", "json", "verify"]);
        let held: Value = serde_json::from_str(&checked.stdout).unwrap_or_default();
        let records = held["read"]["records"].as_u64().and_then(|records| usize::try_from(records).ok());
        match (checked.code, told.restored) {
            (0, None) => Ok(()),
            (0, answered) if answered == records => Ok(()),
            _ => Err(format!("the restored store: {}{}", checked.stdout, checked.stderr)),
        }
    }

    fn calls(&self) -> usize {
        self.commands.iter().map(Vec::len).sum()
    }

    fn disk(&self) -> Disk {
        Disk::new(self.sandbox.path(ROOM))
    }

    fn log(&self) -> &[String] {
        self.logs.last().unwrap()
    }

    /// On a disk that makes nothing durable the same cuts do lose records: the tests can fail.
    fn finds_a_liar_out(&self, mut dice: Dice) {
        let calls = self.calls();
        assert!(self.cut(self.disk().deaf(), calls, false, Fate::Lost, &mut dice).is_err());
        let found =
            (0..3).filter(|_| self.cut(self.disk().deaf(), calls, false, Fate::Mixed, &mut dice).is_err());
        assert!(found.count() > 1);
    }

    /// Cuts it right behind the last answer of each command from this one on: of what came before all is on the disk, of
    /// the command itself only what it has made durable.
    fn behind_answers(&self, from: usize, mut dice: Dice) {
        let mut before: usize = self.commands[..from].iter().map(Vec::len).sum();
        for command in &self.commands[from..] {
            let told = command.iter().rposition(|call| matches!(call, Call::Told { .. })).unwrap();
            let cut = self.cut(self.disk(), before + told + 1, true, Fate::Lost, &mut dice);
            cut.unwrap_or_else(|what| panic!("{what}"));
            before += command.len();
        }
    }

    /// Cuts it again and again.
    fn cuts(&self, cuts: usize, mut dice: Dice) {
        for cut in 0..cuts {
            let fate = [Fate::Mixed, Fate::Lost, Fate::Mixed, Fate::Kept][cut % 4];
            let calls = dice.below(self.calls() + 1);
            let rests = dice.below(2) == 0;
            self.cut(self.disk(), calls, rests, fate, &mut dice)
                .unwrap_or_else(|what| panic!("cut {cut}: {what}"));
        }
        println!("{cuts} cuts among {} calls: nothing that was acknowledged is lost", self.calls());
    }
}

/// What was redacted stands nowhere beside the log's own pages, and once they were written anew nowhere at all.
fn is_gone(store: &Path, from_pages: bool) -> Result<(), String> {
    for path in files(store) {
        let is_page = path.strip_prefix(store).unwrap().to_str().unwrap().starts_with("sled");
        let content = fs::read(&path).unwrap();
        let holds = content.windows(MARK.len()).any(|bytes| bytes == MARK.as_bytes());
        if holds && (from_pages || !is_page) {
            return Err(format!("what was redacted stands in {}", path.display()));
        }
    }
    Ok(())
}

fn log_of(sandbox: &Sandbox, store: &Path) -> Vec<String> {
    let log = sandbox.ok(&["--store", store.to_str().unwrap(), "export", "--to", "jsonl", "--records"]);
    log.lines().map(str::to_owned).collect()
}

/// Every file below a directory.
pub fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().map(Result::unwrap) {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

fn copy_files(from: &Path, to: &Path) {
    for path in files(from) {
        let copy = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(path, copy).unwrap();
    }
}

fn with(args: &[&'static str]) -> Vec<&'static str> {
    [&JSON[..], args].concat()
}

fn many(from: usize, to: usize) -> String {
    (from..to).map(event).collect::<Vec<_>>().join("\n")
}

fn count(usual: usize) -> usize {
    std::env::var("ANNALS_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// One of everything that records.
fn session() -> Session {
    let single = with(&["append", "input.jsonl"]);
    let mut commands = vec![(vec!["init"], String::new())];
    commands.extend((1..8).map(|number| (single.clone(), event(number))));
    commands.push((single.clone(), many(8, 40)));
    commands.push((with(&["revise", "e3", "--title", "Otherwise"]), String::new()));
    commands.push((with(&["retract", "e4", "--reason", "withdrawn"]), String::new()));
    commands.push((with(&["import", "input.jsonl"]), many(40, 400)));
    commands.push((with(&["import", "input.jsonl", "--chunk", "30"]), many(400, 700)));
    commands.extend((700..704).map(|number| (single.clone(), event(number))));
    let session = Session::record(&commands);
    assert_eq!(session.log().len(), 705);
    session
}

/// What looks after a store that is large enough for its indexes. It has no saved answer, which would be asked for again
/// behind the redaction: that makes the index anew, and durable.
fn upkeep() -> Session {
    let (backup, compact) = (with(&["backup", BACKUP]), with(&["compact"]));
    let bare = |args: &[&'static str]| (with(args), String::new());
    let mut commands = vec![(vec!["init"], String::new())];
    commands.push(bare(&["append", "--id", "named", "--title", MARK, "--date", "2005", "--set", SAYS]));
    commands.push((with(&["import", "input.jsonl", "--chunk", "700"]), many(0, 2100)));
    let attached = ["append", "--id", "kept", "--title", "With a file", "--attach", "input.jsonl"];
    commands.push((with(&attached), "a file of evidence".to_owned()));
    commands.push(bare(&["replay", "--as-of", "2006"]));
    commands.push((compact.clone(), String::new()));
    commands.push((backup.clone(), String::new()));
    commands.push((with(&["append", "input.jsonl"]), many(2100, 2110)));
    commands.push((backup.clone(), String::new()));
    commands.push(bare(&["redact", "named", "--reason", "asked for"]));
    commands.push((backup, String::new()));
    commands.push((compact, String::new()));
    commands.push(bare(&["--store", AGAIN, "restore", BACKUP]));
    commands.push((with(&["append", "input.jsonl"]), event(2110)));
    let session = Session::record(&commands);
    assert_eq!(session.log().len(), 2114);
    session
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    if has("strace") {
        let session = session();
        session.cuts(count(40), Dice(0x00C0_FFEE));
        session.finds_a_liar_out(Dice(0x00C0_FFEE));
    }
}

#[test]
fn a_store_survives_a_power_cut_while_it_is_looked_after() {
    if has("strace") {
        let session = upkeep();
        session.behind_answers(5, Dice(0xBACC_0FF5));
        session.cuts(count(6), Dice(0xBACC_0FF5));
        session.finds_a_liar_out(Dice(0xBACC_0FF5));
    }
}
