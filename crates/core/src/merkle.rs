//! The RFC 6962 Merkle tree over record order.
//!
//! The log's root after n records is the Merkle tree hash of their n leaves (RFC 6962, section 2.1): leaves are
//! hashed behind a byte 0, inner nodes behind a byte 1. The [`Frontier`] is all that an append needs of the
//! tree: the roots of its complete subtrees, one for each bit that is set in n, largest first.

use sha2::{Digest, Sha256};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// Records in a block, whose subtree root the log keeps so that a proof does not need the whole log.
pub const BLOCK: u64 = 256;
const BLOCK_LEVEL: u32 = BLOCK.trailing_zeros();

/// The roots of the complete subtrees over the first `count` leaves.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    count: u64,
    roots: Vec<Hash>,
}

/// The hash of a leaf.
pub fn leaf_hash(data: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(data);
    hasher.finalize().into()
}

/// The hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

impl Frontier {
    /// The frontier with these roots; `None` unless there is one for each bit set in `count`.
    pub fn from_parts(count: u64, roots: Vec<Hash>) -> Option<Self> {
        let fits = u32::try_from(roots.len()) == Ok(count.count_ones());
        // Half the range is more than any log will have, and leaves room to count on.
        (fits && count <= u64::MAX / 2).then_some(Self { count, roots })
    }

    /// How many leaves the tree has.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The subtree roots, largest subtree first.
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// Adds a leaf. Gives the root of the block of [`BLOCK`] leaves that it completes, if it does.
    pub fn push(&mut self, leaf: Hash) -> Option<Hash> {
        let mut block = None;
        let mut node = leaf;
        let mut level = 0;
        while self.count & (1 << level) != 0 {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
            level += 1;
            if level == BLOCK_LEVEL {
                block = Some(node);
            }
        }
        self.roots.push(node);
        self.count += 1;
        block
    }

    /// Adds a whole block by its root; only possible where a block begins.
    pub fn push_block(&mut self, root: Hash) -> bool {
        if !self.count.is_multiple_of(BLOCK) {
            return false;
        }
        let mut node = root;
        let mut level = BLOCK_LEVEL;
        while self.count & (1 << level) != 0 {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
            level += 1;
        }
        self.roots.push(node);
        self.count += BLOCK;
        true
    }

    /// The root over all leaves; that of the empty tree is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            None => Sha256::digest([]).into(),
            Some(smallest) => roots.fold(*smallest, |right, left| node_hash(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962, section 2.1, word for word.
    fn tree_hash(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let split = 1 << (leaves.len() - 1).ilog2();
                node_hash(&tree_hash(&leaves[..split]), &tree_hash(&leaves[split..]))
            }
        }
    }

    #[test]
    fn the_frontier_has_the_root_of_the_definition_at_every_size() {
        let leaves: Vec<Hash> = (0..1100_u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut frontier = Frontier::default();
        let mut by_block = Frontier::default();
        for (index, leaf) in leaves.iter().enumerate() {
            assert_eq!(frontier.root(), tree_hash(&leaves[..index]));
            if let Some(block) = frontier.push(*leaf) {
                assert_eq!(block, tree_hash(&leaves[index - 255..=index]));
                assert!(by_block.push_block(block));
                assert_eq!(by_block.root(), frontier.root());
            }
        }
        assert_eq!(by_block.count(), 1024);
    }

    #[test]
    fn the_roots_are_those_of_the_published_test_vectors() {
        // Certificate Transparency's reference vectors (google/certificate-transparency, merkletree tests).
        let leaves: [&[u8]; 3] = [b"", b"\x00", b"\x10"];
        let mut frontier = Frontier::default();
        let mut roots = vec![crate::hex(&frontier.root())];
        for leaf in leaves {
            frontier.push(leaf_hash(leaf));
            roots.push(crate::hex(&frontier.root()));
        }
        assert_eq!(
            roots,
            [
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            ]
        );
    }
}
