//! The store as a user meets it: made, locked, damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::sandbox::{Sandbox, copy_directory, finish};

#[test]
fn a_store_is_made_once_and_for_its_owner_only() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.session(
        "
        stats
        init
        init
        init cases/haiti
        --store exactly-here init
        stats
        verify
        --format json verify
        "
    ));
    let mode = |path: &str| fs::metadata(sandbox.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(".annals"), 0o700);
    assert_eq!(mode(".annals/sled"), 0o700);
    sandbox.write("file", "not a store");
    fs::create_dir(sandbox.path("full")).unwrap();
    sandbox.write("full/file", "");
    assert_eq!(sandbox.run(&["--store", "full", "init"]).code, 1);
    assert_eq!(sandbox.run(&["--store", "file", "stats"]).code, 1);
}

#[test]
fn a_store_that_is_in_use_says_by_whom() {
    let sandbox = Sandbox::with_store();
    let lock = fs::File::options().read(true).write(true).open(sandbox.path(".annals/lock")).unwrap();
    lock.lock().unwrap();
    let process = std::process::id();
    sandbox.write(".annals/lock", &format!("process {process}: annals import\n"));
    let done = sandbox.run(&["--lock-wait", "0", "list"]);
    assert_eq!(done.code, 1);
    let told = format!(
        "error: the store is in use by process {process}: annals import\nhint: wait for it to end, then try again\n"
    );
    assert_eq!(done.stderr, told);
    // A lock that is let go of in time is waited for.
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| sandbox.command(&["stats"]).output().unwrap());
        std::thread::sleep(std::time::Duration::from_millis(300));
        drop(lock);
        waiting.join().unwrap()
    });
    assert!(waiting.status.success());
}

/// A note that outlived its writer keeps nobody out; a lock that somebody else has does, and the note is not believed.
#[test]
fn a_stale_lock_is_none_and_a_foreign_one_is_told() {
    let sandbox = Sandbox::with_store();
    let mut ended = sandbox.command(&["list"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    let stale = format!("process {}: annals import\n", ended.id());
    ended.wait().unwrap();
    sandbox.write(".annals/lock", &stale);
    sandbox.ok(&["append", "--title", "A"]);
    let open = |name: &str| fs::File::options().read(true).write(true).open(sandbox.path(name)).unwrap();
    let refused = |what: &str| {
        let done = sandbox.run(&["--lock-wait", "0", "list"]);
        assert!(
            done.code == 1 && done.stderr.contains(what) && done.stderr.contains("hint: "),
            "{}",
            done.stderr
        );
    };
    sandbox.write(".annals/lock", &stale);
    let lock = open(".annals/lock");
    lock.lock().unwrap();
    refused("its lock is held, and process");
    drop(lock);
    // Somebody who goes at sled's files and knows nothing of the store's own lock.
    let db = open(".annals/sled/db");
    db.lock().unwrap();
    refused("another program has the files of the store open");
    drop(db);
    sandbox.ok(&["verify"]);
    fs::remove_file(sandbox.path(".annals/lock")).unwrap();
    fs::create_dir(sandbox.path(".annals/lock")).unwrap();
    refused("cannot lock");
}

#[test]
fn writers_that_come_together_all_get_their_turn() {
    let sandbox = Sandbox::with_store();
    let commands: Vec<_> =
        (0..8).map(|n| sandbox.command(&["append", "--title", &format!("Event {n}")])).collect();
    std::thread::scope(|scope| {
        for mut command in commands {
            scope.spawn(move || {
                let done = finish(&mut command, "");
                assert_eq!(done.code, 0, "{}", done.stderr);
            });
        }
    });
    assert_eq!(sandbox.json(&["list"]).as_array().unwrap().len(), 8);
    sandbox.ok(&["verify"]);
}

#[test]
fn a_store_of_another_format_is_left_alone() {
    let sandbox = Sandbox::with_store();
    sandbox.write(".annals/format", "annals store 9\n");
    insta::assert_snapshot!(sandbox.session("list"), @r"
    $ annals list
    ! error: the store has the format `annals store 9`, this program reads `annals store 3`
    ! hint: use the version of Annals that wrote it
    [exit 1]
    ");
    sandbox.write(".annals/format", "gibberish");
    assert_eq!(sandbox.run(&["list"]).code, 4);
}

#[test]
fn what_a_kill_during_open_leaves_behind_is_cleaned_up() {
    let sandbox = Sandbox::with_haiti();
    sandbox.write(".annals/sled/snap.0000000000000000.generating", "half");
    sandbox.ok(&["verify"]);
}

#[test]
fn a_log_that_is_shorter_than_its_head_file_is_damaged() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "a", "--title", "A"]);
    let earlier = sandbox.path("earlier");
    copy_directory(&sandbox.path(".annals/sled"), &earlier);
    sandbox.ok(&["append", "--id", "b", "--title", "B"]);
    fs::remove_dir_all(sandbox.path(".annals/sled")).unwrap();
    copy_directory(&earlier, &sandbox.path(".annals/sled"));
    insta::assert_snapshot!(sandbox.session(
        "
        list
        append --title C
        "
    ));
    let verified = sandbox.run(&["verify"]);
    assert_eq!(verified.code, 4);
    assert!(verified.stdout.contains("record 2: missing"), "{}", verified.stdout);
}

