//! Standard output for results that are printed while the store is still read.
//!
//! Whoever reads the output may take their time, and others need the store: what is written here waits for no reader.
//! A thread of its own prints; what it has not printed yet is kept in memory, and in a file without a name beside the
//! store where it is much.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::{mem, process};

/// Bytes that wait in memory.
const IN_MEMORY: usize = 32 << 20;
/// Bytes that are handed over at once.
const PART: usize = 1 << 16;

/// A writer that does not wait. What was written is on its way after [`Write::flush`], and there after [`Self::finish`].
pub struct Printer {
    part: Vec<u8>,
    queue: Arc<Queue>,
    /// Nothing once it has ended.
    thread: Option<JoinHandle<io::Result<()>>>,
    /// Bytes that may wait in memory.
    room: usize,
    /// Whether it waits for readers where there is no more room in memory.
    waits: bool,
    directory: PathBuf,
    file: Option<Arc<File>>,
    /// Bytes that were put into the file.
    put: u64,
}

impl Printer {
    /// A printer on standard output; who may read what waits in the directory may read the store.
    ///
    /// When nobody reads on, the program ends: what is still being read of the store would be for nothing.
    pub fn beside(directory: &Path) -> Self {
        Self::onto(directory, IN_MEMORY, |queue| {
            let printed = print(queue, super::out());
            if matches!(&printed, Err(error) if error.kind() == ErrorKind::BrokenPipe) {
                process::exit(0);
            }
            printed
        })
    }

    fn onto(
        directory: &Path,
        room: usize,
        print: impl FnOnce(&Queue) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let queue = Arc::new(Queue::default());
        let shared = Arc::clone(&queue);
        let thread = thread::spawn(move || {
            let printed = print(&shared);
            shared.lock().has_ended = true;
            shared.printed.notify_one();
            printed
        });
        let directory = directory.to_owned();
        Self {
            part: Vec::new(),
            queue,
            thread: Some(thread),
            room,
            waits: false,
            directory,
            file: None,
            put: 0,
        }
    }

    /// From now on nobody else waits: what there is no room for in memory may be written when there is.
    pub const fn wait_for_readers(&mut self) {
        self.waits = true;
    }

    /// Waits until everything is printed.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        self.queue.lock().is_whole = true;
        self.queue.arrived.notify_one();
        self.thread.take().map_or(Ok(()), |thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    }

    /// Puts bytes where they do not need memory.
    fn put_aside(&mut self, bytes: &[u8]) -> io::Result<Part> {
        let file = if let Some(file) = &self.file {
            file
        } else {
            self.file.insert(Arc::new(tempfile::tempfile_in(&self.directory)?))
        };
        file.write_all_at(bytes, self.put)?;
        let part = Part::Aside(Arc::clone(file), self.put, bytes.len());
        self.put += bytes.len() as u64;
        Ok(part)
    }
}

impl Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend(bytes);
        if self.part.len() >= PART {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(in_memory) = self.queue.in_memory(self.waits, self.room) else { return self.end() };
        if !self.part.is_empty() {
            let bytes = mem::take(&mut self.part);
            let has_room = self.waits || in_memory + bytes.len() <= self.room;
            let part = if has_room { Part::Memory(bytes) } else { self.put_aside(&bytes)? };
            self.queue.add(part);
        }
        Ok(())
    }
}

impl Drop for Printer {
    /// What was written before something failed is printed all the same.
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// What waits to be printed.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    printed: Condvar,
}

#[derive(Default)]
struct Waiting {
    parts: VecDeque<Part>,
    /// Bytes of those in memory.
    in_memory: usize,
    /// Nothing more will come.
    is_whole: bool,
    /// Nothing more will be printed.
    has_ended: bool,
}

