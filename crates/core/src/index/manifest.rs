//! The manifest: which runs make the index, and of which log.
//!
//! `"ANNIDX01"`, the root of the last block of records covered (32 bytes), where the log ended when the index was
//! begun, and how many records covered are redactions or were redacted (u64 each), the number of runs (u32), for each
//! run its file's number and its last record (u64 each), each of those redactions (u64), CRC32C (u32); little-endian.
//! It is replaced by a rename.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use annals_model::Seq;

use crate::merkle::Hash;

const MAGIC: &[u8; 8] = b"ANNIDX01";
const NAME: &str = "manifest";

/// The runs of an index, in the order of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The root of the block that ends with the last record covered.
    pub root: Hash,
    /// Where the log ended when the index was begun: what had been redacted by then was never in it.
    pub begun: Seq,
    /// The records covered that are redactions, or were redacted, in order.
    pub redactions: Vec<Seq>,
    /// The number of each run's file, and its last record.
    pub runs: Vec<(u64, Seq)>,
}

impl Manifest {
    /// Reads the manifest of an index; nothing where there is none, or it cannot be read.
    pub fn read(dir: &Path) -> Option<Self> {
        Self::parse(&whole(dir)?)
    }

    /// Why the manifest of an index cannot be read.
    pub fn fault(dir: &Path) -> &'static str {
        if whole(dir).is_some() { "it is of another version of the program" } else { "it is damaged" }
    }

    fn parse(fields: &[u8]) -> Option<Self> {
        let (root, rest) = fields.strip_prefix(MAGIC)?.split_at_checked(size_of::<Hash>())?;
        let (begun, rest) = rest.split_at_checked(8)?;
        let (redactions, rest) = rest.split_at_checked(8)?;
        let (count, rest) = rest.split_at_checked(4)?;
        let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_le_bytes);
        let runs = u32::from_le_bytes(count.try_into().ok()?) as usize;
        let (runs, rest) = rest.split_at_checked(runs.checked_mul(16)?)?;
        let run = |pair: &[u8; 16]| Some((number(&pair[..8])?, Seq(number(&pair[8..])?)));
        let runs = runs.as_chunks::<16>().0.iter().map(run).collect::<Option<_>>()?;
        let (redacted, []) = rest.as_chunks::<8>() else { return None };
        let is_whole = redacted.len() as u64 == number(redactions)?;
        let redactions = redacted.iter().map(|seq| Seq(u64::from_le_bytes(*seq))).collect();
        let begun = Seq(number(begun)?);
        is_whole.then_some(Self { root: root.try_into().ok()?, begun, redactions, runs })
    }

    /// Puts the manifest in the place of the one before.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.root);
        bytes.extend(self.begun.0.to_le_bytes());
        bytes.extend((self.redactions.len() as u64).to_le_bytes());
        bytes.extend(u32::try_from(self.runs.len()).map_err(io::Error::other)?.to_le_bytes());
        for (number, last) in &self.runs {
            bytes.extend(number.to_le_bytes());
            bytes.extend(last.0.to_le_bytes());
        }
        bytes.extend(self.redactions.iter().flat_map(|seq| seq.0.to_le_bytes()));
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        let unfinished = dir.join("manifest.new");
        let mut file = File::create(&unfinished)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        fs::rename(&unfinished, dir.join(NAME))
    }

    /// The file of a run.
    pub fn path(dir: &Path, number: u64) -> PathBuf {
        dir.join(format!("{number}.run"))
    }

    /// A number that no run has.
    pub fn next(&self) -> u64 {
        self.runs.iter().map(|(number, _)| number + 1).max().unwrap_or(0)
    }

    /// The last record that the runs cover.
    pub fn covered(&self) -> Seq {
        self.runs.last().map_or(Seq(0), |(_, last)| *last)
    }

    /// From which run on the last ones are of one size and as many as are to be merged, if they are. Sizes are powers
    /// of `fan`, which is two at least, counted in stretches of so many records as are enough for a run.
    pub fn alike(&self, enough: u64, fan: usize) -> Option<usize> {
        let firsts = [0].into_iter().chain(self.runs.iter().map(|(_, last)| last.0));
        let records: Vec<u64> =
            self.runs.iter().zip(firsts).map(|((_, last), before)| last.0 - before).collect();
        let size = |records: &u64| (records / enough).max(1).ilog(fan as u64);
        let newest = size(records.last()?);
        let alike = records.iter().rev().take_while(|records| size(records) == newest).count();
        (alike >= fan).then(|| self.runs.len() - alike)
    }
}

/// The bytes of a directory's manifest, if none of them is damaged.
fn whole(dir: &Path) -> Option<Vec<u8>> {
    let mut bytes = fs::read(dir.join(NAME)).ok()?;
    let crc = bytes.split_off(bytes.len().checked_sub(4)?);
    (crc32c::crc32c(&bytes).to_le_bytes() == *crc).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_back_and_what_is_cut_short_is_not() {
        let dir = tempfile::tempdir().unwrap();
        for redactions in [vec![], vec![Seq(7)], vec![Seq(7), Seq(u64::MAX)]] {
            let runs = vec![(3, Seq(256)), (5, Seq(1024))];
            let manifest = Manifest { root: [9; 32], begun: Seq(4), redactions, runs };
            manifest.write(dir.path()).unwrap();
            assert_eq!(Manifest::read(dir.path()), Some(manifest));
            let bytes = fs::read(dir.path().join(NAME)).unwrap();
            for length in 0..bytes.len() - 4 {
                let mut cut = bytes[..length].to_vec();
                cut.extend(crc32c::crc32c(&cut).to_le_bytes());
                fs::write(dir.path().join(NAME), cut).unwrap();
                assert_eq!(Manifest::read(dir.path()), None, "{length}");
                assert_eq!(Manifest::fault(dir.path()), "it is of another version of the program");
            }
        }
    }

    #[test]
    fn the_last_runs_are_merged_when_enough_of_them_have_one_size() {
        let alike = |lasts: &[u64]| {
            let runs = lasts.iter().map(|last| (*last, Seq(*last))).collect();
            Manifest { runs, ..Manifest::default() }.alike(10, 3)
        };
        assert_eq!(alike(&[]), None);
        assert_eq!(alike(&[10, 20]), None);
        assert_eq!(alike(&[10, 20, 30]), Some(0));
        assert_eq!(alike(&[30, 40, 50]), None, "the first one is larger");
        assert_eq!(alike(&[30, 40, 50, 65]), Some(1));
        assert_eq!(alike(&[30, 60, 90]), Some(0));
    }
}
