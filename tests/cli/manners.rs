//! How the program behaves towards terminals, pipes and people who have never seen it.

use std::io::Read as _;
use std::process::Stdio;

use crate::sandbox::{Sandbox, finish, has};

const COMMANDS: [&str; 29] = [
    "init",
    "demo",
    "append",
    "revise",
    "retract",
    "redact",
    "log",
    "list",
    "show",
    "replay",
    "diff",
    "history",
    "why",
    "conflicts",
    "snapshot",
    "date",
    "watch",
    "import",
    "export",
    "verify",
    "compact",
    "attest",
    "prove",
    "backup",
    "restore",
    "attachment",
    "stats",
    "completions",
    "man",
];

const HOSTILE: &str = "evil \u{1b}[31m \u{202e}txt.exe \u{7} </script>";

#[test]
fn nothing_in_the_data_reaches_a_terminal_raw() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&[
        "append",
        "--id",
        "e",
        "--date",
        "2004",
        "--title",
        HOSTILE,
        "--set",
        &format!("a.b={HOSTILE}"),
    ]);
    for args in [
        &["list"][..],
        &["log"],
        &["show", "e"],
        &["prove", "e"],
        &["replay"],
        &["--format", "json", "replay"],
        &["--format", "jsonl", "list"],
    ] {
        let shown = sandbox.ok(args);
        assert!(shown.contains("</script>"), "{args:?}: {shown}");
        let raw =
            shown.chars().find(|c| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(raw, None, "{args:?}: {shown}");
    }
    let done = sandbox.run(&["show", "\u{202e}e"]);
    assert!(!done.stderr.contains('\u{202e}'), "{}", done.stderr);
}

#[test]
fn an_export_to_a_terminal_is_safe_too() {
    if !has("script") {
        return;
    }
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "e", "--title", HOSTILE]);
    for format in ["csv", "json", "jsonl", "markdown", "geojson", "jsonld", "atom"] {
        let command = format!("{} export --to {format}", env!("CARGO_BIN_EXE_annals"));
        let mut terminal = std::process::Command::new("script");
        terminal.args(["-qec", &command, "/dev/null"]).current_dir(sandbox.path("."));
        let shown = finish(&mut terminal, "").stdout;
        assert!(shown.contains("evil"), "{shown}");
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{format}: {shown:?}");
    }
    let command = format!("{} export --to parquet", env!("CARGO_BIN_EXE_annals"));
    let mut terminal = std::process::Command::new("script");
    terminal.args(["-qec", &command, "/dev/null"]).current_dir(sandbox.path("."));
    let refused = finish(&mut terminal, "");
    assert!(refused.code == 2 && refused.stdout.contains("-o"), "{}", refused.stdout);
}

#[test]
fn colour_is_only_for_terminals_unless_it_is_asked_for() {
    let sandbox = Sandbox::with_store();
    let colourful = |args: &[&str], variables: &[(&str, &str)]| {
        let done = finish(sandbox.command(args).envs(variables.iter().copied()), "");
        done.stderr.contains('\u{1b}')
    };
    assert!(!colourful(&["show", "x"], &[]));
    assert!(colourful(&["--color", "always", "show", "x"], &[]));
    assert!(!colourful(&["--color", "never", "show", "x"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colourful(&["show", "x"], &[("NO_COLOR", "1"), ("TERM", "xterm-256color")]));
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let sandbox = Sandbox::with_store();
    let lines: String =
        (0..5000).map(|n| format!("{{\"id\":\"e{n}\",\"title\":\"Event number {n}\"}}\n")).collect();
    sandbox.ok_with(&["append", "-"], &lines);
    for args in
        [&["list"][..], &["--format", "jsonl", "log"], &["export", "--to", "csv"], &["completions", "bash"]]
    {
        let mut command = sandbox.command(args);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut first = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        assert!(output.status.success(), "{args:?}: {:?}", output.status);
    }
}

#[test]
fn quiet_leaves_results_and_errors() {
    let sandbox = Sandbox::with_haiti();
    let loud = sandbox.run(&["--timeline", "haiti", "list", "--kind", "pledge"]);
    let quiet = sandbox.run(&["--timeline", "haiti", "-q", "list", "--kind", "pledge"]);
    assert_eq!(loud.stdout, quiet.stdout);
    assert!(!loud.stderr.is_empty() && quiet.stderr.is_empty());
    assert!(!sandbox.run(&["-q", "list"]).stderr.is_empty());
}

#[test]
fn the_store_is_found_from_below_and_by_flag_and_variable() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "a", "--title", "A"]);
    let below = sandbox.path("some/where/below");
    std::fs::create_dir_all(&below).unwrap();
    let found = finish(sandbox.command(&["list"]).current_dir(&below), "");
    assert_eq!(found.code, 0, "{}", found.stderr);
    let store = sandbox.path(".annals");
    let elsewhere = tempfile::tempdir().unwrap();
    let lost = finish(sandbox.command(&["list"]).current_dir(&elsewhere), "");
    assert_eq!((lost.code, lost.stderr.contains("annals init")), (1, true));
    let named = finish(sandbox.command(&["list"]).current_dir(&elsewhere).env("ANNALS_STORE", &store), "");
    assert_eq!(named.code, 0, "{}", named.stderr);
    let flagged = finish(
        sandbox
            .command(&["--store", &store.to_string_lossy(), "list"])
            .current_dir(&elsewhere)
            .env("ANNALS_STORE", "x"),
        "",
    );
    assert_eq!(flagged.code, 0, "{}", flagged.stderr);
    let owner =
        finish(sandbox.command(&["list"]).current_dir(&elsewhere).env("ANNALS_STORE", sandbox.path(".")), "");
    assert_eq!((owner.code, owner.stdout), (0, flagged.stdout), "{}", owner.stderr);
    let timeline = finish(sandbox.command(&["list"]).env("ANNALS_TIMELINE", "mian"), "");
    assert!(timeline.stderr.contains("did you mean `--timeline main`?"), "{}", timeline.stderr);
}

