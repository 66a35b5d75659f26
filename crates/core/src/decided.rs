//! A record that was decided and is not sealed yet: its content as it came, or made ready before.

use std::ops::Range;
use std::sync::Arc;

use annals_model::{Content, EventId, Op, Record, RecordedAt, Seq, TimelineName};

use crate::codec::frame::{Encoded, Sections as _};
use crate::codec::leaf::{LeafHead, commitment};
use crate::codec::v1::Seal;
use crate::merkle::Hash;
use crate::ready::{Body, Made};
use crate::sealing;
use crate::stored::{Heading, StoredRecord};
use crate::{Error, Result, fingerprint};

/// A record that has its place in the log.
pub enum Decided {
    /// With its content as it came.
    Plain(StoredRecord),
    /// With its content made ready.
    Made(Header, EventId, Made),
}

/// What a record has beside its content.
pub struct Header {
    /// Its position in the log.
    pub seq: Seq,
    /// When it was recorded.
    pub recorded_at: RecordedAt,
    /// Whose it is.
    pub whose: Arc<Whose>,
    /// What it does.
    pub op: Op,
    /// The event's record before it.
    pub previous: Option<Seq>,
    /// What binds its content to its leaf.
    pub seal: Seal,
}

/// What neighbouring records mostly have in common.
#[derive(Clone)]
pub struct Whose {
    /// The timeline that they belong to.
    pub timeline: TimelineName,
    /// Who recorded them.
    pub recorded_by: String,
}

/// A record that is encoded.
pub enum Finished {
    /// As it came.
    Plain(Encoded),
    /// Where its header is, and its content as it was made ready.
    Made(Range<usize>, Made),
}

impl Decided {
    /// The record of an entry.
    pub fn new(header: Header, body: Body) -> Self {
        let (id, content) = match body {
            Body::Made(id, made) => return Self::Made(header, id, made),
            Body::Event(event) => (event.id.clone(), Content::Event(event)),
            Body::Reason(id, reason) => (id, Content::Reason(reason)),
            Body::Erased(id, _) => (id, Content::Redacted),
        };
        let Header { seq, recorded_at, whose, op, previous, seal } = header;
        let Whose { timeline, recorded_by } = Arc::unwrap_or_clone(whose);
        let record = Record { seq, recorded_at, recorded_by, timeline, id, op, content };
        Self::Plain(StoredRecord { record, previous, seal })
    }

    /// Its position in the log.
    pub const fn seq(&self) -> Seq {
        match self {
            Self::Plain(stored) => stored.record.seq,
            Self::Made(header, ..) => header.seq,
        }
    }

    /// The fingerprint of its content.
    pub fn print(&self) -> u8 {
        match self {
            Self::Plain(stored) => fingerprint::of_content(&stored.record.content),
            Self::Made(_, _, made) => made.print,
        }
    }

    /// Encodes the record and hashes its leaf. What was not made ready is checked against every limit, too; the header of
    /// what was is added to `heads`.
    pub fn seal(self, heads: &mut Vec<u8>) -> Result<(Finished, Hash)> {
        match self {
            Self::Plain(stored) => {
                stored.record.content.check().map_err(Error::from)?;
                let (encoded, leaf) = stored.seal()?;
                Ok((Finished::Plain(encoded), leaf))
            }
            Self::Made(header, id, made) => {
                let start = heads.len();
                header.heading(&id).add(made.claims(), made.details(), heads)?;
                let leaf = header.leaf(&id, &made)?;
                Ok((Finished::Made(start..heads.len(), made), leaf))
            }
        }
    }

    /// The record as the log will hold it.
    pub fn stored(&self) -> Result<StoredRecord> {
        match self {
            Self::Plain(stored) => Ok(stored.clone()),
            Self::Made(header, id, made) => {
                let head = header.heading(id).encode(made.claims(), made.details())?;
                let (claims, details) = (made.claims().to_vec(), made.details().to_vec());
                sealing::decode(header.seq, &Encoded { head, claims, details })
            }
        }
    }
}

impl Finished {
    /// The record in pieces that are its own.
    pub fn into_encoded(self, heads: &[u8]) -> Encoded {
        match self {
            Self::Plain(encoded) => encoded,
            Self::Made(..) => {
                let [head, claims, details] = self.sections(heads).map(<[u8]>::to_vec);
                Encoded { head, claims, details }
            }
        }
    }

    /// What the sections of a frame take of it, where `heads` has the header.
    pub fn sections<'a>(&'a self, heads: &'a [u8]) -> [&'a [u8]; 3] {
        match self {
            Self::Plain(encoded) => encoded.sections(),
            Self::Made(head, made) => [&heads[head.clone()], made.claims(), made.details()],
        }
    }
}

impl Header {
    fn heading<'a>(&'a self, id: &'a EventId) -> Heading<'a> {
        Heading {
            op: self.op,
            recorded_at: self.recorded_at,
            previous: self.previous,
            timeline: self.whose.timeline.as_str(),
            id: id.as_str(),
            recorded_by: &self.whose.recorded_by,
            seal: self.seal,
        }
    }

    fn leaf(&self, id: &EventId, made: &Made) -> Result<Hash> {
        let Seal::Salt(salt) = &self.seal else {
            return Err(Error::unavailable(
                "a content that is there has no salt",
                "this is a fault of Annals",
            ));
        };
        let head = LeafHead {
            seq: self.seq,
            recorded_at: self.recorded_at,
            recorded_by: &self.whose.recorded_by,
            op: self.op,
            timeline: self.whose.timeline.as_str(),
            id: id.as_str(),
        };
        Ok(head.leaf(&commitment(salt, made.json())))
    }
}
