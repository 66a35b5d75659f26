//! Checking inclusion and consistency proofs: RFC 9162, sections 2.1.3.2 and 2.1.4.2.
//!
//! Pure functions over hashes. Whatever is given, they end after as many steps as the path is long.

use super::{Refusal, Step};
use crate::merkle::{Hash, node_hash};

/// Checks that the leaf at `index`, counted from 0, is in the tree of `size` leaves with this root.
pub fn check_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), Refusal> {
    let refuse = |what: String| Err(Refusal::at(Step::Inclusion, what));
    if index >= size {
        return refuse(format!("leaf {index} lies outside a tree of {size}"));
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return refuse("the path is too long".to_owned());
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            climb(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return refuse("the path is too short".to_owned());
    }
    if hash != *root {
        return refuse("the path leads from the record to another root".to_owned());
    }
    Ok(())
}

/// Checks that the tree of `to` leaves begins with the tree of `from` leaves. Every tree begins with the empty one.
pub fn check_consistency(
    (from, from_root): (u64, &Hash),
    (to, to_root): (u64, &Hash),
    path: &[Hash],
) -> Result<(), Refusal> {
    let refuse = |what: &str| Err(Refusal::at(Step::Consistency, what));
    if from > to {
        return refuse("the later tree is the smaller one");
    }
    if from == to || from == 0 {
        return match () {
            () if !path.is_empty() => refuse("the path is too long"),
            () if from == to && from_root != to_root => refuse("two roots for trees of one size"),
            () if from == 0 && *from_root != empty_root() => refuse("the empty tree has another root"),
            () => Ok(()),
        };
    }
    let mut path = path.iter();
    // A whole subtree is its own proof.
    let first = if from.is_power_of_two() { Some(from_root) } else { path.next() };
    let Some(first) = first else { return refuse("the path is too short") };
    let (mut node, mut last) = (from - 1, to - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let (mut earlier, mut later) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return refuse("the path is too long");
        }
        if node & 1 == 1 || node == last {
            earlier = node_hash(sibling, &earlier);
            later = node_hash(sibling, &later);
            climb(&mut node, &mut last);
        } else {
            later = node_hash(&later, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match () {
        () if last != 0 => refuse("the path is too short"),
        () if earlier != *from_root => refuse("the path does not give the earlier root"),
        () if later != *to_root => refuse("the path does not give the later root"),
        () => Ok(()),
    }
}

/// Goes up where a node has no right sibling, to the level where it is one itself.
const fn climb(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}

fn empty_root() -> Hash {
    crate::merkle::Frontier::default().root()
}
