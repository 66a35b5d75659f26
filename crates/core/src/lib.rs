//! The Annals engine: an append-only log of dated events, replayed into the state as of any date and as known
//! at any moment.
//!
//! A [`Store`] holds a [`Log`]: [`SledLog`] keeps it in a directory. Events are recorded with [`Store::write`],
//! and nothing that was recorded is ever changed; a correction or a withdrawal is a new record. A redaction, too, is a
//! record; it erases the content of its event and leaves in place what proves everything else. A
//! [`Question`](annals_model::Question) is answered by [`Store::replay`]. What is new is followed with a
//! [`Follower`] from another process, and with [`Store::wait_beyond`] within the one that has the store open.
//!
//! A program that wants a state of its own instead of entities and attributes writes a
//! [`Projection`](projection::Projection); the module [`projection`] has what follows a log with it, keeps its
//! state right after back-dated events and corrections, and saves it between runs.
//!
//! The engine prints nothing, reads no environment and has no clock: the time and randomness come from the
//! [`Host`] that is passed in.

mod admitted;
mod ahead;
mod attachments;
pub mod backup;
mod batch;
mod bits;
mod codec;
mod compare;
mod conflicts;
pub mod dates;
mod decided;
mod difference;
mod erase;
mod erased;
mod error;
mod explain;
mod files;
mod fingerprint;
mod group;
mod host;
mod import;
pub mod index;
mod known;
mod listing;
mod log;
mod merkle;
mod named;
mod pieces;
pub mod projection;
pub mod proof;
mod quick;
mod ready;
mod replay;
mod runs;
pub mod scan;
mod seal;
mod sealing;
mod selection;
mod sled_log;
mod snapshots;
mod store;
mod stored;
mod threads;
mod verify;

pub use attachments::{Attached, Attachments, Inventory, Named};
pub use batch::Resume;
pub use codec::frame::{Encoded, Frame, RawRecord, pack};
pub use codec::leaf::{Salt, commitment, content_json, record_leaf};
pub use codec::v1::{Head as RecordHead, Seal};
pub use error::{Conflict, Damage, Error, NotFound, Result};
pub use host::{ClockLag, Host, new_event_id};
pub use known::{Known, KnownEvent};
pub use listing::{Listed, Listing, Room};
pub use log::{Commit, EventEntry, Head, Log, Staging, StoredFrame};
pub use merkle::{BLOCK, Frontier, Hash, leaf_hash, node_hash};
pub use pieces::Pieces;
pub use ready::Ready;
pub use selection::{Selected, Selection};
pub use sled_log::{Compacted, Durability, Follower, OPENER, SledLog, SledOptions, Stage};
pub use snapshots::Snapshots;
pub use store::{Failed, Store, WriteOptions};
pub use stored::StoredRecord;
pub use verify::{Report, Witness};

pub use annals_model::line::hex;
