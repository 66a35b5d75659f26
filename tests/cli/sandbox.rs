//! A directory of its own, an environment with nothing in it, and a clock that ticks once a command.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_annals");
/// The clock of the first command; each one starts a minute later than the one before.
const START_MINUTE: u32 = 9 * 60;

/// Where commands are run.
pub struct Sandbox {
    directory: TempDir,
    minute: AtomicU32,
}

/// What a command did.
pub struct Done {
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
    /// Its exit code.
    pub code: i32,
}

impl Sandbox {
    /// An empty directory.
    pub fn new() -> Self {
        Self { directory: TempDir::new().unwrap(), minute: AtomicU32::new(START_MINUTE) }
    }

    /// A directory with an empty store in it.
    pub fn with_store() -> Self {
        let sandbox = Self::new();
        sandbox.ok(&["init"]);
        sandbox
    }

    /// A directory with the store of the demo in it, as `haiti`, and `.annals` for the sandbox to find.
    pub fn with_haiti() -> Self {
        let sandbox = Self::new();
        sandbox.ok(&["demo", ".annals"]);
        sandbox
    }

    /// Puts the clock forward by an hour.
    pub fn wait_an_hour(&self) {
        self.minute.fetch_add(60, Ordering::Relaxed);
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file inside.
    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// The command, ready to be run.
    pub fn command(&self, args: &[&str]) -> Command {
        let minute = self.minute.fetch_add(1, Ordering::Relaxed);
        let mut command = Command::new(BINARY);
        command
            .args(args)
            .env_clear()
            .env("TZ", "UTC")
            .env("COLUMNS", "110")
            .env("USER", "tester")
            .env("HOME", self.path("home"))
            .env(
                "ANNALS_TEST_CLOCK",
                format!("2026-03-{:02}T{:02}:{:02}:00Z", 1 + minute / 1440, minute / 60 % 24, minute % 60),
            )
            .env("ANNALS_TEST_SEED", minute.to_string())
            .current_dir(self.directory.path());
        command
    }

    /// Runs a command.
    pub fn run(&self, args: &[&str]) -> Done {
        self.run_with(args, "")
    }

    /// Runs a command with a text on its standard input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Done {
        finish(&mut self.command(args), input)
    }

    /// Runs a command that has to succeed; gives what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        self.ok_with(args, "")
    }

    /// Runs a command that has to succeed, with a text on its standard input.
    pub fn ok_with(&self, args: &[&str], input: &str) -> String {
        let done = self.run_with(args, input);
        assert_eq!(done.code, 0, "annals {args:?}: {}", done.stderr);
        done.stdout
    }

    /// Runs a command that has to succeed and print JSON.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut all = vec!["--format", "json"];
        all.extend(args);
        serde_json::from_str(&self.ok(&all)).unwrap()
    }

    /// Runs commands, a line each, and tells the session as a person would see it.
    pub fn session(&self, lines: &str) -> String {
        let mut told = String::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words = split(line);
            let args: Vec<&str> = words.iter().map(String::as_str).collect();
            let done = self.run(&args);
            let _ = writeln!(told, "$ annals {line}");
            told.push_str(&self.masked(&done.stdout));
            for error in self.masked(&done.stderr).lines() {
                let _ = writeln!(told, "! {error}");
            }
            if done.code != 0 {
                let _ = writeln!(told, "[exit {}]", done.code);
            }
        }
        told
    }

    /// A text without the name of the directory, which is another one each time.
    pub fn masked(&self, text: &str) -> String {
        text.replace(&*self.directory.path().to_string_lossy(), "SANDBOX")
    }
}

/// Runs a prepared command to its end.
pub fn finish(command: &mut Command, input: &str) -> Done {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // The command may end without having read it all.
        let _ = stdin.write_all(input.as_bytes());
    });
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Done {
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
        code: status.code().unwrap_or(-1),
    }
}

/// Splits a line into words as a shell does, with single and double quotes.
pub fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Whether a program is there. Under `tests/run` it has to be.
pub fn has(program: &str) -> bool {
    let found =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(found || std::env::var_os("ANNALS_TEST_NO_SKIP").is_none(), "{program} is missing");
    if !found {
        println!("skipped: {program} is missing");
    }
    found
}

/// Copies a directory with all that is in it.
pub fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if entry.is_dir() {
            copy_directory(&entry, &target);
        } else {
            fs::copy(entry, target).unwrap();
        }
    }
}
