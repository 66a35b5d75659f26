//! Disks that are full, and disks that cannot be written: said clearly, and nothing that was acknowledged is lost.
//!
//! A small file system in memory is mounted, which takes the rights to do so. The count is `ANNALS_FULL`.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use crate::disk::Dice;
use crate::power::files;
use crate::sandbox::{Done, Sandbox};

/// Bytes of the small disk.
const SIZE: usize = 8 << 20;
/// How little room is left on it in the beginning, at most.
const ROOM: usize = 1 << 20;
/// Stands in what is redacted.
const MARKER: &str = "a name that has to go";

/// A store on a small disk of its own.
struct Small {
    sandbox: Sandbox,
    acknowledged: Vec<String>,
}

impl Small {
    /// Mounts the disk; `None` where that is not allowed, which under `tests/run` is a failure.
    fn mount() -> Option<Self> {
        let small = Self { sandbox: Sandbox::new(), acknowledged: Vec::new() };
        fs::create_dir(small.disk()).unwrap();
        let options = format!("size={SIZE}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(small.disk()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(small);
        }
        assert!(
            std::env::var_os("ANNALS_TEST_NO_SKIP").is_none(),
            "a file system cannot be mounted: run as root"
        );
        println!("skipped: a file system cannot be mounted without being root");
        None
    }

    fn disk(&self) -> PathBuf {
        self.sandbox.path("disk")
    }

    fn remount(&self, how: &str) {
        let status =
            Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(self.disk()).status().unwrap();
        assert!(status.success());
    }

    fn run(&self, args: &[&str]) -> Done {
        let done = self.sandbox.run(&[&["--store", "disk/store"], args].concat());
        assert!([0, 1].contains(&done.code), "{args:?}: exit {}: {}", done.code, done.stderr);
        done
    }

    /// Leaves so many bytes free.
    fn leave(&self, bytes: u64) {
        let mut filler = fs::File::create(self.disk().join("filler")).unwrap();
        while filler.write_all(&[1; 4096]).is_ok() {}
        let length = filler.metadata().unwrap().len();
        filler.set_len(length - bytes).unwrap();
    }

    /// Appends an event with a text so long; whether it was acknowledged.
    fn append(&mut self, number: usize, length: usize) -> Result<(), String> {
        let id = format!("e{number}");
        // Something that does not compress.
        let mut dice = Dice(number as u64);
        let text: String =
            (0..length).map(|_| char::from(b'!' + u8::try_from(dice.below(90)).unwrap())).collect();
        let done =
            self.run(&["append", "--id", &id, "--title", "An event", "--description", &format!("x{text}")]);
        if done.code != 0 {
            return Err(done.stderr);
        }
        self.acknowledged.push(id);
        Ok(())
    }

    /// Everything that was acknowledged is there, and the store can be gone on with.
    fn check(&mut self, what: &str) {
        let verified = self.run(&["verify"]);
        assert_eq!(verified.code, 0, "{what}: {}{}", verified.stdout, verified.stderr);
        let log = self.run(&["log", "--format", "jsonl"]).stdout;
        for id in &self.acknowledged {
            assert!(log.contains(&format!("\"id\":\"{id}\"")), "{what}: {id} is lost");
        }
        let number = self.acknowledged.len() + 10_000;
        self.append(number, 10).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.disk()).status();
    }
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let times: usize = std::env::var("ANNALS_FULL").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    let mut dice = Dice(0xD15C);
    for time in 0..times {
        let Some(mut small) = Small::mount() else { return };
        small.run(&["init"]);
        for number in 0..5 {
            small.append(number, 100).unwrap();
        }
        let room = dice.below(ROOM);
        small.leave(room as u64);
        // Long enough to fill it.
        let length = 200 + room / 100 + dice.below(60_000);
        let refused = (5..200).find_map(|number| small.append(number, length).err()).unwrap();
        assert!(refused.contains("error: ") && refused.contains("hint: "), "{refused}");
        assert!(refused.contains("the disk is full"), "{refused}");
        // However often it is tried, and whatever is asked meanwhile, it gets no worse.
        for number in 200..203 {
            let _ = small.append(number, length);
        }
        let _ = small.run(&["replay"]);
        fs::remove_file(small.disk().join("filler")).unwrap();
        small.check(&format!("disk {time}, texts of {length}"));
    }
}

