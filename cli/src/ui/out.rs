//! Standard output as it takes styles: a terminal obeys them, a file or a pipe is spared them.

use std::io::{self, Write};

use anstream::adapter::StripBytes;

/// A writer that leaves styles out, or hands them on.
pub struct Out<W> {
    out: W,
    /// What leaves them out; nothing where they are wanted.
    strip: Option<StripBytes>,
}

impl Out<io::StdoutLock<'static>> {
    /// Standard output, with styles if the user or the terminal wants them.
    pub fn standard() -> Self {
        let out = io::stdout().lock();
        let is_plain = anstream::AutoStream::choice(&out) == anstream::ColorChoice::Never;
        Self { out, strip: is_plain.then(StripBytes::new) }
    }
}

impl<W: Write> Write for Out<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match &mut self.strip {
            // Between two styles nearly everything is plain, and needs no look at what each byte begins.
            Some(strip) if *strip != StripBytes::new() || !is_plain(piece) => {
                strip.strip_next(piece).try_for_each(|plain| self.out.write_all(plain))?;
            }
            _ => self.out.write_all(piece)?,
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether a piece is whole characters, and none that begins a style.
fn is_plain(piece: &[u8]) -> bool {
    let is_control = |byte: &u8| matches!(*byte, 0..=0x09 | 0x0b..=0x1f | 0x7f);
    !piece.iter().any(is_control) && std::str::from_utf8(piece).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, size: usize) -> String {
        let mut out = Out { out: Vec::new(), strip: Some(StripBytes::new()) };
        text.as_bytes().chunks(size).for_each(|piece| out.write_all(piece).unwrap());
        String::from_utf8(out.out).unwrap()
    }

    #[test]
    fn styles_are_left_out_wherever_they_are_cut() {
        let text = "\u{1b}[1mHEAD\u{1b}[0m one 漢字\n\u{1b}[38;5;9mred – \u{1b}[0m🌍\nplain\n";
        for size in 1..=text.len() {
            assert_eq!(written(text, size), "HEAD one 漢字\nred – 🌍\nplain\n", "{size}");
        }
    }

    #[test]
    fn a_terminal_gets_them() {
        let mut out = Out { out: Vec::new(), strip: None };
        out.write_all("\u{1b}[1mHEAD\u{1b}[0m\n".as_bytes()).unwrap();
        assert_eq!(out.out, "\u{1b}[1mHEAD\u{1b}[0m\n".as_bytes());
    }
}
