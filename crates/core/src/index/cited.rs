//! The sources of those who contest a value, which the index does not hold: they are read from the log, and kept for
//! the next question.
//!
//! What is kept was read when the log had a certain number of redactions, and is forgotten as soon as it has another.

use annals_model::answers::Answer;
use annals_model::{Seq, Source};

use crate::quick::QuickMap;

/// Records whose sources are kept.
const MOST: usize = 4096;

/// The sources that some records cite.
#[derive(Debug, Default)]
pub struct Cited {
    redactions: usize,
    known: QuickMap<Seq, Vec<Source>>,
}

impl Cited {
    /// Adds the sources to an answer, if all of them are known; `redactions` is how many the log has.
    pub fn cite(&mut self, redactions: usize, answer: &mut Answer) -> bool {
        if self.redactions != redactions {
            *self = Self { redactions, ..Self::default() };
        }
        let contested = answer.cell.iter_mut().flat_map(|cell| &mut cell.contested);
        for (contender, seq) in contested.zip(&answer.contenders) {
            let Some(sources) = self.known.get(seq) else { return false };
            contender.sources.clone_from(sources);
        }
        true
    }

    /// Keeps the sources of an answer that was read from the log when it had so many redactions, or more.
    pub fn keep(&mut self, redactions: usize, answer: &Answer) {
        if self.redactions != redactions || self.known.len() + answer.contenders.len() > MOST {
            *self = Self { redactions, ..Self::default() };
        }
        let contested = answer.cell.iter().flat_map(|cell| &cell.contested);
        for (contender, seq) in contested.zip(&answer.contenders) {
            self.known.insert(*seq, contender.sources.clone());
        }
    }
}
