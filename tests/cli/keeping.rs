//! Backups and attachments, as people use them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::sandbox::Sandbox;

fn with_evidence() -> Sandbox {
    let sandbox = Sandbox::with_haiti();
    sandbox.write("report.pdf", "The report, as it was.\n");
    sandbox.write("photo.jpg", "A photograph.\n");
    sandbox
}

#[test]
fn a_session_with_backup_and_restore() {
    let sandbox = with_evidence();
    sandbox.ok(&["--timeline", "haiti", "snapshot", "save", "before", "--as-of", "2018"]);
    let session = "
        backup safe
        backup safe
        --timeline haiti append --id later --title 'Something later' --attach report.pdf
        backup safe
        verify safe
        restore safe
        restore safe --force
        verify
        --timeline haiti snapshot check before
        --store elsewhere restore safe
        backup .annals/inside
        backup report.pdf
        restore nowhere
        verify nowhere
    ";
    insta::assert_snapshot!(sandbox.session(session));
}

#[test]
fn a_backup_that_was_altered_is_told_and_not_restored() {
    let sandbox = Sandbox::with_haiti();
    sandbox.ok(&["backup", "safe"]);
    let log = sandbox.path("safe/log");
    let segment = fs::read_dir(&log).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&segment, bytes).unwrap();
    for args in [&["verify", "safe"][..], &["--store", "new", "restore", "safe"]] {
        let done = sandbox.run(args);
        assert_eq!(done.code, 4, "{}", done.stderr);
        assert!(done.stderr.contains("fails its checksum"), "{}", done.stderr);
    }
    assert!(!sandbox.path("new").exists());
    assert!(!sandbox.path("new.restoring").exists());
}

#[test]
fn a_session_with_attachments() {
    let sandbox = with_evidence();
    let session = "
        append --id a --title 'With a copy' --source https://example.org/report --quote 'as it was' --attach report.pdf
        append --id b --title 'With two' --attach report.pdf --attach photo.jpg
        revise b --attach report.pdf
        show a
        attachment list
        attachment get e31a58ad -o again.pdf
        attachment get e3
        attachment get ffffffffffff
        attachment rm e31a58ad
        attachment add report.pdf
        append --id c --title 'Not there' --attach nothing.pdf
        verify
    ";
    insta::assert_snapshot!(sandbox.session(session));
    assert_eq!(fs::read(sandbox.path("again.pdf")).unwrap(), fs::read(sandbox.path("report.pdf")).unwrap());
}

#[test]
fn a_missing_or_altered_attachment_is_damage_and_an_orphan_is_none() {
    let sandbox = with_evidence();
    sandbox.ok(&["append", "--id", "a", "--title", "t", "--attach", "report.pdf", "--attach", "photo.jpg"]);
    sandbox.write("unused.txt", "nobody names it");
    sandbox.ok(&["attachment", "add", "unused.txt"]);
    let kept = sandbox.path(".annals/attachments");
    let mut names: Vec<_> = fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), 3);
    let done = sandbox.run(&["verify"]);
    assert_eq!(
        (done.code, done.stderr.trim()),
        (0, "no event names 1 attachment; `annals attachment list` shows them")
    );
    for name in names {
        let bytes = fs::read(&name).unwrap();
        if bytes.starts_with(b"nobody") {
            continue;
        }
        fs::remove_file(&name).unwrap();
        let done = sandbox.run(&["verify"]);
        assert_eq!(done.code, 4);
        assert!(done.stdout.contains("is missing ("), "{}", done.stdout);
        fs::write(&name, "something else").unwrap();
        let done = sandbox.run(&["verify"]);
        assert_eq!(done.code, 4);
        assert!(done.stdout.contains("is not what was attached ("), "{}", done.stdout);
        let hash = name.file_name().unwrap().to_str().unwrap();
        assert_eq!(sandbox.run(&["attachment", "get", hash, "-o", "out"]).code, 4);
        assert!(!sandbox.path("out").exists());
        assert_eq!(sandbox.run(&["backup", "safe"]).code, 4);
        // The original mends it.
        fs::set_permissions(&name, fs::Permissions::from_mode(0o600)).unwrap();
        sandbox.ok(&["attachment", "add", "report.pdf", "photo.jpg"]);
        assert_eq!(sandbox.run(&["verify"]).code, 0);
        assert_eq!(fs::read(&name).unwrap(), bytes);
    }
}

/// `backup` and `restore` are killed again and again while the store grows: the backup is whole at any moment, an older or
/// a newer one, and a store that was to be made is there whole or not at all. The count is `ANNALS_KILLS`.
#[test]
fn a_backup_survives_being_killed() {
    let kills: u64 = std::env::var("ANNALS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let sandbox = Sandbox::with_store();
    let lines = |from: u64, to: u64| -> String {
        (from..to)
            .map(|n| format!("{{\"id\":\"e{n}\",\"title\":\"Event {n}\",\"date\":\"2004\"}}\n"))
            .collect()
    };
    sandbox.write("many.jsonl", &lines(0, 3000));
    sandbox.ok(&["import", "many.jsonl"]);
    sandbox.ok(&["backup", "safe"]);
    let count = |args: &[&str]| sandbox.json(args)["read"]["records"].as_u64().unwrap();
    let mut had = 3000;
    for kill in 0..kills {
        sandbox.write("more.jsonl", &lines(3000 + kill * 400, 3400 + kill * 400));
        sandbox.ok(&["import", "more.jsonl"]);
        sandbox.write("evidence", &"x".repeat(usize::try_from(kill).unwrap() * 1000));
        sandbox.ok(&["attachment", "add", "evidence"]);
        let pause = std::time::Duration::from_micros(3000 + kill * 7919 % 90_000);
        let killed = |args: &[&str]| {
            let mut child = sandbox.command(args).stdout(std::process::Stdio::null()).spawn().unwrap();
            std::thread::sleep(pause);
            let _ = child.kill();
            child.wait().unwrap().success()
        };
        let finished = killed(&["backup", "safe"]);
        let has = count(&["verify", "safe"]);
        assert!(has == had || has == 3400 + kill * 400, "{has} records after {had}");
        assert!(!finished || has == 3400 + kill * 400);
        had = has;
        let _ = fs::remove_dir_all(sandbox.path("again"));
        if killed(&["--store", "again", "restore", "safe"]) || sandbox.path("again/format").exists() {
            assert_eq!(count(&["--store", "again", "verify"]), has);
        }
    }
    sandbox.ok(&["backup", "safe"]);
    sandbox.ok(&["--store", "last", "restore", "safe"]);
    let root = |args: &[&str]| sandbox.json(args)["log_root"].clone();
    assert_eq!(root(&["--store", "last", "verify"]), root(&["verify"]));
}
