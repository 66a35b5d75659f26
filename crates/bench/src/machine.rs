//! What was measured on, as Linux tells it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;

/// One line about processor, memory and kernel.
pub fn describe() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| kibibytes(&text)).unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = load().map_or_else(|| "unknown".to_owned(), |load| format!("{load:.1}"));
    let memory = memory >> 30;
    format!("{cpu}, {cores} cores, {memory} GiB, Linux {}, load {load} over five minutes", kernel.trim())
}

/// Whether others wanted the processor, too: more threads were waiting than this program has use for.
pub fn is_busy() -> bool {
    load().is_some_and(|load| load > 2.0)
}

/// How many threads ran or waited, on the average of the last five minutes.
fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

/// What was measured, as git names it.
pub fn revision() -> String {
    let told = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let told = told.ok().filter(|told| told.status.success());
    told.map_or_else(
        || concat!("version ", env!("CARGO_PKG_VERSION")).to_owned(),
        |told| String::from_utf8_lossy(&told.stdout).trim().to_owned(),
    )
}

/// The largest memory that this process has had, in bytes.
pub fn peak_memory() -> Outcome<u64> {
    let peak = field("/proc/self/status", "VmHWM").and_then(|text| kibibytes(&text));
    peak.ok_or_else(|| "the system does not tell the process's memory".into())
}

/// Bytes of all files under a path; none where nothing is.
pub fn size(path: &Path) -> Outcome<u64> {
    if !path.try_exists()? {
        return Ok(0);
    }
    let about = fs::metadata(path)?;
    if !about.is_dir() {
        return Ok(about.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

/// Copies a file or a directory with all that is in it.
pub fn copy(from: &Path, to: &Path) -> Outcome<()> {
    if !from.is_dir() {
        fs::copy(from, to)?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kibibytes(text: &str) -> Option<u64> {
    text.strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|count| count << 10)
}
