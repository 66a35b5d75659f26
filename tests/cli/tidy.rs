//! The rules of the house that no compiler checks.

use std::path::{Path, PathBuf};

use crate::sandbox::repository;

/// Code lines of a file and lines of a function that are never passed.
const FILE: usize = 600;
const FUNCTION: usize = 70;

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for room in ["crates", "cli", "tests"] {
        collect(&repository(room), &mut found);
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn collect(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_file_and_no_function_grows_beyond_its_room() {
    for (path, text) in sources() {
        let code =
            text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//")).count();
        assert!(code <= FILE, "{} has {code} code lines", path.display());
        let is_test =
            path.to_string_lossy().contains("/tests/") || path.to_string_lossy().contains("testkit");
        if is_test {
            continue;
        }
        let mut start = None;
        for (number, line) in text.lines().enumerate() {
            let trimmed = line.trim_start();
            let indent = line.len() - trimmed.len();
            let begins = trimmed.starts_with("fn ") || trimmed.contains(" fn ") && trimmed.starts_with("pub");
            if begins && !trimmed.ends_with(';') {
                start = Some((number, indent));
            }
            if let Some((from, depth)) = start
                && trimmed == "}"
                && indent == depth
            {
                let length = number - from;
                assert!(length <= FUNCTION, "{}:{}: {length} lines", path.display(), from + 1);
                start = None;
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} has no header", path.display());
    }
}

#[test]
fn no_reminder_is_left_in_the_sources() {
    let reminders = ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "XX".to_owned() + "X:"];
    for (path, text) in sources() {
        for reminder in &reminders {
            assert!(!text.contains(reminder.as_str()), "{}: {reminder}", path.display());
        }
    }
}

#[test]
fn the_rooms_know_only_what_they_may() {
    let forbidden = [
        ("crates/model", &["sled", "bincode", "clap", "annals-core", "annals-formats"][..]),
        ("crates/formats", &["sled", "bincode", "clap", "annals-core"]),
        ("crates/core", &["clap", "annals-formats"]),
        ("cli", &["sled", "bincode"]),
    ];
    // The peer of the benchmark is a C library: it stays with the benchmark, which nothing builds by the way.
    let rooms = ["crates/model", "crates/formats", "crates/core", "crates/testkit", "cli"];
    for room in rooms {
        let manifest = std::fs::read_to_string(repository(room).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("rusqlite") && !manifest.contains("annals-bench"), "{room} knows a peer");
    }
    let workspace = std::fs::read_to_string(repository("Cargo.toml")).unwrap();
    let default = workspace.lines().find(|line| line.starts_with("default-members"));
    assert!(default.is_some_and(|line| line.contains("cli") && !line.contains("bench")), "{default:?}");
    for (room, crates) in forbidden {
        let manifest = std::fs::read_to_string(repository(room).join("Cargo.toml")).unwrap();
        let own = manifest.split("[dev-dependencies]").next().unwrap();
        for name in crates {
            let named = own
                .lines()
                .any(|line| line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name} ")));
            assert!(!named, "{room} depends on {name}");
        }
    }
    for (path, text) in sources() {
        let names_bincode = text.lines().any(|line| line.trim_start().starts_with("use bincode"));
        assert!(!names_bincode || path.ends_with("codec/v1.rs"), "{} names bincode", path.display());
    }
}

#[test]
fn every_test_file_of_the_command_line_is_run() {
    let main = std::fs::read_to_string(repository("tests/cli/main.rs")).unwrap();
    for entry in std::fs::read_dir(repository("tests/cli")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "rs") && name != "main" {
            assert!(main.contains(&format!("mod {name};")), "{name} is not run");
        }
    }
}