enum Part {
    Memory(Vec<u8>),
    /// Bytes in a file, from a place on.
    Aside(Arc<File>, u64, usize),
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes are in memory, where it may wait when these are no more than the room; nothing where printing has ended.
    fn in_memory(&self, waits: bool, room: usize) -> Option<usize> {
        let full = |waiting: &mut Waiting| waits && waiting.in_memory > room && !waiting.has_ended;
        let waiting = self.printed.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        (!waiting.has_ended).then_some(waiting.in_memory)
    }

    fn add(&self, part: Part) {
        let mut waiting = self.lock();
        waiting.in_memory += part.in_memory();
        waiting.parts.push_back(part);
        self.arrived.notify_one();
    }

    /// The next part, if it is there.
    fn next(&self) -> Option<Part> {
        let mut waiting = self.lock();
        let part = waiting.parts.pop_front()?;
        waiting.in_memory -= part.in_memory();
        self.printed.notify_one();
        Some(part)
    }

    /// Waits until there is something; gives whether there is.
    fn wait(&self) -> bool {
        let waiting = self.lock();
        let none = |waiting: &mut Waiting| waiting.parts.is_empty() && !waiting.is_whole;
        let waiting = self.arrived.wait_while(waiting, none).unwrap_or_else(PoisonError::into_inner);
        !waiting.parts.is_empty()
    }
}

impl Part {
    const fn in_memory(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Aside(..) => 0,
        }
    }

    fn read(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Memory(bytes) => Ok(bytes),
            Self::Aside(file, at, length) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, at)?;
                Ok(bytes)
            }
        }
    }
}

/// Prints what comes, until nothing more will.
fn print(queue: &Queue, mut out: impl Write) -> io::Result<()> {
    while queue.wait() {
        while let Some(part) = queue.next() {
            out.write_all(&part.read()?)?;
        }
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A printer with little room into a pipe, and what was read of the pipe.
    fn printer(room: usize) -> (Printer, mpsc::Sender<()>, JoinHandle<Vec<u8>>) {
        let (mut reader, writer) = io::pipe().unwrap();
        let (start, started) = mpsc::channel();
        let reading = thread::spawn(move || {
            started.recv().unwrap();
            let mut read = Vec::new();
            io::Read::read_to_end(&mut reader, &mut read).unwrap();
            read
        });
        let directory = std::env::temp_dir();
        (Printer::onto(&directory, room, |queue| print(queue, writer)), start, reading)
    }

    #[test]
    fn writing_waits_for_no_reader_and_everything_arrives_in_order() {
        for room in [0, PART, IN_MEMORY] {
            let (mut printer, start, reading) = printer(room);
            let mut written = Vec::new();
            for number in 0..200_000 {
                let line = format!("line {number}\n");
                printer.write_all(line.as_bytes()).unwrap();
                written.extend(line.into_bytes());
            }
            printer.flush().unwrap();
            assert!(printer.queue.lock().in_memory <= room);
            assert_eq!(printer.put > 0, room < IN_MEMORY);
            start.send(()).unwrap();
            printer.finish().unwrap();
            assert!(reading.join().unwrap() == written, "{room}");
        }
    }

    #[test]
    fn what_was_written_before_a_failure_is_printed() {
        let (mut printer, start, reading) = printer(IN_MEMORY);
        printer.write_all(b"one\n").unwrap();
        printer.flush().unwrap();
        start.send(()).unwrap();
        drop(printer);
        assert_eq!(reading.join().unwrap(), b"one\n");
    }

    #[test]
    fn an_error_of_the_output_is_told() {
        let directory = std::env::temp_dir();
        let full = || io::Error::from(ErrorKind::StorageFull);
        let mut printer = Printer::onto(&directory, IN_MEMORY, move |queue| {
            queue.wait();
            Err(full())
        });
        let told = (0..).find_map(|_| {
            thread::yield_now();
            printer.write_all(b"line\n").and_then(|()| printer.flush()).err()
        });
        assert_eq!(told.unwrap().kind(), ErrorKind::StorageFull);
        printer.finish().unwrap();
    }
}
