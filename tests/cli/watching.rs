//! Watching the log from one process while others write it.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::sandbox::Sandbox;

/// How long is waited for what has to come; it comes in a fraction of a second.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running `annals watch`, and the lines that it prints.
struct Watcher {
    child: Child,
    lines: Receiver<String>,
    remarks: Receiver<String>,
}

impl Watcher {
    /// Starts it, and waits until it says where it begins.
    fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut child = sandbox
            .command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let remarks = lines_of(child.stderr.take().unwrap());
        let watcher = Self { child, lines, remarks };
        let remark = watcher.remarks.recv_timeout(DEADLINE).unwrap();
        assert!(remark.starts_with("watching "), "{remark}");
        watcher
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).unwrap()
    }

    /// The next lines, as JSON.
    fn records(&self, count: usize) -> Vec<serde_json::Value> {
        (0..count).map(|_| serde_json::from_str(&self.line()).unwrap()).collect()
    }

    /// Waits for its end; gives its exit code and the lines that were not asked for yet.
    fn end(mut self) -> (Option<i32>, Vec<String>) {
        let rest = rest_of(&self.lines);
        assert_eq!(rest_of(&self.remarks), Vec::<String>::new());
        (self.child.wait().unwrap().code(), rest)
    }

    /// Interrupts it as Ctrl-C does; gives the lines that were not asked for yet.
    fn interrupt(mut self) -> Vec<String> {
        let (name, number) = if interrupts_are_ignored() { ("-TERM", 15) } else { ("-INT", 2) };
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
        let rest = rest_of(&self.lines);
        // A shell tells an interrupt as 130.
        assert_eq!(self.child.wait().unwrap().signal(), Some(number));
        rest
    }
}

/// A test that fails leaves nothing running.
impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the tests run in the background of a script, where the shell sees to it that Ctrl-C does not reach them.
fn interrupts_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|bits| u64::from_str_radix(bits.trim(), 16).unwrap() & 0b10 != 0)
}

/// The lines up to the end of the output, which has to come.
fn rest_of(lines: &Receiver<String>) -> Vec<String> {
    let mut rest = Vec::new();
    loop {
        match lines.recv_timeout(DEADLINE) {
            Ok(line) => rest.push(line),
            Err(RecvTimeoutError::Disconnected) => return rest,
            Err(RecvTimeoutError::Timeout) => panic!("it does not end; so far: {rest:?}"),
        }
    }
}

fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            if line.is_err() || sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    lines
}

/// An import that has the store and is fed line by line; every ten are recorded at once.
struct Import {
    child: Child,
    input: ChildStdin,
}