#[test]
fn the_help_of_every_command_is_what_it_was() {
    let sandbox = Sandbox::new();
    let mut help = sandbox.session("-h");
    for command in COMMANDS {
        help.push('\n');
        help.push_str(&sandbox.session(&format!("{command} --help")));
    }
    insta::assert_snapshot!(help);
}

#[test]
fn the_short_help_fits_a_screen() {
    let sandbox = Sandbox::new();
    for command in COMMANDS {
        let lines = sandbox.ok(&[command, "-h"]).lines().count();
        assert!(lines <= 44, "{command}: {lines} lines");
    }
    assert!(sandbox.ok(&["-h"]).lines().count() <= 44);
}

#[test]
fn completions_and_the_manual_page_come_from_the_same_definitions() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(sandbox.ok(&["completions", shell]).contains("replay"), "{shell}");
    }
    assert!(sandbox.ok(&["man"]).contains(".TH annals"));
    assert!(
        sandbox.ok(&["man", "replay"]).contains("two clocks")
            || sandbox.ok(&["man", "replay"]).contains("Two clocks")
    );
    assert_eq!(sandbox.run(&["man", "rplay"]).code, 2);
}

#[test]
fn a_mistyped_command_is_answered_with_the_nearest() {
    let done = Sandbox::new().run(&["lst"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("list"), "{}", done.stderr);
}

/// What a program writes to a terminal, without the terminal's own orders.
fn on_a_terminal(sandbox: &Sandbox, args: &str) -> String {
    let command = format!("{} {args}", env!("CARGO_BIN_EXE_annals"));
    let mut terminal = std::process::Command::new("script");
    // The terminal of a test has no size, and a bar would have no room on it.
    let sized = format!("stty cols 120 rows 40; {command}");
    terminal.args(["-qec", &sized, "/dev/null"]).current_dir(sandbox.path("."));
    finish(&mut terminal, "").stdout
}

#[test]
fn long_work_shows_how_far_it_is_on_a_terminal_and_nowhere_else() {
    if !has("script") {
        return;
    }
    let sandbox = Sandbox::with_store();
    // So many that they are not read and decided between two drawings of the bar.
    let lines: String = (0..20_000)
        .map(|n| format!("{{\"id\":\"e{n}\",\"date\":\"2004\",\"title\":\"Event number {n}\"}}\n"))
        .collect();
    sandbox.write("many.jsonl", &lines);
    let import = ["import many.jsonl --dry-run", "import many.jsonl --skip-bad bad.jsonl"];
    for args in import {
        let shown = on_a_terminal(&sandbox, args);
        assert!(
            shown.contains('█') && shown.contains("events, ") && shown.contains(" a second"),
            "{shown:?}"
        );
        assert!(!shown.contains("d left"), "it never takes days: {shown:?}");
    }
    let shown = on_a_terminal(&sandbox, "import many.jsonl");
    assert!(shown.contains('█') && shown.contains("20,000 already there"), "{shown:?}");
    for args in ["export --to csv -o many.csv", "export --to ics --strict -o many.ics", "verify"] {
        let shown = on_a_terminal(&sandbox, args);
        assert!(shown.contains("reading the log") || shown.contains("records"), "{shown:?}");
        assert!(shown.contains(" a second") || !args.starts_with("export"), "{shown:?}");
        // Asked to be quiet, and where nobody looks, it says nothing of it.
        assert!(!on_a_terminal(&sandbox, &format!("--quiet {args}")).contains("a second"));
        let done = sandbox.run(&args.split(' ').collect::<Vec<_>>());
        assert!(!done.stderr.contains("a second") && !done.stderr.contains('\u{1b}'), "{}", done.stderr);
    }
}
