//! What a command did to its files, from `strace`.
//!
//! Every call that changes a file, a name or what is durable becomes a [`Call`], in the order in which the calls
//! ended. Strings come as hexadecimal digits (`-xx`) and descriptors with their paths (`-y`), so that nothing has to be
//! guessed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const CALLS: &str = "openat,open,creat,read,pread64,lseek,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fallocate,fsync,\
     fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,copy_file_range,sendfile,close,syncfs,sync";

/// One call that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    Open {
        fd: u32,
        path: PathBuf,
        truncates: bool,
        creates: bool,
        appends: bool,
    },
    Close {
        fd: u32,
    },
    /// The offset is where the file stands if none is given.
    Write {
        fd: u32,
        offset: Option<u64>,
        bytes: Vec<u8>,
    },
    Moved {
        fd: u32,
        by: u64,
    },
    Seek {
        fd: u32,
        to: u64,
    },
    Truncate {
        fd: u32,
        length: u64,
    },
    Sync {
        fd: u32,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    MakeDirectory {
        path: PathBuf,
    },
    /// Something was told on standard output.
    Told {
        text: String,
    },
}

/// Runs a command under `strace`; gives its calls.
pub fn record(command: &Command, into: &Path) -> Vec<Call> {
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-y", "-xx", "-s", "16777216", "-e", &format!("trace={CALLS}"), "-o"])
        .arg(into)
        .arg("--");
    traced.arg(command.get_program()).args(command.get_args());
    traced.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced.current_dir(command.get_current_dir().unwrap());
    let done = traced.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    read(&std::fs::read_to_string(into).unwrap(), command.get_current_dir().unwrap())
}

/// Reads the trace of a command that ran in `here`.
fn read(text: &str, here: &Path) -> Vec<Call> {
    let mut begun: HashMap<&str, String> = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let (process, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(process, start.to_owned());
            continue;
        }
        let whole = match rest.strip_prefix("<... ") {
            Some(resumed) => {
                let (_, end) = resumed.split_once(" resumed>").unwrap();
                format!("{}{end}", begun.remove(process).unwrap())
            }
            None => rest.to_owned(),
        };
        calls.extend(call(&whole, here));
    }
    calls
}

/// One call: nothing where it failed, or changed nothing.
fn call(text: &str, here: &Path) -> Option<Call> {
    let (call, result) = text.rsplit_once(" = ")?;
    let (name, arguments) = call.split_once('(')?;
    if result.starts_with('-') || result.starts_with('?') {
        return None;
    }
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let strings = strings(arguments);
    let named = |index: usize| PathBuf::from(String::from_utf8(strings[index].clone()).unwrap());
    let path = |index: usize| here.join(named(index));
    let fd = || number(arguments);
    let last = || arguments.rsplit(", ").next().and_then(|text| text.parse::<u64>().ok()).unwrap();
    let count = number(result).map(u64::from);
    Some(match name {
        "openat" | "open" | "creat" => {
            let (_, told) = result.split_once('<')?;
            // Of a device its numbers follow, in brackets of their own.
            let told = told.split(['<', '>']).next()?;
            let path = String::from_utf8(unescape(told)).unwrap();
            let has = |flag: &str| arguments.contains(flag);
            Call::Open {
                fd: number(result)?,
                path: PathBuf::from(path),
                truncates: has("O_TRUNC"),
                creates: has("O_CREAT"),
                appends: has("O_APPEND"),
            }
        }
        "write" if fd() == Some(1) => Call::Told { text: String::from_utf8_lossy(&strings[0]).into_owned() },
        // An unfinished write would be a part of what was asked: the result says how much of it was done.
        "write" => Call::Write {
            fd: fd()?,
            offset: None,
            bytes: strings[0][..usize::try_from(count?).unwrap()].to_vec(),
        },
        "pwrite64" => Call::Write { fd: fd()?, offset: Some(last()), bytes: strings[0].clone() },
        "read" => Call::Moved { fd: fd()?, by: count? },
        "lseek" => Call::Seek { fd: fd()?, to: result.trim().parse().ok()? },
        "ftruncate" => Call::Truncate { fd: fd()?, length: last() },
        "fsync" | "fdatasync" => Call::Sync { fd: fd()? },
        "rename" | "renameat" | "renameat2" => Call::Rename { from: path(0), to: path(1) },
        "unlink" | "unlinkat" | "rmdir" => Call::Remove { path: here.join(at(arguments, named(0))) },
        "mkdir" | "mkdirat" => Call::MakeDirectory { path: path(0) },
        "close" => Call::Close { fd: fd()? },
        "pread64" => return None,
        other => {
            panic!("a call that the model of a disk does not know: {other}: {}", &text[..text.len().min(200)])
        }
    })
}

/// The path of a call that names its directory by a descriptor.
fn at(arguments: &str, path: PathBuf) -> PathBuf {
    let directory = arguments.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    match directory {
        Some((directory, _)) if path.is_relative() => {
            PathBuf::from(String::from_utf8(unescape(directory)).unwrap()).join(path)
        }
        _ => path,
    }
}

fn number(text: &str) -> Option<u32> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The quoted strings.
fn strings(text: &str) -> Vec<Vec<u8>> {
    text.split('"').skip(1).step_by(2).map(unescape).collect()
}

fn unescape(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}
