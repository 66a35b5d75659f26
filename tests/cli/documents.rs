//! The documents say what the program does: every `console` session in them is run, in the order of the page, and has to
//! print what the page shows. `ANNALS_UPDATE_DOCS=1` writes what it prints into the page instead.

use std::fmt::Write as _;

use crate::sandbox::{Sandbox, repository, split};

#[test]
fn the_readme_shows_what_the_program_prints() {
    check("README.md");
}

#[test]
fn six_questions_are_answered_as_the_page_shows() {
    check("docs/six-questions.md");
}

#[test]
fn evidence_is_made_and_checked_as_the_page_shows() {
    check("docs/evidence.md");
}

fn check(page: &str) {
    let path = repository(page);
    let written = std::fs::read_to_string(&path).unwrap();
    let sandbox = Sandbox::new();
    let mut shown = String::new();
    let mut lines = written.lines();
    let mut commands = 0;
    while let Some(line) = lines.next() {
        let _ = writeln!(shown, "{line}");
        if line != "```console" {
            continue;
        }
        for line in lines.by_ref().take_while(|line| *line != "```") {
            if let Some(command) = line.strip_prefix("$ annals ") {
                commands += 1;
                let _ = writeln!(shown, "{line}");
                shown.push_str(&run(&sandbox, command));
            }
        }
        shown.push_str("```\n");
    }
    assert!(commands > 3, "{page} has hardly a session");
    if std::env::var_os("ANNALS_UPDATE_DOCS").is_some() {
        std::fs::write(&path, shown).unwrap();
    } else {
        let differs = shown.lines().zip(written.lines()).find(|(shown, written)| shown != written);
        assert_eq!(differs, None, "{page}: ANNALS_UPDATE_DOCS=1 writes what the program prints");
        assert_eq!(shown.len(), written.len(), "{page}: ANNALS_UPDATE_DOCS=1 writes what the program prints");
    }
}

/// Runs a command of a page; `program | annals …` and `annals … < file` are beyond it.
fn run(sandbox: &Sandbox, command: &str) -> String {
    let words = split(command);
    let args: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = sandbox.run(&args);
    sandbox.masked(&(done.stderr + &done.stdout)).replace('\r', "")
}
