//! Making proofs from a log: RFC 6962, sections 2.1.1 and 2.1.2.
//!
//! The log keeps the root of each block of 256 records. The tree above them is computed once, from n/256 roots;
//! inside a block only the blocks are read that a proof passes through: that of the record, and the one that the
//! tree of the asked size ends in. For ten million records that is some 39,000 roots and at most 512 records.
//!
//! Nothing is taken on trust: the roots have to give the root that the log ends with, and the leaves of a block
//! its root. What does not fit is damage, and no proof is made of it.

use annals_model::{Invalid, Seq};

use crate::log::{Head, Log};
use crate::merkle::{BLOCK, Frontier, Hash, node_hash};
use crate::{Damage, Result, scan};

/// Blocks whose leaves are kept at hand: those that neighbouring proofs share.
const HELD: usize = 4;

/// The roots of complete subtrees of one, two, four … leaves or blocks.
type Levels = Vec<Vec<Hash>>;

/// The tree over a log as it stands, for proofs about it at any size that it has had.
#[derive(Debug)]
pub struct Tree<'a, L: ?Sized> {
    log: &'a L,
    size: u64,
    /// The roots of complete subtrees of whole blocks.
    blocks: Levels,
    /// Those of the records behind the last complete block.
    open: Levels,
    /// Those within complete blocks, the last one used at the end.
    held: Vec<(u64, Levels)>,
}

impl<'a, L: Log + ?Sized> Tree<'a, L> {
    /// The tree over all records of a log.
    pub fn of(log: &'a L) -> Result<Self> {
        let Head { frontier, .. } = log.head()?;
        let size = frontier.count();
        let blocks = size / BLOCK;
        let roots = (0..blocks).map(|index| block_root(log, index)).collect::<Result<Vec<_>>>()?;
        let open = levels(leaves(log, blocks * BLOCK, size)?);
        let mut tree = Self { log, size, blocks: levels(roots), open, held: Vec::new() };
        if tree.root(size)? != frontier.root() {
            let what = "the roots of their blocks do not give the root that the log ends with";
            return Err(Damage::of(Seq(1), Seq(size), what).into());
        }
        Ok(tree)
    }

    /// How many records it is over.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over the first `size` records.
    pub fn root(&mut self, size: u64) -> Result<Hash> {
        self.require(size)?;
        if size == 0 { Ok(Frontier::default().root()) } else { self.hash(0, size) }
    }

    /// The path that leads from a record to the root over the first `size` records.
    pub fn inclusion(&mut self, seq: Seq, size: u64) -> Result<Vec<Hash>> {
        self.require(size)?;
        if seq.0 == 0 || seq.0 > size {
            return Err(Invalid::new(format!("the first {size} records have no record {seq}")).into());
        }
        let index = seq.0 - 1;
        let (mut start, mut end) = (0, size);
        let mut path = Vec::new();
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                path.push(self.hash(middle, end)?);
                end = middle;
            } else {
                path.push(self.hash(start, middle)?);
                start = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// The path by which the root over the first `from` records and that over the first `to` give each other away.
    pub fn consistency(&mut self, from: u64, to: u64) -> Result<Vec<Hash>> {
        self.require(to)?;
        if from > to {
            return Err(Invalid::new(format!("a log of {to} records does not begin with {from}")).into());
        }
        if from == 0 || from == to {
            return Ok(Vec::new());
        }
        let (mut start, mut end) = (0, to);
        let mut path = Vec::new();
        while from < end {
            let middle = start + split(end - start);
            if from <= middle {
                path.push(self.hash(middle, end)?);
                end = middle;
            } else {
                path.push(self.hash(start, middle)?);
                start = middle;
            }
        }
        // The earlier tree itself is known to who checks; a part of it is not.
        if start > 0 {
            path.push(self.hash(start, end)?);
        }
        path.reverse();
        Ok(path)
    }

    fn require(&self, size: u64) -> Result<()> {
        if size <= self.size {
            return Ok(());
        }
        let invalid = Invalid::new(format!("the log has no record {size} yet"));
        Err(invalid.with_hint(format!("its last record is @{}", self.size)).into())
    }

    /// The hash over the leaves from `start` to before `end`, a range that the tree's definition comes to.
    fn hash(&mut self, start: u64, end: u64) -> Result<Hash> {
        let count = end - start;
        if !count.is_power_of_two() {
            let middle = start + split(count);
            return Ok(node_hash(&self.hash(start, middle)?, &self.hash(middle, end)?));
        }
        let (levels, unit, place) = if count >= BLOCK {
            (&self.blocks, BLOCK, start)
        } else {
            (self.block(start / BLOCK)?, 1, start % BLOCK)
        };
        let level = (count / unit).trailing_zeros() as usize;
        let place = usize::try_from(place / count).ok();
        let known = levels.get(level).and_then(|roots| roots.get(place?));
        Ok(*known.expect("because a whole subtree of the log has its root here"))
    }

    /// The roots within a block, held against the block's own where it is complete.
    fn block(&mut self, index: u64) -> Result<&Levels> {
        if index == self.size / BLOCK {
            return Ok(&self.open);
        }
        let held = match self.held.iter().position(|(held, _)| *held == index) {
            Some(place) => self.held.remove(place),
            None => (index, self.read(index)?),
        };
        if self.held.len() == HELD {
            self.held.remove(0);
        }
        self.held.push(held);
        Ok(self.held.last().map_or(&self.open, |(_, levels)| levels))
    }

    fn read(&self, index: u64) -> Result<Levels> {
        let (start, end) = (index * BLOCK, (index + 1) * BLOCK);
        let levels = levels(leaves(self.log, start, end)?);
        let root = levels.last().and_then(|root| root.first());
        let kept = usize::try_from(index).ok().and_then(|index| self.blocks.first()?.get(index));
        if root != kept {
            let what = "the stored root of their block is another";
            return Err(Damage::of(Seq(start + 1), Seq(end), what).into());
        }
        Ok(levels)
    }
}

/// The largest power of two below `count`: where a tree of more than one leaf divides.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

fn block_root(log: &(impl Log + ?Sized), index: u64) -> Result<Hash> {
    let missing = || {
        let first = Seq(index * BLOCK + 1);
        Damage::of(first, Seq(first.0 + BLOCK - 1), "their block root is missing")
    };
    Ok(log.block(index)?.ok_or_else(missing)?)
}

/// The leaves from `start` to before `end`, counted from 0.
fn leaves(log: &(impl Log + ?Sized), start: u64, end: u64) -> Result<Vec<Hash>> {
    let mut leaves = Vec::new();
    scan::each(log, Seq(start + 1), Seq(end), |stored| {
        leaves.push(stored.leaf()?);
        Ok(())
    })?;
    Ok(leaves)
}

/// The roots of pairs, of pairs of these, and so on.
fn levels(roots: Vec<Hash>) -> Levels {
    let mut levels = vec![roots];
    while let Some(below) = levels.last().filter(|below| below.len() > 1) {
        let pairs = below.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        levels.push(pairs);
    }
    levels
}
