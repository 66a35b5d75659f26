//! A run: what the index knows of a stretch of the log, in a file that is written once.
//!
//! ```text
//! sections    rows by date, rows by record, what was replaced, counts, terms: for each its blocks, and a
//!             directory of them, which is a block, too
//! names       one block: the timelines, in order, and the last record of each piece
//! footer      "ANNDAT01", first u64, last u64, names u64, five directories u64, CRC32C u32; little-endian
//! ```
//!
//! Blocks are those of the index of claims: lengths and a CRC32C in front of what is stored under zstd.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use annals_model::Seq;

use super::count::{Count, Key};
use super::item::{ByDate, BySeq, Item, Reach, Replaced, Term};
use crate::index::bytes::{Input, put_bytes, put_number};
use crate::index::run::{block, broken, put_block};

pub use crate::index::run::Unusable;

const MAGIC: &[u8; 8] = b"ANNDAT01";
const SECTIONS: usize = 5;
const FIELDS: usize = 3 + SECTIONS;
const FOOTER: usize = 8 + FIELDS * 8 + 4;

/// What is said of the blocks of a section, and where they stand.
pub type Directory<L> = Vec<(L, u64)>;

/// A run that is read.
#[derive(Debug)]
pub struct Run {
    file: File,
    /// The first record of the stretch.
    pub first: Seq,
    /// The last one.
    pub last: Seq,
    /// The timelines that have records there, in order.
    pub timelines: Vec<String>,
    /// The last record of each piece that is counted by itself.
    pub pieces: Vec<Seq>,
    /// Of the rows by date.
    pub by_date: Directory<Reach>,
    /// Of the rows by record.
    pub by_seq: Directory<Seq>,
    /// Of what was replaced.
    pub replaced: Directory<Seq>,
    /// Of the counts.
    pub counts: Directory<Key>,
    /// Of the terms.
    pub terms: Directory<Vec<u8>>,
}

impl Run {
    /// Opens a run.
    pub fn open(path: &Path) -> Result<Self, Unusable> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut footer = [0; FOOTER];
        file.read_exact_at(&mut footer, size.checked_sub(FOOTER as u64).ok_or_else(broken)?)?;
        let (fields, crc) = footer.split_at(FOOTER - 4);
        if !fields.starts_with(MAGIC) || crc32c::crc32c(fields).to_le_bytes() != crc {
            return Err(broken());
        }
        let mut numbers = [0; FIELDS];
        for (number, field) in numbers.iter_mut().zip(fields[8..].as_chunks().0) {
            *number = u64::from_le_bytes(*field);
        }
        let [first, last, names, by_date, by_seq, replaced, counts, terms] = numbers;
        let (timelines, pieces) = read_names(&block(&file, names)?).ok_or_else(broken)?;
        Ok(Self {
            first: Seq(first),
            last: Seq(last),
            timelines,
            pieces,
            by_date: directory::<ByDate>(&file, by_date)?,
            by_seq: directory::<BySeq>(&file, by_seq)?,
            replaced: directory::<Replaced>(&file, replaced)?,
            counts: directory::<Count>(&file, counts)?,
            terms: directory::<Term>(&file, terms)?,
            file,
        })
    }

    /// The items of a block.
    pub fn block<T: Item>(&self, at: u64) -> Result<Vec<T>, Unusable> {
        let plain = self.plain(at)?;
        let mut input = Input(&plain);
        let items = T::get(&mut input).filter(|items| input.is_empty() && !items.is_empty());
        items.ok_or_else(broken)
    }

    /// The bytes of a block.
    pub fn plain(&self, at: u64) -> Result<Vec<u8>, Unusable> {
        block(&self.file, at)
    }

    /// All items of a section, one after the other.
    pub fn each<T: Item>(&self) -> Items<'_, T> {
        Items { run: self, next: 0, block: Vec::new().into_iter() }
    }

    /// The number of a timeline, if it has records in the run.
    pub fn timeline(&self, name: &str) -> Option<u32> {
        let index = self.timelines.binary_search_by(|own| own.as_str().cmp(name)).ok()?;
        u32::try_from(index).ok()
    }

    /// The row of a record.
    pub fn row(&self, seq: u64, kept: &mut Kept) -> Result<super::row::Row, Unusable> {
        let before = self.by_seq.partition_point(|(first, _)| first.0 <= seq).checked_sub(1);
        let (_, at) = before.and_then(|index| self.by_seq.get(index)).ok_or_else(broken)?;
        if kept.at != Some((self.first, *at)) {
            *kept = Kept { at: Some((self.first, *at)), rows: self.block(*at)? };
        }
        let index = kept.rows.binary_search_by_key(&seq, |row| row.0.seq).map_err(|_| broken())?;
        Ok(kept.rows[index].0)
    }
}

