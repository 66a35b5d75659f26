//! The text of each entry, so that a refused one can be put aside and be imported again once it is mended.
//!
//! A reader says with each entry which bytes of the file it is ([`Piece`]). [`Kept`] has these bytes at hand while
//! the entry is decided, and a [`Bundle`] makes a file of some of them: a table gets its header row, calendar entries
//! their calendar, slides the document around them, and events of Markwhen the sections that they stand in.

use std::io::{self, BufRead};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use super::{ImportOptions, Input, Read, Reader};
use crate::ImportFormat;

/// Bytes of a file that are kept at most: no entry has more.
const LARGEST: usize = 64 << 20;
/// The same of a file that is read as a whole.
const LARGEST_DOCUMENT: usize = 256 << 20;
/// A byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Which bytes of its file an entry is.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// Where what stands above all entries ends, and belongs above each of them.
    pub head: u64,
    pub from: u64,
    pub to: u64,
    pub frame: Frame,
}

/// What has to stand around an entry, beside the head of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Frame {
    /// It is lines of its own.
    #[default]
    None,
    /// An entry of a calendar.
    Calendar,
    /// An event of Markwhen, below the headings of these lines.
    Sections(String),
    /// A slide in a document of TimelineJS.
    Slide,
    /// An era in one.
    Era,
}

/// The text of an entry, with what belongs around it.
#[derive(Clone, Debug)]
pub struct Excerpt {
    head: Rc<[u8]>,
    text: Vec<u8>,
    frame: Frame,
}

/// The entries of a file, and the text of the last one.
pub struct Kept<'a> {
    reader: Reader<'a>,
    taken: Taken,
    has_mark: bool,
    head: Option<Rc<[u8]>>,
    excerpt: Option<Excerpt>,
}

impl<'a> Kept<'a> {
    /// Reads a file as [`read`](super::read) does.
    pub fn new(format: ImportFormat, input: Input<'a>, options: ImportOptions<'a>) -> Self {
        let limit = if format == ImportFormat::TimelineJs { LARGEST_DOCUMENT } else { LARGEST };
        let taken = Taken(Arc::new(Mutex::new(Window { bytes: Vec::new(), base: 0, limit })));
        let (reader, has_mark): (Reader<'a>, bool) = match super::without_mark(input) {
            Ok((input, has_mark)) => {
                let tee = Tee { input, taken: taken.clone() };
                (super::reader(format, Box::new(tee), options), has_mark)
            }
            Err(fault) => (super::only(fault), false),
        };
        Self { reader, taken, has_mark, head: None, excerpt: None }
    }

    /// The text of the entry that was read last; nothing where there is none, or where it is too long.
    pub fn excerpt(&mut self) -> Option<Excerpt> {
        self.excerpt.take()
    }

    fn cut(&mut self, piece: &Piece) -> Option<Excerpt> {
        let mut window = self.taken.window();
        let head = if let Some(head) = &self.head {
            Rc::clone(head)
        } else {
            let mark = if self.has_mark { MARK } else { b"" };
            let head: Rc<[u8]> = [mark, window.bytes(0, piece.head)?].concat().into();
            Rc::clone(self.head.insert(head))
        };
        let text = window.bytes(piece.from, piece.to).map(<[u8]>::to_vec);
        window.forget(piece.to);
        Some(Excerpt { head, text: text?, frame: piece.frame.clone() })
    }
}

impl Iterator for Kept<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        let read = self.reader.next()?;
        self.excerpt = read.piece.as_ref().and_then(|piece| self.cut(piece));
        Some(read)
    }
}

/// What a reader has taken of its file, but for what has been done with.
#[derive(Debug)]
struct Window {
    bytes: Vec<u8>,
    /// Where in the file they begin.
    base: u64,
    /// How many may be kept.
    limit: usize,
}

