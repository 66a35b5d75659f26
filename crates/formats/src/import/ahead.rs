//! JSON Lines read by several threads: one at a time takes lines from the file, and parses them beside the others.
//!
//! The entries come out in the order of the file, and are those that reading on one thread gives. A thread takes no
//! more than what has been read from the file already, so that a slow source is not kept waiting for more.

use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::Scope;

use super::jsonl;
use super::lines::Lines;
use super::{Fault, Read};

/// Lines that one thread takes at most: what becomes of them stays in the caches until it is sealed.
const LINES: usize = 256;
/// Pieces of the file that wait for the reader, for each thread.
const WAITING: usize = 4;

/// The entries, in the order of the file.
pub struct Ahead {
    pieces: Receiver<Receiver<Parsed>>,
    entries: std::vec::IntoIter<Read>,
    is_over: bool,
}

/// What the threads take their lines from.
struct Source<'a> {
    lines: Lines<'a>,
    is_over: bool,
    /// Bytes of text that a piece needs by and by.
    usual: usize,
    /// Where the outcome of each piece is announced, in the order of the file.
    queue: SyncSender<Receiver<Parsed>>,
}

/// Some lines of the file.
#[derive(Default)]
struct Piece {
    text: String,
    lines: Vec<(u64, Result<Range<usize>, Fault>)>,
    is_last: bool,
}

struct Parsed {
    entries: Vec<Read>,
    is_last: bool,
}

/// Starts the threads within a scope. They end when the file does, or when nobody wants its entries any more.
pub fn read<'scope>(scope: &'scope Scope<'scope, '_>, threads: NonZeroUsize, lines: Lines<'scope>) -> Ahead {
    let (queue, pieces) = mpsc::sync_channel(WAITING * threads.get());
    let source = Arc::new(Mutex::new(Source { lines, is_over: false, usual: 0, queue }));
    for _ in 0..threads.get() {
        let source = Arc::clone(&source);
        scope.spawn(move || while work(&source).is_some() {});
    }
    Ahead { pieces, entries: Vec::new().into_iter(), is_over: false }
}

/// Parses one piece; nothing when there is no more to do.
fn work(source: &Mutex<Source<'_>>) -> Option<()> {
    let (piece, reply) = source.lock().ok()?.take()?;
    let is_last = piece.is_last;
    // The reader notices by itself when it gets no answer, and has no use for one when it is gone.
    let _ = reply.send(Parsed { entries: piece.parse(), is_last });
    Some(())
}

impl Source<'_> {
    fn take(&mut self) -> Option<(Piece, SyncSender<Parsed>)> {
        if self.is_over {
            return None;
        }
        let piece = self.piece();
        self.is_over = piece.is_last;
        let (reply, parsed) = mpsc::sync_channel(1);
        self.queue.send(parsed).ok()?;
        Some((piece, reply))
    }

    fn piece(&mut self) -> Piece {
        // By its last piece it is known how much text comes; a slow source gives little.
        let mut piece = Piece { text: String::with_capacity(self.usual), ..Piece::default() };
        while piece.lines.is_empty() || (piece.lines.len() < LINES && self.lines.has_one_at_hand()) {
            let line = match self.lines.next() {
                Ok(Some(Ok(text))) => {
                    let start = piece.text.len();
                    piece.text.push_str(text);
                    Ok(start..piece.text.len())
                }
                Ok(Some(Err(invalid))) => Err(Fault::Entry(invalid)),
                Ok(None) => {
                    piece.is_last = true;
                    break;
                }
                Err(error) => {
                    piece.is_last = true;
                    piece.lines.push((self.lines.number(), Err(Fault::Io(error))));
                    break;
                }
            };
            piece.lines.push((self.lines.number(), line));
        }
        self.usual = piece.text.len() + piece.text.len() / 8;
        piece
    }
}

impl Piece {
    fn parse(self) -> Vec<Read> {
        let text = self.text;
        let mut entries = Vec::with_capacity(self.lines.len());
        let read = |(line, found): (u64, Result<Range<usize>, Fault>)| {
            let outcome = match found {
                Ok(range) => jsonl::entry(text.get(range).unwrap_or_default())?,
                Err(fault) => Err(fault),
            };
            Some(Read::plain(line, outcome))
        };
        entries.extend(self.lines.into_iter().filter_map(read));
        entries
    }
}

impl Iterator for Ahead {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        loop {
            if let Some(read) = self.entries.next() {
                return Some(read);
            }
            if self.is_over {
                return None;
            }
            let Some(parsed) = self.pieces.recv().ok().and_then(|piece| piece.recv().ok()) else {
                // The end of the file is announced: this is none.
                self.is_over = true;
                let error = io::Error::other("a thread that reads the file has failed");
                return Some(Read::plain(1, Err(Fault::Io(error))));
            };
            self.entries = parsed.entries.into_iter();
            self.is_over = parsed.is_last;
        }
    }
}
