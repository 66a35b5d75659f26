//! Records to bytes and back. `FORMAT.md` beside this crate's sources is the document; this folder is its owner.
//!
//! - [`v1`]: the frozen shapes of schema version 1, the only place that names bincode.
//! - [`held`]: whether bytes are read as what they were made of.
//! - [`leaf`]: what a log leaf covers.
//! - [`frame`]: many records in one value of the store.
//! - [`heads`]: what a frame's headers say, without its contents.
//!
//! Decoding never panics and never allocates more than the input justifies; what does not check out is
//! [`Damage`](crate::Damage), with the records that it affects.

pub mod frame;
pub mod heads;
pub mod held;
pub mod leaf;
pub mod v1;