#[test]
fn a_missing_or_unreadable_head_file_is_damage() {
    let sandbox = Sandbox::with_haiti();
    fs::remove_file(sandbox.path(".annals/head")).unwrap();
    assert_eq!(sandbox.run(&["--timeline", "haiti", "list"]).code, 4);
    let verified = sandbox.run(&["verify"]);
    assert_eq!(verified.code, 4);
    assert!(verified.stdout.contains("read 20 records"), "the log itself is read: {}", verified.stdout);
    sandbox.write(".annals/head", "gibberish");
    assert_eq!(sandbox.run(&["--timeline", "haiti", "list"]).code, 4);
}

#[test]
fn what_an_interrupted_init_leaves_behind_is_replaced() {
    let sandbox = Sandbox::with_store();
    fs::remove_file(sandbox.path(".annals/format")).unwrap();
    assert_eq!(sandbox.run(&["list"]).code, 1, "no store yet");
    sandbox.ok(&["init"]);
    sandbox.ok(&["append", "--title", "x"]);
    // A store that has records is never taken for an unfinished one.
    fs::remove_file(sandbox.path(".annals/format")).unwrap();
    assert_eq!(sandbox.run(&["init"]).code, 4);
}

/// `rm .annals/*` and the like: what is left is a damaged store, and no place for a new one.
#[test]
fn a_store_that_lost_its_format_file_is_not_made_anew() {
    let sandbox = Sandbox::with_haiti();
    sandbox.ok(&["backup", "safe"]);
    let root = sandbox.json(&["stats"])["log_root"].clone();
    for lost in [&["format"][..], &["format", "head"], &["format", "head", "lock", "tail"]] {
        let _ = fs::remove_dir_all(sandbox.path("store"));
        copy_directory(&sandbox.path(".annals"), &sandbox.path("store"));
        for name in lost {
            let _ = fs::remove_file(sandbox.path("store").join(name));
        }
        let log = fs::read(sandbox.path("store/sled/db")).unwrap();
        for args in [&["list"][..], &["init"], &["append", "--title", "x"], &["verify"], &["compact"]] {
            let done = sandbox.run(&[&["--store", "store"], args].concat());
            assert_eq!(done.code, 4, "{lost:?}, {args:?}: {}", done.stderr);
            assert!(
                done.stderr.contains("format file is missing") && done.stderr.contains("hint: "),
                "{}",
                done.stderr
            );
        }
        assert!(fs::read(sandbox.path("store/sled/db")).unwrap() == log, "{lost:?}");
        assert_eq!(sandbox.run(&["--store", "store", "restore", "safe"]).code, 4);
        sandbox.ok(&["--store", "store", "restore", "safe", "--force"]);
        assert_eq!(sandbox.json(&["--store", "store", "stats"])["log_root"], root);
    }
}

#[test]
fn a_store_without_syncs_says_so() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.session(
        "
        init --durability os
        append --id a --title A
        stats
        verify
        init --durability never
    "
    ));
}

/// An import is killed at some moment, again and again. What it had recorded verifies, and running it again ends
/// with the whole file recorded once. The count is `ANNALS_KILLS`.
#[test]
fn a_killed_import_loses_nothing_and_can_be_run_again() {
    let kills: u64 = std::env::var("ANNALS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let sandbox = Sandbox::with_store();
    let events = 4_000;
    let lines: String =
        (0..events).map(|n| format!("{{\"id\":\"e{n}\",\"title\":\"Event {n}\"}}\n")).collect();
    sandbox.write("events.jsonl", &lines);
    let import = ["import", "events.jsonl", "--chunk", "20"];
    let mut recorded = 0;
    for kill in 0..kills {
        let mut child = sandbox
            .command(&import)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(7 + 23 * kill % 90));
        child.kill().unwrap();
        child.wait().unwrap();
        let verified = sandbox.run(&["--format", "json", "verify"]);
        assert_eq!(verified.code, 0, "kill {kill}: {}{}", verified.stdout, verified.stderr);
        let report: serde_json::Value = serde_json::from_str(&verified.stdout).unwrap();
        let records = report["read"]["records"].as_u64().unwrap();
        assert!(records >= recorded, "kill {kill}: {records} of {recorded}");
        assert_eq!(records % 20, 0, "kill {kill}: a chunk is whole or not there");
        recorded = records;
    }
    sandbox.ok(&import);
    assert_eq!(sandbox.json(&["stats"])["records"], events);
    sandbox.ok(&["verify"]);
}
