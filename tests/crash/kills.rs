//! Processes are killed at any moment while others write: what was acknowledged is there, byte for byte, and the log
//! only ever grows, but for what a redaction erases. A backup that is there is whole at any moment. Who opens what a kill has
//! left is killed, too. The count is `ANNALS_KILLS`.

use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::disk::Dice;
use crate::power::files;
use crate::sandbox::Sandbox;

/// What may be killed, each with how long it usually takes at most, in milliseconds. `ID` is a name that is new.
const ATTACKED: &[(&[&str], usize)] = &[
    (&["append", "--id", "ID", "--title", "One", "--set", "a.b=ID"], 60),
    (&["append", "batch.jsonl"], 80),
    (&["import", "batch.jsonl"], 120),
    (&["import", "batch.jsonl", "--chunk", "7"], 200),
    (&["revise", "first", "--title", "ID"], 60),
    (&["retract", "first", "--reason", "ID"], 60),
    (&["replay", "--as-of", "2005"], 60),
    (&["verify"], 100),
    (&["compact"], 120),
    (&["redact", "ID", "--reason", "asked for"], 100),
    (&["backup", "safe"], 120),
];
/// Stands in the event that is redacted, and nowhere else.
const MARK: &str = "a name that has to go";

/// What is known to have been acknowledged.
struct Ledger {
    sandbox: Sandbox,
    /// The log as it was when it was last looked at, a record a line.
    log: Vec<String>,
    acknowledged: usize,
    /// Whether a backup was ever answered.
    is_backed_up: bool,
    killed: u64,
    /// Processes that were killed while they opened what a kill had left.
    killed_opening: u64,
}

impl Ledger {
    fn new() -> Self {
        let sandbox = Sandbox::with_store();
        sandbox.ok(&["append", "--id", "first", "--title", "First", "--date", "2004"]);
        Self { sandbox, log: Vec::new(), acknowledged: 1, is_backed_up: false, killed: 0, killed_opening: 0 }
    }