impl Import {
    fn start(sandbox: &Sandbox) -> Self {
        let mut command = sandbox.command(&["-q", "import", "-", "--from", "jsonl", "--chunk", "10"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        Self { input: child.stdin.take().unwrap(), child }
    }

    fn feed(&mut self, numbers: std::ops::Range<u64>) {
        let lines: String =
            numbers.map(|n| format!("{{\"id\":\"i{n}\",\"title\":\"Event number {n}\"}}\n")).collect();
        self.input.write_all(lines.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn numbers(records: &[serde_json::Value]) -> Vec<u64> {
    records.iter().map(|record| record["seq"].as_u64().unwrap()).collect()
}

#[test]
fn records_are_told_as_they_are_recorded_by_whomever() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "before", "--title", "Before"]);
    let watcher = Watcher::start(&sandbox, &["watch"]);
    let mut told = Vec::new();
    for command in [
        &["append", "--id", "flood", "--date", "2004", "--title", "A flood"][..],
        &["--timeline", "other", "append", "--id", "aside", "--title", "Another timeline's"],
        &["revise", "flood", "--date", "2004-09"],
        &["retract", "flood", "--reason", "It was\nelsewhere"],
        &[
            "append",
            "--id",
            "a-name-that-is-rather-long",
            "--date",
            "2010-01-12/2010-02",
            "--title",
            "A\u{1b}[31m quake",
        ],
    ] {
        sandbox.ok(command);
        // Another timeline's record is passed over: the next line is the next command's.
        if command[0] != "--timeline" {
            told.push(watcher.line());
        }
    }
    assert_eq!(watcher.interrupt(), Vec::<String>::new());
    insta::assert_snapshot!(told.join("\n"), @r"
    2       2026-03-01T09:03:01  tester    append   flood             2004        A flood
    4       2026-03-01T09:05:01  tester    revise   flood             2004-09     A flood
    5       2026-03-01T09:06:00  tester    retract  flood                         It was elsewhere
    6       2026-03-01T09:07:01  tester    append   a-name-that-is-rather-long  2010-01-12/2010-02  A\u{1b}[31m quake
    ");
}

#[test]
fn what_is_in_the_log_already_comes_first_when_it_is_asked_for() {
    let sandbox = Sandbox::with_haiti();
    let log = sandbox.ok(&["--timeline", "haiti", "--format", "jsonl", "log"]);
    let log: Vec<&str> = log.lines().collect();
    let watch = |args: &[&str]| {
        let mut all = vec!["--timeline", "haiti", "--format", "jsonl", "watch"];
        all.extend(args);
        Watcher::start(&sandbox, &all).end()
    };
    assert_eq!(
        watch(&["--from", "@1", "--count", "20"]),
        (Some(0), log.iter().map(ToString::to_string).collect())
    );
    assert_eq!(watch(&["--from", "18", "--count", "2"]).1, log[17..19]);
    assert_eq!(watch(&["--recorded-after", "@18", "--count", "2"]).1, log[18..]);
    assert_eq!(
        watch(&["--recorded-after", "2023-11-13", "--count", "1"]).1,
        log[19..],
        "what became known later"
    );
    assert_eq!(watch(&["--recorded-after", "1999", "--count", "1"]).1, log[..1]);
    // Without its tail file the store itself is read.
    std::fs::remove_file(sandbox.path(".annals/tail")).unwrap();
    assert_eq!(watch(&["--from", "1", "--count", "20"]).1, log);
}

#[test]
fn a_watcher_sees_what_a_long_import_records_and_survives_its_end() {
    let sandbox = Sandbox::with_store();
    let watcher = Watcher::start(&sandbox, &["--format", "jsonl", "watch"]);
    let mut import = Import::start(&sandbox);
    import.feed(0..20);
    assert_eq!(numbers(&watcher.records(20)), (1..=20).collect::<Vec<_>>());
    let held = sandbox.run(&["--lock-wait", "0", "stats"]);
    assert!(held.stderr.contains("in use by process"), "the import still has the store: {}", held.stderr);
    let late = Watcher::start(&sandbox, &["--format", "jsonl", "watch", "--from", "5"]);
    assert_eq!(numbers(&late.records(16)), (5..=20).collect::<Vec<_>>());
    import.feed(20..35);
    assert_eq!(watcher.records(10)[9]["id"], "i29");
    assert_eq!(late.records(10)[9]["id"], "i29");
    // Killed with five lines in hand, and run again.
    drop(import);
    sandbox.ok(&["append", "--id", "between", "--title", "Between"]);
    let mut import = Import::start(&sandbox);
    import.feed(0..40);
    let mut ids: Vec<String> =
        watcher.records(11).iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.remove(0), "between");
    assert_eq!(ids, (30..40).map(|n| format!("i{n}")).collect::<Vec<_>>());
    assert_eq!(numbers(&late.records(11)), (31..=41).collect::<Vec<_>>());
    drop(import);
    assert_eq!(watcher.interrupt(), Vec::<String>::new());
}

/// Watchers have to read everything from the store itself, since there is no tail file, and the writers wait for
/// nobody.
#[test]
fn impatient_writers_are_never_refused_because_of_watchers() {
    let sandbox = Sandbox::with_store();
    let lines: String =
        (0..20_000).map(|n| format!("{{\"id\":\"e{n}\",\"title\":\"Event number {n}\"}}\n")).collect();
    sandbox.write("events.jsonl", &lines);
    sandbox.ok(&["import", "events.jsonl"]);
    std::fs::remove_file(sandbox.path(".annals/tail")).unwrap();
    let args = ["--format", "jsonl", "watch", "--from", "1"];
    let watchers: Vec<Watcher> = (0..2).map(|_| Watcher::start(&sandbox, &args)).collect();
    for n in 0..12 {
        sandbox.ok(&["--lock-wait", "0", "append", "--title", &format!("Meanwhile {n}")]);
    }
    for watcher in watchers {
        assert_eq!(numbers(&watcher.records(20_012)), (1..=20_012).collect::<Vec<_>>());
        assert_eq!(watcher.interrupt(), Vec::<String>::new());
    }
    sandbox.ok(&["verify"]);
}

/// Writers are killed at some moment, again and again. Whoever watched them has exactly what the log has. The
/// count is `ANNALS_KILLS`.
#[test]
fn a_watcher_of_killed_writers_has_exactly_the_log() {
    let kills: u64 = std::env::var("ANNALS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let sandbox = Sandbox::with_store();
    let lines: String =
        (0..3_000).map(|n| format!("{{\"id\":\"e{n}\",\"title\":\"Event {n}\"}}\n")).collect();
    sandbox.write("events.jsonl", &lines);
    let watcher = Watcher::start(&sandbox, &["--format", "jsonl", "watch"]);
    for kill in 0..kills {
        let mut command = sandbox.command(&["-q", "import", "events.jsonl", "--chunk", "10"]);
        let mut writer = command.stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(10 + 37 * kill % 90));
        writer.kill().unwrap();
        writer.wait().unwrap();
    }
    sandbox.ok(&["import", "events.jsonl", "--chunk", "500"]);
    let followed: Vec<String> = (0..3_000).map(|_| watcher.line()).collect();
    assert_eq!(watcher.interrupt(), Vec::<String>::new());
    let log = sandbox.ok(&["--format", "jsonl", "log"]);
    assert!(log.lines().eq(followed.iter().map(String::as_str)));
}

/// Watchers are killed while they read from the store itself, which is as it was.
#[test]
fn a_killed_watcher_does_no_harm() {
    let kills: u64 = std::env::var("ANNALS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let sandbox = Sandbox::with_haiti();
    for kill in 0..kills {
        std::fs::remove_file(sandbox.path(".annals/tail")).unwrap();
        let mut command = sandbox.command(&["-q", "watch", "--from", "1"]);
        let mut watcher = command.stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1 + 3 * kill % 20));
        watcher.kill().unwrap();
        watcher.wait().unwrap();
        sandbox.ok(&["append", "--title", &format!("After kill {kill}")]);
        let verified = sandbox.run(&["verify"]);
        assert_eq!(verified.code, 0, "kill {kill}: {}{}", verified.stdout, verified.stderr);
    }
    let count = (20 + kills).to_string();
    let told =
        Watcher::start(&sandbox, &["watch", "--all-timelines", "--from", "1", "--count", &count]).end();
    assert_eq!((told.0, told.1.len() as u64), (Some(0), 20 + kills));
}

#[test]
fn a_watcher_tells_only_what_is_asked_for() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "early", "--kind", "flood", "--title", "Early"]);
    let floods = Watcher::start(&sandbox, &["watch", "--kind", "flood", "--count", "4", "--format", "jsonl"]);
    let all = Watcher::start(&sandbox, &["watch", "--all-timelines", "--count", "7"]);
    for command in [
        &["append", "--id", "a", "--kind", "flood", "--title", "A"][..],
        &["append", "--id", "b", "--kind", "quake", "--title", "B"],
        &["--timeline", "other", "append", "--id", "c", "--kind", "flood", "--title", "C"],
        &["retract", "b", "--reason", "wrong"],
        &["retract", "a", "--reason", "wrong"],
        // It came by before the watcher began: nothing says that it is no flood.
        &["retract", "early", "--reason", "wrong"],
        &["append", "--id", "d", "--kind", "flood", "--title", "D"],
    ] {
        sandbox.ok(command);
    }
    let (code, told) = floods.end();
    let told: Vec<serde_json::Value> = told.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, numbers(&told)), (Some(0), vec![2, 6, 7, 8]));
    let (code, told) = all.end();
    assert_eq!((code, told.len()), (Some(0), 7));
    assert!(told[2].contains("  other/c  "), "{}", told[2]);
}

