//! Running a script of this folder under Node or Python, with the packages that were installed for it.

use std::path::PathBuf;
use std::process::Command;

use crate::sandbox::repository;

/// Where the packages are.
fn installed() -> PathBuf {
    let given = std::env::var_os("ANNALS_READERS").map(PathBuf::from);
    given.unwrap_or_else(|| repository("target/readers")).canonicalize().unwrap_or_default()
}

/// Runs `tests/readers/NAME.mjs` under Node and gives what it printed; `None` where Node, Chromium or a package is
/// missing, which under `tests/run` is a failure.
pub fn node(name: &str, args: &[&str]) -> Option<String> {
    let packages = installed();
    let there = packages.join("node_modules").is_dir() && crate::sandbox::has("node");
    run(there, "the npm packages of tests/readers", || {
        let mut command = Command::new("node");
        command
            .arg(repository(&format!("tests/readers/{name}.mjs")))
            .args(args)
            .env("ANNALS_READERS", &packages);
        command
    })
}

/// Runs `tests/readers/NAME.py` under Python and gives what it printed; `None` where a package is missing, which under
/// `tests/run` is a failure.
pub fn python(name: &str, args: &[&str]) -> Option<String> {
    let program = installed().join("venv/bin/python3");
    run(program.is_file(), "the Python packages of tests/readers", || {
        let mut command = Command::new(&program);
        command.arg(repository(&format!("tests/readers/{name}.py"))).args(args);
        command
    })
}

fn run(there: bool, what: &str, command: impl FnOnce() -> Command) -> Option<String> {
    if !there {
        assert!(
            std::env::var_os("ANNALS_TEST_NO_SKIP").is_none(),
            "{what} are missing: tests/readers/install"
        );
        println!("skipped: {what} are missing: tests/readers/install");
        return None;
    }
    let done = command().output().unwrap();
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}\n{stderr}", String::from_utf8_lossy(&done.stdout));
    Some(String::from_utf8(done.stdout).unwrap())
}