impl Window {
    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn bytes(&self, from: u64, to: u64) -> Option<&[u8]> {
        let at = |place: u64| usize::try_from(place.checked_sub(self.base)?).ok();
        self.bytes.get(at(from)?..at(to)?)
    }

    fn forget(&mut self, to: u64) {
        let end = usize::try_from(to.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let done = end.min(self.bytes.len());
        // Moving the rest costs as much as it has bytes: not for each slide of a large document.
        if done > self.bytes.len() / 2 {
            self.bytes.drain(..done);
            self.base += done as u64;
        }
    }
}

#[derive(Clone, Debug)]
struct Taken(Arc<Mutex<Window>>);

impl Taken {
    fn window(&self) -> std::sync::MutexGuard<'_, Window> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that keeps what is taken from it.
struct Tee<'a> {
    input: Input<'a>,
    taken: Taken,
}

impl io::Read for Tee<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.taken.window().keep(&buffer[..count]);
        Ok(count)
    }
}

impl BufRead for Tee<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Ok(bytes) = self.input.fill_buf() {
            self.taken.window().keep(&bytes[..count.min(bytes.len())]);
        }
        self.input.consume(count);
    }
}

/// A file of entries that were put aside, as it grows.
#[derive(Debug, Default)]
pub struct Bundle {
    last: Option<Frame>,
    has_slides: bool,
    /// Whether the last entry has lost its end, and would swallow the next one.
    is_open: bool,
}

impl Bundle {
    /// What the file grows by with an entry.
    pub fn add(&mut self, excerpt: &Excerpt) -> Vec<u8> {
        let Excerpt { head, text, frame } = excerpt;
        let mut out = match frame {
            Frame::Slide | Frame::Era => self.between(frame).as_bytes().to_vec(),
            _ if self.last.is_none() => head.to_vec(),
            Frame::Calendar if self.is_open => b"END:VCALENDAR\r\nBEGIN:VCALENDAR\r\n".to_vec(),
            _ => Vec::new(),
        };
        if let Frame::Sections(sections) = frame
            && self.last.as_ref() != Some(frame)
        {
            out.extend_from_slice(sections.as_bytes());
        }
        out.extend_from_slice(text);
        if !matches!(frame, Frame::Slide | Frame::Era) {
            out.extend_from_slice(line_end(head, text));
        }
        self.is_open = *frame == Frame::Calendar && !has_end(text);
        self.has_slides |= *frame == Frame::Slide;
        self.last = Some(frame.clone());
        out
    }

    /// What stands before a slide in its document.
    fn between(&self, frame: &Frame) -> &'static str {
        match (&self.last, frame) {
            (None, Frame::Era) => "{\"eras\":[\n",
            (None, _) => "{\"events\":[\n",
            (Some(Frame::Slide), Frame::Era) => "\n],\n\"eras\":[\n",
            (Some(Frame::Era), Frame::Slide) => "\n],\n\"events\":[\n",
            _ => ",\n",
        }
    }

    /// What ends the file as it is now.
    pub fn end(&self) -> &'static str {
        match self.last {
            Some(Frame::Calendar) => "END:VCALENDAR\r\n",
            Some(Frame::Slide | Frame::Era) if self.has_slides => "\n]}\n",
            Some(Frame::Era) => "\n],\n\"events\":[]}\n",
            _ => "",
        }
    }
}

/// Whether the last line of a calendar's entry ends it.
fn has_end(text: &[u8]) -> bool {
    let last = text.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    last.and_then(|line| line.get(..4)).is_some_and(|start| start.eq_ignore_ascii_case(b"END:"))
}

/// What the last line of a text lacks of its end.
fn line_end(head: &[u8], text: &[u8]) -> &'static [u8] {
    let pairs = head.ends_with(b"\r\n");
    match text.last() {
        // The line feed behind it stands before the next entry.
        Some(b'\r') if pairs => b"\n",
        Some(b'\n' | b'\r') => b"",
        _ if pairs => b"\r\n",
        _ => b"\n",
    }
}