#[test]
fn a_watcher_whose_reader_is_gone_ends_quietly() {
    let sandbox = Sandbox::with_store();
    let mut command = sandbox.command(&["-q", "watch", "--from", "1"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    sandbox.ok(&["append", "--title", "One"]);
    assert_eq!(rest_of(&lines_of(child.stderr.take().unwrap())), Vec::<String>::new());
    let status = child.wait().unwrap();
    assert!(status.success(), "{status:?}");
}

#[test]
fn what_cannot_be_watched_is_said_at_once() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.session(
        "
        watch
        --store nowhere watch
        init
        watch --from 0
        watch --from yesterday
        watch --from 1 --recorded-after 2020
        watch --recorded-after 12/04/1985
        watch --count 0
        "
    ), @r"
    $ annals watch
    ! error: there is no store here, nor in any directory above
    ! hint: make one with `annals init`, or name one with `--store PATH`
    [exit 1]
    $ annals --store nowhere watch
    ! error: there is no store at nowhere
    ! hint: make one with `annals init`
    [exit 1]
    $ annals init
    made an empty store at .annals
    $ annals watch --from 0
    ! error: --from: `0` is not the position of a record
    ! hint: as in 17 or @17; the first record is 1
    [exit 2]
    $ annals watch --from yesterday
    ! error: --from: `yesterday` is not the position of a record
    ! hint: as in 17 or @17; the first record is 1
    [exit 2]
    $ annals watch --from 1 --recorded-after 2020
    ! error: the argument '--from <POSITION>' cannot be used with '--recorded-after <K>'
    ! hint: usage: annals watch --from <POSITION>
    ! hint: `--help` explains the flags
    [exit 2]
    $ annals watch --recorded-after 12/04/1985
    ! error: --recorded-after: `12/04/1985` is not a date: it can be read in two ways
    ! hint: write 1985-04-12 (day first) or 1985-12-04 (month first)
    [exit 2]
    $ annals watch --count 0
    ! error: invalid value '0' for '--count <N>': 0 is not in 1..18446744073709551615
    ! hint: `--help` explains the flags
    [exit 2]
    ");
}