/// What writes, on a disk with so much room: done, or refused in words, and nothing of it half. `NEW` is a name of its own.
const WRITING: &[&[&str]] = &[
    &["append", "--id", "NEW", "--title", "With a file", "--attach", "evidence"],
    &["import", "more.jsonl"],
    &["import", "more.jsonl", "--chunk", "50"],
    &["redact", "secret", "--reason", "asked for"],
    &["snapshot", "save", "kept", "--as-of", "2006"],
    &["backup", "disk/backup"],
    &["compact"],
    &["history", "x1"],
    &["list", "--from", "2003"],
    &["export", "--to", "jsonl", "-o", "disk/out.jsonl"],
    &["attest", "--key", "desk.key", "-o", "disk/checkpoint.txt"],
    &["verify"],
];

#[test]
fn whatever_is_done_on_a_full_disk_is_done_or_refused() {
    let times: usize = std::env::var("ANNALS_FULL").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    let mut dice = Dice(0x000F_0011);
    let line = |n: usize| {
        let effect = format!(r#"{{"op":"set","entity":"x{}","attribute":"y","value":{n}}}"#, n % 7);
        format!(r#"{{"id":"e{n}","title":"Event {n}","date":"2004","effects":[{effect}]}}"#)
    };
    let (mut done_so, mut refused) = (0, 0);
    for time in 0..times.div_ceil(2) {
        let Some(mut small) = Small::mount() else { return };
        small.run(&["init"]);
        let (first, all) = ((20_000..22_200).map(line), (20_000..22_500).map(line));
        small.sandbox.write("first.jsonl", &first.collect::<Vec<_>>().join("\n"));
        small.sandbox.write("more.jsonl", &all.collect::<Vec<_>>().join("\n"));
        small.sandbox.write("evidence", &"a long letter ".repeat(9_000));
        small.sandbox.ok(&["attest", "--new-key", "desk.key", "--name", "desk"]);
        assert_eq!(small.run(&["import", "first.jsonl"]).code, 0);
        assert_eq!(small.run(&["append", "--id", "secret", "--title", MARKER]).code, 0);
        assert_eq!(small.run(&["replay"]).code, 0);
        small.acknowledged.push("secret".to_owned());
        // None at all the first time; then more and more.
        let room = if time == 0 { 0 } else { dice.below(400_000 * time / times + 4096) };
        for args in WRITING {
            small.leave(room as u64);
            let new = format!("n{time}");
            let args: Vec<&str> = args.iter().map(|arg| if *arg == "NEW" { &new } else { *arg }).collect();
            let done = small.run(&args);
            let what = format!("{args:?} with {room} bytes: {}", done.stderr);
            if done.code == 0 {
                done_so += 1;
                let holds = |path: &PathBuf| {
                    let content = fs::read(path).unwrap();
                    content.windows(MARKER.len()).any(|bytes| bytes == MARKER.as_bytes())
                };
                let beside = files(&small.disk().join("store")).into_iter();
                let mut beside = beside.filter(|path| !path.display().to_string().contains("/sled"));
                assert!(args[0] != "redact" || !beside.any(|path| holds(&path)), "{what}");
                assert!(args[0] != "backup" || small.run(&["verify", "disk/backup"]).code == 0, "{what}");
            } else {
                refused += 1;
                assert!(done.stderr.contains("the disk is full"), "{what}");
                assert!(!small.disk().join("out.jsonl").exists(), "{what}");
                assert!(!small.disk().join("checkpoint.txt").exists(), "{what}");
            }
            for left in ["backup", "out.jsonl", "checkpoint.txt"].map(|name| small.disk().join(name)) {
                let _ = if left.is_dir() { fs::remove_dir_all(left) } else { fs::remove_file(left) };
            }
        }
        fs::remove_file(small.disk().join("filler")).unwrap();
        small.check(&format!("disk {time} with {room} bytes"));
    }
    println!("{done_so} done, {refused} refused");
    assert!(done_so > 0 && refused > 0);
}

#[test]
fn a_file_system_that_cannot_be_written_is_said() {
    let Some(mut small) = Small::mount() else { return };
    small.run(&["init"]);
    small.append(1, 100).unwrap();
    small.remount("ro");
    for args in [&["append", "--title", "x"][..], &["list"]] {
        let done = small.run(args);
        assert_eq!(done.code, 1);
        assert!(
            done.stderr.contains("Read-only file system") && done.stderr.contains("hint: "),
            "{}",
            done.stderr
        );
    }
    small.remount("rw");
    small.check("after it can be written again");
}

#[test]
fn a_disk_without_room_for_a_store_is_said() {
    let Some(small) = Small::mount() else { return };
    small.leave(4096);
    let done = small.run(&["init"]);
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("the disk is full"), "{}", done.stderr);
    fs::remove_file(small.disk().join("filler")).unwrap();
    assert_eq!(small.run(&["init"]).code, 0, "what was left behind is replaced");
}
