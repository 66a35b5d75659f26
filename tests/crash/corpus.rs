//! The corpus of the fuzzer, through the same functions, with the stable compiler.
//!
//! Each file is also altered here and there and cut short. The count for each file is `ANNALS_MUTATIONS`, and a quarter of
//! it for the targets that take many times as long as the others.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use crate::disk::Dice;
use crate::sandbox::repository;
use crate::targets::{self, Target};

/// How long one input may take, on a slow machine.
const DEADLINE: Duration = Duration::from_secs(10);

/// One writes every format there is, the other opens a store and asks it.
const SLOW: [&str; 2] = ["exports", "beside"];

#[test]
fn every_decoder_stands_its_corpus() {
    let mutations: usize = std::env::var("ANNALS_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let files: Vec<_> = targets::ALL.iter().flat_map(|(name, target)| corpus(name, *target)).collect();
    let next = AtomicUsize::new(0);
    let spent = Mutex::new(BTreeMap::<&str, (usize, Duration)>::new());
    // Each thread takes the next file until there is none.
    std::thread::scope(|scope| {
        for _ in 0..available_parallelism().map_or(1, NonZeroUsize::get) {
            scope.spawn(|| {
                while let Some((name, target, file)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let mutations = if SLOW.contains(name) { mutations.div_ceil(4) } else { mutations };
                    attack(*target, file, mutations);
                    let mut spent = spent.lock().unwrap();
                    let entry = spent.entry(name).or_default();
                    *entry = (entry.0 + mutations + 1, entry.1 + begun.elapsed());
                }
            });
        }
    });
    let spent = spent.into_inner().unwrap();
    for (name, (inputs, time)) in &spent {
        println!("{name}: {inputs} inputs in {time:.1?}");
    }
    let inputs: usize = spent.values().map(|(inputs, _)| inputs).sum();
    println!("{inputs} inputs for {} targets", spent.len());
    assert_eq!(spent.len(), targets::ALL.len());
}

/// The files of a target's corpus.
fn corpus(name: &'static str, target: Target) -> Vec<(&'static str, Target, PathBuf)> {
    let directory = repository("tests/fuzz/corpus").join(name);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<_> = entries.map(|entry| (name, target, entry.unwrap().path())).collect();
    assert!(!files.is_empty(), "{name} has no corpus");
    files.sort_by(|one, other| one.2.cmp(&other.2));
    files
}

/// A file as it is, and altered so many times.
fn attack(target: Target, file: &Path, mutations: usize) {
    let whole = fs::read(file).unwrap();
    let mut dice = Dice(whole.len() as u64);
    for mutation in 0..=mutations {
        let bytes = if mutation == 0 { whole.clone() } else { altered(&whole, &mut dice) };
        let start = Instant::now();
        let done = catch_unwind(|| target(&bytes));
        let what = || format!("{}, mutation {mutation}: {:?}", file.display(), bytes.escape_ascii());
        assert!(done.is_ok(), "{}", what());
        assert!(start.elapsed() < DEADLINE, "{} took {:?}", what(), start.elapsed());
    }
}

/// The bytes with one to four changes.
fn altered(whole: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=dice.below(4) {
        if bytes.is_empty() {
            bytes.push(b'0');
        }
        let (at, other) = (dice.below(bytes.len()), whole.get(dice.below(whole.len())).copied());
        let other = other.unwrap_or(b'/');
        match dice.below(5) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, other),
            _ => bytes[at] = other,
        }
    }
    bytes
}
