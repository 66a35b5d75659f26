//! A segment: the frames of neighbouring records in one file, one behind the other.
//!
//! ```text
//! "ANNSEG01" | for each frame: length u32, little-endian | the frame, as FORMAT.md has it
//! ```
//!
//! A frame says itself which record it begins with. The file's hash stands in the manifest; what it says is held
//! against the log's root.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use annals_model::Seq;
use sha2::{Digest, Sha256};

use super::manifest::{Segment, Sha, Stored};
use crate::codec::frame::{Frame, pack};
use crate::log::StoredFrame;
use crate::{Damage, Error, Result};

const MAGIC: &[u8] = b"ANNSEG01";
const BUFFER: usize = 1 << 18;
/// Bytes that a frame can never have.
const LARGEST: u32 = 64 * 1024 * 1024;

/// A segment that is being written.
pub struct Writer {
    out: BufWriter<File>,
    hasher: Sha256,
    segment: Segment,
}

impl Writer {
    /// Begins a file for records from `first` on.
    pub fn create(backup: &Path, name: String, first: Seq) -> Result<Self> {
        let file = Stored { file: name, bytes: 0, sha256: Sha([0; 32]) };
        let open = OpenOptions::new().write(true).create_new(true).open(file.path(backup));
        let out = BufWriter::with_capacity(BUFFER, open.map_err(failed)?);
        let segment = Segment { first: first.0, last: first.0 - 1, file };
        let mut writer = Self { out, hasher: Sha256::new(), segment };
        writer.put(MAGIC)?;
        Ok(writer)
    }

    /// How many bytes it has.
    pub const fn bytes(&self) -> u64 {
        self.segment.file.bytes
    }

    /// Adds a frame whose records come next.
    pub fn add(&mut self, frame: &[u8], last: Seq) -> Result<()> {
        let length = u32::try_from(frame.len()).map_err(|_| Damage::new("a frame is too long"))?;
        self.put(&length.to_le_bytes())?;
        self.put(frame)?;
        self.segment.last = last.0;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.segment.file.bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(failed)
    }

    /// Ends the file, durably.
    pub fn finish(mut self) -> Result<Segment> {
        let file = self.out.into_inner().map_err(|e| failed(e.into_error()))?;
        file.sync_all().map_err(failed)?;
        self.segment.file.sha256 = Sha(self.hasher.finalize().into());
        Ok(self.segment)
    }
}

/// The frames of a segment. What is found is checked against the manifest behind the last one.
pub struct Reader<'a> {
    segment: &'a Segment,
    input: BufReader<File>,
    hasher: Sha256,
    read: u64,
    is_over: bool,
}

impl<'a> Reader<'a> {
    /// Opens a segment of a backup.
    pub fn open(backup: &Path, segment: &'a Segment) -> Result<Self> {
        let file = File::open(segment.file.path(backup)).map_err(|e| missing(&segment.file, e))?;
        let input = BufReader::with_capacity(BUFFER, file);
        let mut reader = Self { segment, input, hasher: Sha256::new(), read: 0, is_over: false };
        if reader.bytes(MAGIC.len())?.as_deref() != Some(MAGIC) {
            return Err(reader.damaged("is no segment of a backup").into());
        }
        Ok(reader)
    }

    /// The next frame.
    fn frame(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(length) = self.bytes(4)? else {
            self.segment.file.check((self.read, std::mem::take(&mut self.hasher).finalize().into()))?;
            return Ok(None);
        };
        let length = length.try_into().map_or(0, u32::from_le_bytes);
        let frame = if (1..=LARGEST).contains(&length) { self.bytes(length as usize)? } else { None };
        frame.map_or_else(|| Err(self.damaged("is cut short").into()), |frame| Ok(Some(frame)))
    }

    /// The next bytes; nothing at the end, and damage where only some of them are there.
    fn bytes(&mut self, length: usize) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let read = self.input.by_ref().take(length as u64).read_to_end(&mut bytes);
        read.map_err(|e| Error::io(format!("cannot read {}", self.segment.file.file), e))?;
        self.hasher.update(&bytes);
        self.read += bytes.len() as u64;
        match bytes.len() {
            0 => Ok(None),
            read if read < length => Err(self.damaged("is cut short").into()),
            _ => Ok(Some(bytes)),
        }
    }

    fn damaged(&self, what: &str) -> Damage {
        let Segment { first, last, file } = self.segment;
        Damage::of(Seq(*first), Seq(*last), format!("their file {} {what}", file.file))
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Result<Vec<u8>>> {
        if self.is_over {
            return None;
        }
        let frame = self.frame().transpose();
        self.is_over = !matches!(frame, Some(Ok(_)));
        frame
    }
}

/// A frame of the log without the records that are not wanted: as it is where all of them are.
pub fn within((first, bytes): StoredFrame, from: Seq, to: Seq) -> Result<Vec<(Vec<u8>, Seq)>> {
    let frame = Frame::decode(first, &bytes)?;
    let last = frame.last();
    if from <= first && last <= to {
        return Ok(vec![(bytes, last)]);
    }
    let begin = from.max(first);
    let wanted = begin.0..=to.min(last).0;
    let records = (first.0..).zip(frame.encoded()?).filter(|(seq, _)| wanted.contains(seq));
    let records: Vec<_> = records.map(|(_, record)| record).collect();
    let packed = pack(begin, &records)?;
    let mut ends = packed.iter().skip(1).map(|(next, _)| Seq(next.0 - 1)).collect::<Vec<_>>();
    ends.push(to.min(last));
    Ok(packed.into_iter().map(|(_, bytes)| bytes).zip(ends).collect())
}

/// A file of a backup that cannot be opened.
pub fn missing(stored: &Stored, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Damage::new(format!("{} is missing", stored.file)).into();
    }
    Error::io(format!("cannot read {}", stored.file), error)
}

fn failed(error: io::Error) -> Error {
    Error::io("cannot write the backup", error)
}
