//! Whether two titles say the same: the same numbers, and no word on either side that the other lacks but for
//! spelling.
//!
//! A single distance over the whole text would take “Kenya pledges 1,000 officers to the mission” and
//! “Jamaica pledges 1,000 officers to the mission” for one event: long titles made from one template differ in
//! few letters. So words are compared with words, a title may only leave out some, and what holds a digit (a
//! number, a year, `CVE-2025-0108`) has to be there on both sides as it is.

/// How alike two words must be: the normalized Damerau–Levenshtein similarity, of 1. `arrive` and `arrives`
/// are; `Iran` and `Iraq`, `Austria` and `Australia` are not.
const ALIKE: f64 = 0.8;
/// Shorter words are alike only when they are equal.
const SHORT: usize = 4;

/// A title as it is compared. Its words stand between single spaces, which sorts them as a list of them would be: a
/// space comes before everything that a word is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Title {
    /// The words that hold a digit, sorted.
    pub numbers: Box<str>,
    /// The other words, in lower case and in order.
    pub words: Box<str>,
}

impl Title {
    /// Takes a title apart.
    pub fn new(text: &str) -> Self {
        let lower = without_inner_marks(&text.to_lowercase());
        let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let (mut numbers, words): (Vec<&str>, Vec<&str>) =
            words.partition(|word| word.contains(char::is_numeric));
        numbers.sort_unstable();
        Self { numbers: numbers.join(" ").into(), words: words.join(" ").into() }
    }

    /// Its beginning as a number: where those of two titles differ, the titles have the same order.
    pub(super) fn beginning(&self) -> u128 {
        // What separates the two comes before everything else, as the end of the numbers would.
        let bytes = self.numbers.bytes().chain([0]).chain(self.words.bytes()).chain([0; 16]);
        bytes.take(16).fold(0, |number, byte| number << 8 | u128::from(byte))
    }

    /// Whether two titles say the same: three quarters of all words are shared, and one of the two has no word
    /// of its own.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        if self.numbers != other.numbers {
            return false;
        }
        let numbers = words(&self.numbers).count();
        let (own, others): (Vec<&str>, Vec<&str>) =
            (words(&self.words).collect(), words(&other.words).collect());
        let (fewer, more) = if own.len() <= others.len() { (own, others) } else { (others, own) };
        let shared = 2 * (fewer.len() + numbers);
        let all = fewer.len() + more.len() + 2 * numbers;
        all > 0 && 4 * shared >= 3 * all && is_within(&fewer, more)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

/// Whether each word has one of its own in the other title that is equal or alike.
fn is_within(fewer: &[&str], mut left: Vec<&str>) -> bool {
    let mut missing = Vec::new();
    for word in fewer {
        match left.iter().position(|own| own == word) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => missing.push(word),
        }
    }
    missing.into_iter().all(|word| {
        let Some(at) = left.iter().position(|own| are_alike(own, word)) else { return false };
        left.swap_remove(at);
        true
    })
}

/// Drops the marks within a word, as in `U.N.` and `don't`; between digits they mean something.
fn without_inner_marks(text: &str) -> String {
    let mut before = ' ';
    let mut is_kept = |c: &char| {
        let kept = !(before.is_alphabetic() && matches!(c, '.' | '\'' | '’'));
        before = if kept { *c } else { before };
        kept
    };
    text.chars().filter(|c| is_kept(c)).collect()
}

fn are_alike(a: &str, b: &str) -> bool {
    let is_short = |word: &str| word.chars().count() < SHORT;
    !is_short(a) && !is_short(b) && strsim::normalized_damerau_levenshtein(a, b) >= ALIKE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginnings_of_titles_never_differ_from_their_order() {
        let texts = [
            "",
            "7",
            "7 a",
            "7 8 a",
            "77 a",
            "a",
            "a b",
            "ab",
            "ab c",
            "abcdefghijklmnopq",
            "abcdefghijklmnopr",
            "é",
        ];
        let titles: Vec<Title> = texts.into_iter().map(Title::new).collect();
        for a in &titles {
            for b in &titles {
                let of_beginnings = a.beginning().cmp(&b.beginning());
                assert!(of_beginnings.is_eq() || of_beginnings == a.cmp(b), "{a:?} {b:?}");
                let lists = |title: &Title| {
                    [&title.numbers, &title.words]
                        .map(|text| words(text).map(str::to_owned).collect::<Vec<_>>())
                };
                assert_eq!(a.cmp(b), lists(a).cmp(&lists(b)), "the order is that of lists of words");
            }
        }
    }

    #[test]
    fn titles_are_alike_but_for_spelling_order_and_a_few_words_more() {
        let check = |a: &str, b: &str, expect: bool| {
            let (a, b) = (Title::new(a), Title::new(b));
            assert_eq!(a.is_like(&b), expect, "{a:?} {b:?}");
            assert_eq!(b.is_like(&a), expect, "{b:?} {a:?}");
        };
        check("UN peacekeepers arrive", "U.N. peacekeepers arrive.", true);
        check("UN peacekeepers arrive", "UN Peacekeepers arrived!", true);
        check("UN peacekeepers arrive", "UN peacekeepers arrive in Haiti", true);
        check("UN police leave Haiti", "Haiti: UN police leave", true);
        check("Cholera", "Cholera reaches the capital of Haiti", false);
        check(
            "Kenya pledges 1,000 officers to the mission",
            "Jamaica pledges 1,000 officers to the mission",
            false,
        );
        check("Kenya pledges 1,000 officers", "Kenya pledges 2,000 officers", false);
        check("CVE-2025-0108 joins the catalogue", "CVE-2025-0109 joins the catalogue", false);
        check("Talks with Iran", "Talks with Iraq", false);
        check("Embassy in Austria closes", "Embassy in Australia closes", false);
        check("The siege begins", "The siege ends", false);
        check("2004", "2004", true);
        check("—", "—", false);
        check("海地霍乱爆发", "海地霍乱爆发", true);
    }
}
