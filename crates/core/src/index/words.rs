//! The words of a run: texts that many of its facts share, such as the values of a status, stored once.
//!
//! A date refers to a word by its number plus 1; behind 0 its text follows. So a text that only one fact has costs
//! a byte more, and one that many have costs a byte or two. What a fact does refers to a word by its number.

use std::collections::HashMap;

use super::bytes::{Input, put_bytes, put_number};

/// Words that a run has at most.
const MOST: usize = 4096;
/// Longer texts are no words.
const LONGEST: usize = 64;
/// Texts that are counted at most.
const COUNTED: usize = 1 << 16;
/// How often a text must come to be a word.
const OFTEN: u32 = 3;

/// Words by their numbers, as facts are read.
#[derive(Clone, Debug, Default)]
pub struct Words {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// The numbers of words, as facts are written.
#[derive(Clone, Debug, Default)]
pub struct Numbers(HashMap<Box<[u8]>, u64>);

/// How often texts come.
#[derive(Debug, Default)]
pub struct Counts(HashMap<Box<[u8]>, u32>);

impl Words {
    /// No words at all.
    pub fn none() -> &'static Self {
        static NONE: Words = Words { bytes: Vec::new(), ends: Vec::new() };
        &NONE
    }

    /// Reads words as they stand in a run.
    pub fn read(plain: &[u8]) -> Option<Self> {
        let (mut input, mut words) = (Input(plain), Self::default());
        while !input.is_empty() {
            words.push(input.bytes()?);
        }
        Some(words)
    }

    fn push(&mut self, word: &[u8]) {
        self.bytes.extend(word);
        self.ends.push(self.bytes.len());
    }

    /// The words as they stand in a run.
    pub fn written(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        self.all().for_each(|word| put_bytes(&mut plain, word));
        plain
    }

    /// The word with a number, counted from 0.
    pub fn word(&self, number: u32) -> Option<&[u8]> {
        self.get(number as usize)
    }

    fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start..end)
    }

    fn all(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).filter_map(|index| self.get(index))
    }

    /// The words of several runs as one run has them.
    pub fn together<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        let (mut words, mut seen) = (Self::default(), std::collections::HashSet::new());
        for word in parts.flat_map(Self::all) {
            if words.ends.len() < MOST && seen.insert(word) {
                words.push(word);
            }
        }
        words
    }

    /// Their numbers.
    pub fn numbers(&self) -> Numbers {
        Numbers(self.all().map(Box::from).zip(1..).collect())
    }

    /// Reads a text: a word, or what follows.
    pub fn text<'a>(&'a self, input: &mut Input<'a>) -> Option<&'a [u8]> {
        match input.number()? {
            0 => input.bytes(),
            number => self.get(usize::try_from(number - 1).ok()?),
        }
    }
}

impl Numbers {
    /// The number of a word, counted from 0; nothing where a text is none.
    pub fn number(&self, text: &[u8]) -> Option<u32> {
        self.0.get(text).and_then(|number| u32::try_from(number - 1).ok())
    }

    /// Appends a text.
    pub fn put(&self, into: &mut Vec<u8>, text: &[u8]) {
        if let Some(number) = self.0.get(text) {
            put_number(into, *number);
        } else {
            put_number(into, 0);
            put_bytes(into, text);
        }
    }
}

impl Counts {
    /// Counts a text.
    pub fn count(&mut self, text: &[u8]) {
        if let Some(count) = self.0.get_mut(text) {
            *count += 1;
        } else if text.len() <= LONGEST && self.0.len() < COUNTED {
            self.0.insert(text.into(), 1);
        }
    }

    /// The texts that came often, the most frequent first.
    pub fn words(self) -> Words {
        let mut often: Vec<(Box<[u8]>, u32)> =
            self.0.into_iter().filter(|(_, count)| *count >= OFTEN).collect();
        often.sort_unstable_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
        let mut words = Words::default();
        often.iter().take(MOST).for_each(|(word, _)| words.push(word));
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_it_was_put_whether_it_is_a_word_or_not() {
        let mut counts = Counts::default();
        let long = [7; LONGEST + 1];
        let texts: [&[u8]; 5] = [b"often", b"", b"seldom", &long, b"often"];
        for _ in 0..2 {
            for text in texts {
                counts.count(text);
            }
        }
        counts.count(b"");
        let words = counts.words();
        assert_eq!(words.all().collect::<Vec<_>>(), [&b"often"[..], b""]);
        let read = Words::read(&words.written()).unwrap();
        assert_eq!(read.all().collect::<Vec<_>>(), words.all().collect::<Vec<_>>());
        let mut bytes = Vec::new();
        for text in texts {
            words.numbers().put(&mut bytes, text);
        }
        assert!(bytes.len() < long.len() + 20);
        let mut input = Input(&bytes);
        for text in texts {
            assert_eq!(read.text(&mut input), Some(text));
        }
        assert!(input.is_empty());
        assert_eq!(read.text(&mut Input(&[9])), None);
        assert_eq!(Words::together([&read, &words].into_iter()).written(), words.written());
    }
}
