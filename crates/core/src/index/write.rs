//! Writing a run: its ids first, then its facts, at last what leads to them.
//!
//! `run.rs` has the layout, and reads it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use annals_model::Seq;

use super::bytes::{put_bytes, put_number};
use super::checkpoint::Maker;
use super::columns::{Builder, Days, Form};
use super::entry::Superseded;
use super::fact::Fact;
use super::ids::{self, Id};
use super::run::{MAGIC, PLAIN_HEADER, Run, Unusable, broken, put_block};
use super::words::{Numbers, Words};
use crate::bits::Bits;
use crate::merkle::BLOCK;

/// Bytes after which a block of groups is closed.
const FULL: usize = 32 * 1024;
/// Bytes of facts after which a group is closed.
const LONG: usize = 16 * 1024;

/// A run that is written: first its ids, or those of other runs, then its words, then facts.
#[derive(Debug)]
pub struct Writer {
    out: BufWriter<File>,
    offset: u64,
    first: Seq,
    last: Seq,
    ids: ids::Writer,
    /// How long each block of ids is.
    id_lengths: Vec<u8>,
    id_blocks: u64,
    words: Words,
    numbers: Numbers,
    days: Days,
    plain: Vec<u8>,
    /// The key of the group that was closed last in this block.
    key: Vec<u8>,
    /// The key of the group that is filled.
    group: Vec<u8>,
    facts: Builder,
    /// The records that do not count at the end of the run.
    replaced: Bits,
    maker: Maker,
    checkpoints: Vec<u8>,
    columns: Vec<u8>,
    directory: Vec<u8>,
}

impl Writer {
    /// Begins a file of the facts between two records, the first one of a block and the last one, with at least so many
    /// facts between an attribute's checkpoints.
    pub fn create(path: &Path, (first, last): (Seq, Seq), spacing: usize) -> io::Result<Self> {
        let out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        Ok(Self {
            out,
            offset: 0,
            first,
            last,
            ids: ids::Writer::default(),
            id_lengths: Vec::new(),
            id_blocks: 0,
            words: Words::default(),
            numbers: Numbers::default(),
            days: Days::default(),
            plain: Vec::new(),
            key: Vec::new(),
            group: Vec::new(),
            facts: Builder::default(),
            replaced: Bits::default(),
            maker: Maker::new(spacing),
            checkpoints: Vec::new(),
            columns: Vec::new(),
            directory: Vec::new(),
        })
    }

    /// Adds the id of a record; records come in order.
    pub fn push_id(&mut self, seq: Seq, id: Id) -> io::Result<()> {
        let (Some((first, _)), Some((block, place))) = (ids::place(self.first.0), ids::place(seq.0)) else {
            return Ok(());
        };
        while self.id_blocks < block - first {
            self.close_ids()?;
        }
        self.ids.push(place, id);
        Ok(())
    }

    fn close_ids(&mut self) -> io::Result<()> {
        let block = self.ids.take();
        self.put_ids(&block)
    }

    fn put_ids(&mut self, block: &[u8]) -> io::Result<()> {
        let length = put_plain_block(&mut self.out, block)?;
        put_number(&mut self.id_lengths, length);
        self.offset += length;
        self.id_blocks += 1;
        Ok(())
    }

    /// Takes over the ids of a run that goes before those that follow.
    pub fn copy_ids(&mut self, run: &Run) -> Result<(), Unusable> {
        let mut block = Vec::new();
        for index in 0..run.id_blocks() {
            run.id_block(index, &mut block)?;
            self.put_ids(&block)?;
        }
        Ok(())
    }

    /// Ends the ids.
    pub fn close(&mut self) -> io::Result<()> {
        let blocks = (self.last.0 + 1).saturating_sub(self.first.0).div_ceil(BLOCK);
        while self.id_blocks < blocks {
            self.close_ids()?;
        }
        Ok(())
    }

