//! The corpus of the fuzzer, through the same functions, with the stable compiler.
//!
//! Each file is also altered here and there and cut short. The count for each file is `ANNALS_MUTATIONS`.

use std::fs;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use crate::disk::Dice;
use crate::sandbox::repository;
use crate::targets;

/// How long one input may take, on a slow machine.
const DEADLINE: Duration = Duration::from_secs(10);

#[test]
fn every_decoder_stands_its_corpus() {
    let mutations = std::env::var("ANNALS_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let mut inputs = 0;
    for (name, target) in targets::ALL {
        let directory = repository("tests/fuzz/corpus").join(name);
        let mut files: Vec<_> = fs::read_dir(&directory)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let whole = fs::read(&file).unwrap();
            let mut dice = Dice(whole.len() as u64);
            for mutation in 0..=mutations {
                let bytes = if mutation == 0 { whole.clone() } else { altered(&whole, &mut dice) };
                let start = Instant::now();
                let done = catch_unwind(|| target(&bytes));
                let what = format!("{}, mutation {mutation}: {:?}", file.display(), bytes.escape_ascii());
                assert!(done.is_ok(), "{what}");
                assert!(start.elapsed() < DEADLINE, "{what} took {:?}", start.elapsed());
                inputs += 1;
            }
        }
    }
    println!("{inputs} inputs for {} targets", targets::ALL.len());
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