    fn start(&self, args: &[&str], id: &str) -> Child {
        let named: Vec<String> = args.iter().map(|arg| arg.replace("ID", id)).collect();
        let mut all = vec!["--format", "jsonl"];
        all.extend(named.iter().map(String::as_str));
        let mut command = self.sandbox.command(&all);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Waits for a process, or kills it first; notes what it had acknowledged, even if it was killed right after.
    fn end(&mut self, mut child: Child, kill: bool) {
        if kill {
            let _ = child.kill();
        }
        let mut told = String::new();
        child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
        let status = child.wait().unwrap();
        self.killed += u64::from(status.code().is_none());
        assert_ne!(status.code(), Some(101), "it panicked: {told}");
        assert_ne!(status.code(), Some(4), "it found damage: {told}");
        self.note(&told);
    }

    /// Opens what a kill has left, and is killed over it, up to twice.
    fn open_and_kill(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(3) {
            let before = self.killed;
            let opening = self.start(&["stats"], "");
            std::thread::sleep(Duration::from_micros(dice.below(30_000) as u64));
            self.end(opening, true);
            self.killed_opening += std::mem::replace(&mut self.killed, before) - before;
        }
    }

    /// Runs a command to its end.
    fn run(&mut self, args: &[&str]) {
        let told = self.sandbox.ok(&[&["--format", "jsonl"], args].concat());
        self.note(&told);
    }

    /// Takes note of what was answered.
    fn note(&mut self, told: &str) {
        self.is_backed_up |= told.contains("\"backed up\"");
        for line in told.lines().filter(|line| line.contains("\"seq\"")) {
            let Ok(answer) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            // Only what was written has a place in the log of its own.
            let Some(seq) = answer["seq"].as_u64() else { continue };
            self.acknowledged = self.acknowledged.max(usize::try_from(seq).unwrap());
        }
    }

    /// Records what is to be redacted.
    fn append_named(&mut self, id: &str) {
        self.run(&["append", "--id", id, "--title", MARK]);
        self.check("before a redaction");
    }

    /// Holds the log against the ledger.
    fn check(&mut self, what: &str) {
        let verified = self.sandbox.run(&["verify"]);
        assert_eq!(verified.code, 0, "{what}: {}{}", verified.stdout, verified.stderr);
        let log = self.sandbox.ok(&["export", "--to", "jsonl", "--records"]);
        let log: Vec<String> = log.lines().map(str::to_owned).collect();
        assert!(log.len() >= self.acknowledged, "{what}: {} of {} records", log.len(), self.acknowledged);
        assert!(log.len() >= self.log.len(), "{what}: {} records, and there were more", log.len());
        for (before, now) in self.log.iter().zip(&log) {
            assert!(
                before == now || is_erased(before, now, &log),
                "{what}: the log changed: {before}: {now}"
            );
        }
        self.log = log;
        let backup = self.sandbox.run(&["verify", "safe"]);
        let expected: &[i32] = if self.is_backed_up { &[0] } else { &[0, 1] };
        assert!(expected.contains(&backup.code), "{what}: {}{}", backup.stdout, backup.stderr);
    }

    /// A redaction that was killed is asked for again: then nothing beside the log's own pages repeats what it erased.
    fn redact(&mut self, id: &str) {
        self.run(&["redact", id, "--reason", "asked for"]);
        for path in files(&self.sandbox.path(".annals")) {
            let is_page = path.components().any(|part| part.as_os_str() == "sled");
            let content = fs::read(&path).unwrap();
            let holds = content.windows(MARK.len()).any(|bytes| bytes == MARK.as_bytes());
            assert!(is_page || !holds, "what was redacted stands in {}", path.display());
        }
    }
}

/// Whether a line of the log has lost its content, and all that is left of it stands; the redaction has to be there.
fn is_erased(before: &str, now: &str, log: &[String]) -> bool {
    let [before, now] = [before, now].map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let heads = ["seq", "recorded_at", "recorded_by", "op", "timeline", "id"];
    let redaction = "\"op\":\"redact\",\"timeline\":\"main\"";
    let says_why =
        |line: &String| line.contains(redaction) && line.contains(&format!("\"id\":{}", now["id"]));
    now["redacted"] == true && heads.iter().all(|head| before[head] == now[head]) && log.iter().any(says_why)
}

#[test]
fn what_was_acknowledged_survives_kills_under_load() {
    let kills: usize = std::env::var("ANNALS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(16);
    let (mut ledger, mut dice) = (Ledger::new(), Dice(0x0BAD_CAFE));
    for kill in 0..kills {
        let batch: Vec<_> =
            (0..40).map(|n| format!(r#"{{"id":"k{kill}-{n}","title":"Event {n}","date":"2004"}}"#)).collect();
        ledger.sandbox.write("batch.jsonl", &batch.join("\n"));
        // Every other time somebody else writes meanwhile.
        let beside = (kill % 2 == 0)
            .then(|| ledger.start(&["append", "--id", "ID", "--title", "Beside"], &format!("b{kill}")));
        let (args, usual) = ATTACKED[kill % ATTACKED.len()];
        let id = format!("a{kill}");
        let redacts = args[0] == "redact";
        if redacts {
            ledger.append_named(&id);
        }
        let attacked = ledger.start(args, &id);
        std::thread::sleep(Duration::from_micros(dice.below(usual * 1000) as u64));
        ledger.end(attacked, true);
        ledger.open_and_kill(&mut dice);
        if let Some(beside) = beside {
            ledger.end(beside, false);
        }
        let what = format!("kill {kill}, {args:?}");
        ledger.check(&what);
        if redacts {
            ledger.redact(&id);
            ledger.check(&what);
        }
    }
    ledger.run(&["backup", "safe"]);
    ledger.check("the last backup");
    println!(
        "{} of {kills} killed in the act and {} while they opened what was left, {} records acknowledged",
        ledger.killed, ledger.killed_opening, ledger.acknowledged
    );
    assert!(ledger.killed > 0);
}

/// Lines of an import that is stored in pieces.
const LARGE: usize = 140_000;

#[test]
fn a_large_import_that_is_killed_leaves_nothing() {
    let kills = std::env::var("ANNALS_KILLS").ok().and_then(|n| n.parse::<usize>().ok()).unwrap_or(16);
    let (mut ledger, mut dice) = (Ledger::new(), Dice(0x00C0_FFEE));
    let lines: Vec<String> =
        (0..LARGE).map(|n| format!(r#"{{"id":"l{n}","title":"Event {n}","date":"2004"}}"#)).collect();
    ledger.sandbox.write("batch.jsonl", &lines.join("\n"));
    ledger.check("before");
    for kill in 0..kills.div_ceil(8) {
        let attacked = ledger.start(&["import", "batch.jsonl"], "");
        std::thread::sleep(Duration::from_millis(300 + dice.below(6_000) as u64));
        ledger.end(attacked, true);
        ledger.check(&format!("large kill {kill}"));
        if ledger.log.len() > 1 {
            assert_eq!(ledger.log.len(), LARGE + 1, "a part of the import is there");
            return;
        }
    }
    assert!(ledger.killed > 0);
}
