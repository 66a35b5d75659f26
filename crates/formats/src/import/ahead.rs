//! JSON Lines read by several threads: one at a time takes lines from the file, and parses them beside the others.
//!
//! The entries come out in the order of the file, and are those that reading on one thread gives. A thread takes no
//! more than what has been read from the file already, so that a slow source is not kept waiting for more. What the
//! caller makes of each entry is made on the thread that has parsed it.

use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::Scope;

use super::jsonl;
use super::lines::Lines;
use super::{Fault, Read};

/// Lines that one thread takes at most: what becomes of them stays in the caches until it is sealed, and no list of them
/// is so long that to give its memory back takes the allocator long.
const LINES: usize = 128;
/// Pieces of the file that wait for the reader, for each thread.
const WAITING: usize = 4;

/// What was made of the entries, in the order of the file.
pub struct Ahead<T, F> {
    pieces: Receiver<Receiver<Parsed<T>>>,
    entries: std::vec::IntoIter<T>,
    make: F,
    is_over: bool,
}

/// What the threads take their lines from.
struct Source<'a, T> {
    lines: Lines<'a>,
    is_over: bool,
    /// Where the outcome of each piece is announced, in the order of the file.
    queue: SyncSender<Receiver<Parsed<T>>>,
}

/// Some lines of the file.
#[derive(Default)]
struct Piece {
    /// Where in its text each line stands.
    lines: Vec<(u64, Result<Range<usize>, Fault>)>,
    is_last: bool,
}

struct Parsed<T> {
    entries: Vec<T>,
    is_last: bool,
}

/// Starts the threads within a scope. They end when the file does, or when nobody wants its entries any more.
pub fn read<'scope, T, F>(
    scope: &'scope Scope<'scope, '_>,
    threads: NonZeroUsize,
    lines: Lines<'scope>,
    make: F,
) -> Ahead<T, F>
where
    T: Send + 'scope,
    F: Fn(Read) -> T + Clone + Send + 'scope,
{
    let (queue, pieces) = mpsc::sync_channel(WAITING * threads.get());
    let source = Arc::new(Mutex::new(Source { lines, is_over: false, queue }));
    for _ in 0..threads.get() {
        let (source, make) = (Arc::clone(&source), make.clone());
        scope.spawn(move || {
            let mut text = String::new();
            while work(&source, &make, &mut text).is_some() {}
        });
    }
    Ahead { pieces, entries: Vec::new().into_iter(), make, is_over: false }
}

/// Parses one piece, whose text is kept in `text`; nothing when there is no more to do.
fn work<T>(source: &Mutex<Source<'_, T>>, make: &impl Fn(Read) -> T, text: &mut String) -> Option<()> {
    let (piece, reply) = source.lock().ok()?.take(text)?;
    let is_last = piece.is_last;
    // The reader notices by itself when it gets no answer, and has no use for one when it is gone.
    let _ = reply.send(Parsed { entries: piece.parse(text, make), is_last });
    Some(())
}

impl<T> Source<'_, T> {
    fn take(&mut self, text: &mut String) -> Option<(Piece, SyncSender<Parsed<T>>)> {
        if self.is_over {
            return None;
        }
        let piece = self.piece(text);
        self.is_over = piece.is_last;
        let (reply, parsed) = mpsc::sync_channel(1);
        self.queue.send(parsed).ok()?;
        Some((piece, reply))
    }

    fn piece(&mut self, text: &mut String) -> Piece {
        let mut piece = Piece::default();
        text.clear();
        while piece.lines.is_empty() || (piece.lines.len() < LINES && self.lines.has_one_at_hand()) {
            let line = match self.lines.next() {
                Ok(Some(Ok(line))) => {
                    let start = text.len();
                    text.push_str(line);
                    Ok(start..text.len())
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
        piece
    }
}

impl Piece {
    fn parse<T>(self, text: &str, make: impl Fn(Read) -> T) -> Vec<T> {
        let mut entries = Vec::with_capacity(self.lines.len());
        let read = |(line, found): (u64, Result<Range<usize>, Fault>)| {
            let outcome = match found {
                Ok(range) => jsonl::entry(text.get(range).unwrap_or_default())?,
                Err(fault) => Err(fault),
            };
            Some(make(Read::plain(line, outcome)))
        };
        entries.extend(self.lines.into_iter().filter_map(read));
        entries
    }
}

impl<T, F: Fn(Read) -> T> Iterator for Ahead<T, F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
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
                return Some((self.make)(Read::plain(1, Err(Fault::Io(error)))));
            };
            self.entries = parsed.entries.into_iter();
            self.is_over = parsed.is_last;
        }
    }
}
