//! `annals compact` as a user meets it: what it says, and that nothing stops it from leaving the store whole.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::sandbox::{Done, Sandbox, finish, has};

/// A store of some thousand events, which came a few at a time.
fn grown() -> Sandbox {
    let sandbox = Sandbox::with_store();
    let line = |n: u32| {
        format!(
            "{{\"id\":\"e{n}\",\"date\":\"2004\",\"title\":\"Event {n}\",\"description\":\"{:x}\"}}\n",
            u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        )
    };
    let lines: String = (0..6_000).map(line).collect();
    sandbox.write("events.jsonl", &lines);
    sandbox.ok(&["import", "events.jsonl", "--chunk", "90"]);
    sandbox
}

#[test]
fn the_store_is_written_anew_and_says_the_same() {
    let sandbox = Sandbox::with_haiti();
    let told = |sandbox: &Sandbox| {
        let log = sandbox.ok(&["--timeline", "haiti", "--format", "jsonl", "log"]);
        log + &sandbox.ok(&["--timeline", "haiti", "--format", "json", "replay", "--as-of", "2012"])
    };
    let before = told(&sandbox);
    let said = sandbox.ok(&["compact"]);
    assert!(said.contains(" bytes before, ") && said.contains("20 records in 1 frame, which were"), "{said}");
    assert_eq!(told(&sandbox), before);
    let answer = sandbox.json(&["compact"]);
    assert_eq!(answer["schema"], "annals/compact/1");
    assert_eq!(answer["records"], 20);
    assert_eq!(answer["log_root"], sandbox.json(&["stats"])["log_root"]);
    let bytes = |when: &str| answer[when]["bytes"].as_u64().unwrap();
    assert!(bytes("after") <= bytes("before"), "{answer}");
    assert!(sandbox.ok(&["verify"]).contains("no damage"));
    insta::assert_snapshot!(Sandbox::new().session("--store nowhere compact"), @r"
    $ annals --store nowhere compact
    ! error: there is no store at nowhere
    ! hint: make one with `annals init`
    [exit 1]
    ");
}

#[test]
fn a_store_that_is_damaged_is_left_as_it_is() {
    let sandbox = grown();
    let file = sandbox.path(".annals/sled/db");
    let mut bytes = fs::read(&file).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[used / 2] ^= 1;
    fs::write(&file, &bytes).unwrap();
    if sandbox.run(&["verify"]).code == 0 {
        // The bit stood in what sled does not use any more.
        sandbox.ok(&["compact"]);
        return;
    }
    let done = sandbox.run(&["compact"]);
    assert_eq!(done.code, 4, "{}{}", done.stdout, done.stderr);
    assert!(!sandbox.path(".annals/sled.new").exists() && sandbox.path(".annals/sled").exists());
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
}

/// A compaction is killed at some moment, again and again: the store has every record, whatever became of it. The count
/// is `ANNALS_KILLS`.
#[test]
fn a_killed_compaction_leaves_the_store_whole() {
    let kills: u32 = std::env::var("ANNALS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let sandbox = grown();
    let root = sandbox.json(&["stats"])["log_root"].clone();
    let begun = Instant::now();
    sandbox.ok(&["compact"]);
    let whole = begun.elapsed();
    let (mut finished, mut cut) = (0, 0);
    for kill in 0..kills {
        let mut child =
            sandbox.command(&["compact"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // All over its time, and now and then beyond it.
        std::thread::sleep(whole.mul_f64(f64::from(kill * 7 % kills + 1) * 1.1 / f64::from(kills)));
        child.kill().unwrap();
        *if child.wait().unwrap().success() { &mut finished } else { &mut cut } += 1;
        // Who opens it next clears up, be it `verify`.
        let first = if kill % 2 == 0 { "stats" } else { "verify" };
        let told = sandbox.json(&[first]);
        assert_eq!(told["log_root"], root, "kill {kill}");
        assert_eq!(sandbox.run(&["verify"]).code, 0, "kill {kill}");
        for left in ["sled.new", "sled.old"] {
            assert!(!sandbox.path(".annals").join(left).exists(), "kill {kill}: {left}");
        }
    }
    println!("{cut} killed, {finished} finished of {kills}");
    sandbox.ok(&["import", "events.jsonl"]);
    assert_eq!(sandbox.json(&["stats"])["records"], 6_000);
}

/// Runs a script in which a file system of so many KiB, with a copy of the store as `store`, is mounted for it alone.
fn in_room(sandbox: &Sandbox, kibibytes: u64, script: &str) -> Done {
    let prepared = sandbox.command(&[]);
    let script =
        format!("mount -t tmpfs -o size={kibibytes}k tmpfs room && cp -r .annals room/store && {script}");
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &script]).arg(prepared.get_program()).current_dir(sandbox.path("."));
    command.env_clear().envs(prepared.get_envs().filter_map(|(name, value)| Some((name, value?))));
    finish(command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "")
}

/// The bytes of a directory's files, in whole KiB.
fn kibibytes_in(path: &Path) -> u64 {
    let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
    let size = |entry: fs::DirEntry| {
        let data = entry.metadata().unwrap();
        if data.is_dir() { 8 + kibibytes_in(&entry.path()) } else { data.len().div_ceil(4096) * 4 }
    };
    entries.map(size).sum()
}

#[test]
fn on_a_full_disk_the_store_stays_as_it_was() {
    if !has("unshare") {
        return;
    }
    let sandbox = grown();
    fs::create_dir(sandbox.path("room")).unwrap();
    let root = sandbox.json(&["stats"])["log_root"].clone();
    let taken = 64 + kibibytes_in(&sandbox.path(".annals"));
    if in_room(&sandbox, taken + 100, "true").code != 0 {
        assert!(
            std::env::var_os("ANNALS_TEST_NO_SKIP").is_none(),
            "a file system cannot be mounted: run as root"
        );
        println!("skipped: no file system can be mounted here");
        return;
    }
    let script = "\"$0\" --store room/store compact; echo exit $?; ls room/store; \"$0\" --store room/store --format json verify";
    let mut failed = 0;
    for more in [100, 250, 540, 900, 4000] {
        let done = in_room(&sandbox, taken + more, script);
        let told = format!("{more} KiB: {}{}", done.stdout, done.stderr);
        assert_eq!(done.code, 0, "{told}");
        assert!(done.stdout.contains(root.as_str().unwrap()) && !done.stdout.contains("sled."), "{told}");
        assert!(!done.stderr.contains("panicked"), "{told}");
        if !done.stdout.contains("exit 0") {
            assert!(done.stdout.contains("exit 1") && done.stderr.contains("the disk is full"), "{told}");
            failed += 1;
        }
    }
    assert!((2..5).contains(&failed), "{failed} of 5 had no room");
}
