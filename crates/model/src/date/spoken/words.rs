//! The words of a phrase in one plain form, and what the words mean.
//!
//! Everything after this works on lower-case words without punctuation: `Oct. 2nd, 2023` is `oct 2nd 2023`,
//! `44 B.C.` is `44 bc`, `c.1850` is `c 1850`, and any dash between two dates is `to`. The articles and `of`
//! are dropped, as they never change a meaning.

use crate::date::names;

/// Splits a phrase into plain words.
pub fn split(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        match c {
            '\u{2010}' | '\u{2011}' | '\u{2212}' => plain.push('-'),
            '\u{2012}'..='\u{2015}' => plain.push_str(" to "),
            '\u{2019}' => plain.push('\''),
            _ if c.is_whitespace() => plain.push(' '),
            _ => plain.push(c),
        }
    }
    let mut words = Vec::new();
    for word in plain.split_ascii_whitespace() {
        if is_grouped(word) {
            push(&word.replace(',', ""), &mut words);
        } else {
            word.split(',').filter(|part| !part.is_empty()).for_each(|part| push(part, &mut words));
        }
    }
    words
}

/// `10,000`: commas between groups of three digits, and nothing else.
fn is_grouped(word: &str) -> bool {
    let mut groups = word.trim_end_matches(',').split(',');
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or("");
    word.contains(',')
        && (1..=3).contains(&first.len())
        && digits(first)
        && groups.all(|group| group.len() == 3 && digits(group))
}

fn push(word: &str, words: &mut Vec<String>) {
    if matches!(word, "the" | "of") {
        return;
    }
    if word == "-" {
        return words.push("to".to_owned());
    }
    if let Some((first, last)) = hyphenated(word) {
        return words.extend([first.to_owned(), "to".to_owned(), last.to_owned()]);
    }
    if let Some((flag, rest)) = flagged(word) {
        words.push(flag.to_owned());
        return push(rest, words);
    }
    if let Some(rest) = word.strip_suffix(['?', '~', '%']).filter(|rest| !rest.is_empty()) {
        push(rest, words);
        return words.push(word[rest.len()..].to_owned());
    }
    let word = without_dots(word).replace("0's", "0s");
    match word.find(|c: char| c.is_ascii_alphabetic()).map(|at| word.split_at(at)) {
        Some((number, era @ ("bc" | "bce" | "ad" | "ce"))) if is_number(number) => {
            words.extend([number.to_owned(), era.to_owned()]);
        }
        _ => words.push(word),
    }
}

/// `2004-2017` and `2004-present`, which cannot be a year and a month.
fn hyphenated(word: &str) -> Option<(&str, &str)> {
    let (first, last) = word.split_once('-')?;
    let is_year = |text: &str| text.len() == 4 && is_number(text);
    (is_year(first) && (is_year(last) || matches!(last, "present" | "now"))).then_some((first, last))
}

/// `c.1850`, `ca1850`, `~1850`: a flag that leans on its number.
fn flagged(word: &str) -> Option<(&'static str, &str)> {
    ["circa", "ca.", "ca", "c.", "c", "~"].iter().find_map(|flag| {
        let rest = word.strip_prefix(flag)?;
        rest.starts_with(|c: char| c.is_ascii_digit()).then_some(("circa", rest))
    })
}

/// `b.c.` as `bc`, `oct.` as `oct`, `2.` as `2`; the dots inside `25.12.1985` stay.
fn without_dots(word: &str) -> String {
    if word.contains(|c: char| c.is_ascii_digit()) {
        word.strip_suffix('.').unwrap_or(word).to_owned()
    } else {
        word.replace('.', "")
    }
}

/// Whether the word is digits only.
pub fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// `january`, `jan`, `sept`.
pub fn month(word: &str) -> Option<u8> {
    names::position(word, &names::MONTHS).and_then(|index| u8::try_from(index + 1).ok())
}

/// `monday`, `tue`; Monday is 0.
pub fn weekday(word: &str) -> Option<usize> {
    names::position(word, &names::WEEKDAYS)
}

/// Whether the word counts years before (`true`) or after the beginning of our era.
pub fn is_before_christ(word: &str) -> Option<bool> {
    match word {
        "bc" | "bce" => Some(true),
        "ad" | "ce" => Some(false),
        _ => None,
    }
}

/// `2nd`, `19th`, `first`.
pub fn ordinal(word: &str) -> Option<u32> {
    const WORDS: [&str; 4] = ["first", "second", "third", "fourth"];
    if let Some(index) = WORDS.iter().position(|name| *name == word) {
        return u32::try_from(index + 1).ok();
    }
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|suffix| word.strip_suffix(suffix))?;
    if is_number(digits) { digits.parse().ok() } else { None }
}

/// `3`, `three`, `a`.
pub fn count(word: &str) -> Option<i64> {
    const WORDS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    if matches!(word, "a" | "an") {
        return Some(1);
    }
    match WORDS.iter().position(|name| *name == word) {
        Some(index) => i64::try_from(index + 1).ok(),
        None if is_number(word) => word.parse().ok(),
        None => None,
    }
}