    /// Sets the words by which facts are written, the days that their dates may have, and the records of the run that others
    /// of it took the place of.
    pub fn set<'s>(&mut self, words: Words, days: Days, superseded: impl Iterator<Item = &'s Superseded>) {
        superseded.for_each(|entry| self.replaced.set(entry.previous));
        self.days = days;
        self.numbers = words.numbers();
        self.words = words;
    }

    /// Adds facts under a key; keys come in order, and the facts of one in record order, all at once or in parts.
    pub fn push<'f>(
        &mut self,
        key: &[u8],
        facts: impl Iterator<Item = Option<Fact<'f>>>,
    ) -> Result<(), Unusable> {
        let form = Form::new((self.first, self.last), self.days);
        if self.group != key {
            self.close_group()?;
            self.group.clear();
            self.group.extend(key);
        }
        for fact in facts {
            let fact = fact.ok_or_else(broken)?;
            let outline = self.facts.push(&fact, form, &self.numbers);
            if !self.replaced.has(fact.seq.0) {
                self.maker.push(&fact, outline);
            }
            if self.facts.len() >= LONG {
                self.close_group()?;
            }
        }
        Ok(())
    }

    fn close_group(&mut self) -> io::Result<()> {
        if self.facts.is_empty() {
            return Ok(());
        }
        let key = &self.group;
        if self.plain.is_empty() {
            self.key.clear();
            put_bytes(&mut self.directory, key);
            put_number(&mut self.directory, self.offset);
        }
        let shared = self.key.iter().zip(key).take_while(|(one, other)| one == other).count();
        put_number(&mut self.plain, shared as u64);
        put_bytes(&mut self.plain, &key[shared..]);
        let form = Form::new((self.first, self.last), self.days);
        self.checkpoints.clear();
        self.maker.put(form, &self.words, &mut self.checkpoints);
        self.columns.clear();
        self.facts.put(&self.checkpoints, &mut self.columns);
        put_bytes(&mut self.plain, &self.columns);
        self.key.clear();
        self.key.extend(key);
        if self.plain.len() >= FULL { self.close_block() } else { Ok(()) }
    }

    fn close_block(&mut self) -> io::Result<()> {
        if !self.plain.is_empty() {
            self.offset += put_plain_block(&mut self.out, &self.plain)?;
            self.plain.clear();
        }
        Ok(())
    }

    /// Writes a packed block; gives where it stands.
    fn put_packed(&mut self, plain: &[u8]) -> io::Result<u64> {
        let at = self.offset;
        self.offset += put_block(&mut self.out, plain)?;
        Ok(at)
    }

    /// Ends the file; `superseded` is sorted by the record that no longer counts.
    pub fn finish(mut self, superseded: &[Superseded]) -> io::Result<()> {
        self.close_group()?;
        self.close_block()?;
        let mut plain = Vec::new();
        let mut before = 0;
        for entry in superseded {
            put_number(&mut plain, entry.previous - before);
            put_number(&mut plain, entry.by - entry.previous);
            before = entry.previous;
        }
        let (words, lengths) = (self.words.written(), std::mem::take(&mut self.id_lengths));
        let directory = std::mem::take(&mut self.directory);
        let mut footer = MAGIC.to_vec();
        footer.extend(self.first.0.to_le_bytes());
        footer.extend(self.last.0.to_le_bytes());
        for part in [plain, words, lengths, directory] {
            footer.extend(self.put_packed(&part)?.to_le_bytes());
        }
        let (first_day, last_day) = self.days.ends();
        footer.extend(first_day.to_le_bytes());
        footer.extend(last_day.to_le_bytes());
        footer.extend(crc32c::crc32c(&footer).to_le_bytes());
        self.out.write_all(&footer)?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()
    }
}

/// Writes a plain block; gives how many bytes it takes.
fn put_plain_block(out: &mut impl Write, bytes: &[u8]) -> io::Result<u64> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes();
    let crc = crc32c::crc32c_append(crc32c::crc32c(&length), bytes);
    out.write_all(&length)?;
    out.write_all(&crc.to_le_bytes())?;
    out.write_all(bytes)?;
    Ok((PLAIN_HEADER + bytes.len()) as u64)
}

#[cfg(test)]
mod tests {
    use annals_model::{Change, Effect, When};

    use super::*;
    use crate::index::fact::Origin;

    #[test]
    fn what_comes_in_parts_under_one_key_stands_in_one_group() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("1.run");
        let mut writer = Writer::create(&path, (Seq(1), Seq(256)), 1).unwrap();
        writer.close().unwrap();
        writer.set(Words::default(), Days::default(), [].iter());
        let (entity, attribute, when) = ("a".to_owned(), "b".to_owned(), When::Start);
        let effect = Effect { entity, attribute, change: Change::Clear, when };
        for (key, seqs) in [("b", 1..4), ("b", 4..5), ("c", 2..3), ("d", 0..0), ("e", 7..9), ("e", 9..12)] {
            let fact =
                |seq| Fact::of(Origin { seq: Seq(seq), place: Seq(seq), date: None }, &effect, 0, true, &[]);
            writer.push(key.as_bytes(), seqs.map(|seq| Some(fact(seq)))).unwrap();
        }
        writer.finish(&[]).unwrap();
        let mut groups = Vec::new();
        let found = Run::open(&path).unwrap().find(b"", |key, facts| {
            let seqs: Option<Vec<u64>> = facts.facts().map(|fact| Some(fact?.seq.0)).collect();
            groups.push((String::from_utf8(key.to_vec()).ok()?, seqs?));
            Some(())
        });
        found.unwrap();
        let expect = [("b", vec![1, 2, 3, 4]), ("c", vec![2]), ("e", vec![7, 8, 9, 10, 11])];
        assert_eq!(groups, expect.map(|(key, seqs)| (key.to_owned(), seqs)));
    }
}
