//! The next step for a text that was refused.
//!
//! Most wrong dates are one small change away from a right one, so the changes are tried, and what then
//! parses is suggested. The forms that need a choice (`196` may be a decade or a year) have a sentence of
//! their own. Last comes what the text means when somebody says it: a file takes EDTF only, but may be told
//! the EDTF for `2 Oct 2023`.

use super::error::{DateError, Fault, shown};
use super::{Date, repair, spoken};

const EDTF: &str = "dates are EDTF: 2023-10-02, 2023-07, 2004, 2010~, 2004/2017, [2017..2019]";
const SAYINGS: &str = "as in 2023-10-02, 2 Oct 2023, July 2023, circa 2010, 44 BC, before 1928, \
                       between 2017 and 2019, 3 days ago";

/// The error for a text from a file or a program.
pub fn for_file(text: &str, fault: Fault) -> DateError {
    let hint = specific(text, &fault).or_else(|| in_edtf(text)).unwrap_or_else(|| EDTF.to_owned());
    DateError::refused(text, Fault { hint: Some(hint), ..fault })
}

/// The error for a text from a person that is neither EDTF nor a phrase that we know.
pub fn for_person(text: &str, fault: Fault) -> DateError {
    match specific(text, &fault) {
        Some(hint) => DateError::refused(text, Fault { hint: Some(hint), ..fault }),
        None if is_meant_as_edtf(text) => {
            DateError::refused(text, Fault { hint: Some(SAYINGS.to_owned()), ..fault })
        }
        None => DateError::refused(text, Fault::with_hint("it is not one that Annals understands", SAYINGS)),
    }
}

/// The error for a phrase that was recognised and says something wrong.
pub fn for_phrase(text: &str, fault: Fault) -> DateError {
    let hint = fault.hint.unwrap_or_else(|| SAYINGS.to_owned());
    DateError::refused(text, Fault { hint: Some(hint), ..fault })
}

/// The error for a phrase that was understood and whose meaning is refused.
pub fn for_understood(text: &str, edtf: &str, fault: &Fault) -> DateError {
    let hint = specific(edtf, fault).unwrap_or_else(|| SAYINGS.to_owned());
    DateError::refused(
        text,
        Fault::with_hint(format!("it means {}, and {}", shown(edtf), fault.reason), hint),
    )
}

/// Whether the reason that the grammar gives will make sense to the writer.
fn is_meant_as_edtf(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || "-Y[{./".contains(c)) && !text.contains(' ')
}

fn specific(text: &str, fault: &Fault) -> Option<String> {
    /// Longer texts are not worth the trials.
    const LONGEST: usize = 1_000;
    if let Some(hint) = &fault.hint {
        return Some(hint.clone());
    }
    if text.len() > LONGEST {
        return None;
    }
    if text.is_empty() {
        return Some("leave the date out when it is not known".to_owned());
    }
    trimmed(text)
        .or_else(|| swapped(text))
        .or_else(|| repair::bare_number(text))
        .or_else(|| repair::impossible_day(text))
        .or_else(|| repair::repaired(text).map(|right| format!("write {right}")))
}

fn trimmed(text: &str) -> Option<String> {
    let trimmed = Some(text.trim()).filter(|trimmed| *trimmed != text)?;
    Date::exact(trimmed).ok().map(|_| format!("trim it: {trimmed}"))
}

/// An interval that runs backwards, turned round.
fn swapped(text: &str) -> Option<String> {
    let (start, end) = text.split_once('/')?;
    let right = format!("{end}/{start}");
    Date::exact(&right).ok().map(|_| format!("swap the two: {right}"))
}

fn in_edtf(text: &str) -> Option<String> {
    match spoken::read(text.trim(), None) {
        Ok(Some(edtf)) => Date::exact(&edtf).ok().map(|date| format!("in EDTF this is {date}")),
        Ok(None) => None,
        Err(fault) => fault.hint,
    }
}