/// The block of rows that was read last.
#[derive(Debug, Default)]
pub struct Kept {
    at: Option<(Seq, u64)>,
    rows: Vec<BySeq>,
}

/// The items of a section.
#[derive(Debug)]
pub struct Items<'a, T> {
    run: &'a Run,
    next: usize,
    block: std::vec::IntoIter<T>,
}

impl<T: Item> Items<'_, T> {
    /// The next one.
    pub fn next(&mut self) -> Result<Option<T>, Unusable> {
        loop {
            if let Some(item) = self.block.next() {
                return Ok(Some(item));
            }
            let Some((_, at)) = T::directory(self.run).get(self.next) else { return Ok(None) };
            self.block = self.run.block(*at)?.into_iter();
            self.next += 1;
        }
    }
}

/// A run that is written, section by section in their order.
#[derive(Debug)]
pub struct Writer {
    out: BufWriter<File>,
    offset: u64,
    directories: Vec<u64>,
}

/// A section that is written.
#[derive(Debug)]
pub struct Section<'a, T> {
    writer: &'a mut Writer,
    items: Vec<T>,
    weight: usize,
    directory: Vec<u8>,
}

impl Writer {
    /// Begins a file.
    pub fn create(path: &Path) -> io::Result<Self> {
        let out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        Ok(Self { out, offset: 0, directories: Vec::with_capacity(SECTIONS) })
    }

    /// Begins the next section.
    pub const fn section<T: Item>(&mut self) -> Section<'_, T> {
        Section { writer: self, items: Vec::new(), weight: 0, directory: Vec::new() }
    }

    fn block(&mut self, plain: &[u8]) -> io::Result<u64> {
        let at = self.offset;
        self.offset += put_block(&mut self.out, plain)?;
        Ok(at)
    }

    /// Ends the file.
    pub fn finish(mut self, stretch: (Seq, Seq), timelines: &[String], pieces: &[Seq]) -> io::Result<()> {
        let mut plain = Vec::new();
        put_number(&mut plain, timelines.len() as u64);
        for name in timelines {
            put_bytes(&mut plain, name.as_bytes());
        }
        for last in pieces {
            put_number(&mut plain, last.0);
        }
        let names = self.block(&plain)?;
        let mut footer = MAGIC.to_vec();
        for field in [stretch.0.0, stretch.1.0, names].into_iter().chain(self.directories) {
            footer.extend(field.to_le_bytes());
        }
        footer.extend(crc32c::crc32c(&footer).to_le_bytes());
        self.out.write_all(&footer)?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()
    }
}

impl<T: Item> Section<'_, T> {
    /// Adds an item; items come in the order of the section.
    pub fn push(&mut self, item: T) -> io::Result<()> {
        self.weight += item.weight();
        self.items.push(item);
        if self.weight >= T::FULL { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> io::Result<()> {
        if self.items.is_empty() {
            return Ok(());
        }
        let mut plain = Vec::new();
        T::put(&self.items, &mut plain);
        T::put_label(&self.items, &mut self.directory);
        put_number(&mut self.directory, self.writer.block(&plain)?);
        self.items.clear();
        self.weight = 0;
        Ok(())
    }

    /// Ends the section.
    pub fn finish(mut self) -> io::Result<()> {
        self.close()?;
        let at = self.writer.block(&self.directory)?;
        self.writer.directories.push(at);
        Ok(())
    }
}

fn directory<T: Item>(file: &File, at: u64) -> Result<Directory<T::Label>, Unusable> {
    let plain = block(file, at)?;
    let mut input = Input(&plain);
    let mut directory = Vec::new();
    while !input.is_empty() {
        let label = T::get_label(&mut input).ok_or_else(broken)?;
        directory.push((label, input.number().ok_or_else(broken)?));
    }
    Ok(directory)
}

fn read_names(plain: &[u8]) -> Option<(Vec<String>, Vec<Seq>)> {
    let mut input = Input(plain);
    let mut timelines = Vec::new();
    for _ in 0..input.number()? {
        timelines.push(std::str::from_utf8(input.bytes()?).ok()?.to_owned());
    }
    let mut pieces = Vec::new();
    while !input.is_empty() {
        pieces.push(Seq(input.number()?));
    }
    Some((timelines, pieces))
}
