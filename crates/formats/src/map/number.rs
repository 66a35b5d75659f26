//! Numbers as tables write them: padded, with a plus sign, without the zero before the point, as `5.0`.

use std::ops::RangeInclusive;

use annals_model::{Invalid, Number, Scalar};

use crate::text::shown;

/// A whole number within a range; `5.0`, as programs write whole numbers of a column with gaps, is one.
pub fn integer(text: &str, what: &str, range: RangeInclusive<i64>) -> Result<i64, Invalid> {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    };
    let number = whole.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Invalid::new(format!("`{}` is not {what}", shown(text))))
}

/// A decimal number.
pub fn decimal(text: &str) -> Result<Number, Invalid> {
    let text = text.strip_prefix('+').unwrap_or(text);
    with_zero(text).as_deref().unwrap_or(text).parse()
}

/// A value of an effect: numbers, `true` and `false` as such, all else as text.
pub fn scalar(text: &str) -> Result<Scalar, Invalid> {
    match with_zero(text).map(|number| number.parse()) {
        Some(Ok(number)) => Ok(Scalar::Number(number)),
        _ => Scalar::from_plain(text),
    }
}

/// `.5` and `-.5` as `0.5` and `-0.5`.
fn with_zero(text: &str) -> Option<String> {
    if text.starts_with('.') {
        Some(format!("0{text}"))
    } else {
        text.strip_prefix('-').filter(|rest| rest.starts_with('.')).map(|rest| format!("-0{rest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_tables_write_them() {
        let check = |text: &str, expect: &str| {
            assert_eq!(decimal(text).map_or_else(|e| e.to_string(), |n| n.to_string()), expect);
        };
        check(".495", "0.495");
        check("-.466", "-0.466");
        check("+18.540", "18.54");
        check("1,000", "`1,000` is not a number");
        assert_eq!(scalar(".5").unwrap(), Scalar::Number("0.5".parse().unwrap()));
        assert_eq!(scalar(".net").unwrap(), Scalar::Text(".net".into()));
        assert_eq!(scalar("+509").unwrap(), Scalar::Text("+509".into()));
        assert_eq!(integer("5.0", "a month", 1..=12).unwrap(), 5);
        assert_eq!(
            integer("13", "a month (1 to 12)", 1..=12).unwrap_err().to_string(),
            "`13` is not a month (1 to 12)"
        );
    }
}
