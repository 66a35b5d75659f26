//! Exact decimal numbers.
//!
//! Deaths, troops and dollars are counted in decimal, and a sum has to come out the same in whatever order it
//! is added up (SPEC section 4), so numbers are fixed-point: a whole count of 10⁻¹⁷. 0.1 and 0.2 make 0.3, and
//! no digit that was written is lost. What does not fit is refused when it is read, with the advice to write it
//! as text.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Invalid;

/// Decimal places that a number keeps.
const SCALE: u8 = 17;
const ONE: i128 = 10_i128.pow(SCALE as u32);

/// The largest whole number that every JSON reader keeps exactly: 2⁵³ − 1 (RFC 7493, section 2.2).
pub const MAX_INTEGER: i64 = 9_007_199_254_740_991;

/// An exact decimal number with up to 17 decimal places.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Number(i128);

impl Number {
    /// Zero, which an absent number counts as.
    pub const ZERO: Self = Self(0);

    /// The sum, or `None` where it no longer fits (beyond 10²¹).
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The number as a count of the smallest parts that numbers keep.
    pub(crate) const fn smallest_parts(self) -> i128 {
        self.0
    }

    /// The number with this count of smallest parts.
    pub(crate) const fn from_smallest_parts(count: i128) -> Self {
        Self(count)
    }

    /// Whether the number has no decimal places.
    pub const fn is_integer(self) -> bool {
        self.0 % ONE == 0
    }

    /// The number as digits and the count of them behind the point: 3.25 is (325, 2).
    pub const fn parts(self) -> (i128, u8) {
        // Nearly all numbers are whole, and a division of such long numbers takes its time.
        if self.is_integer() {
            return (self.0 / ONE, 0);
        }
        let (mut digits, mut places) = (self.0, SCALE);
        while places > 0 && digits % 10 == 0 {
            digits /= 10;
            places -= 1;
        }
        (digits, places)
    }

    /// The number with these digits, `places` of them behind the point; `None` where it does not fit.
    pub fn from_parts(digits: i128, places: u8) -> Option<Self> {
        let shift = SCALE.checked_sub(places)?;
        digits.checked_mul(10_i128.pow(u32::from(shift))).map(Self)
    }

    /// Whether a program that reads the number as a floating-point number writes the same digits again.
    fn survives_a_float(self) -> bool {
        if self.is_integer() && self.0.unsigned_abs() <= MAX_INTEGER as u128 * ONE.unsigned_abs() {
            return true;
        }
        let digits = self.to_string();
        digits.parse::<f64>().is_ok_and(|float| float.to_string() == digits)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(i128::from(value) * ONE)
    }
}

/// Plain digits, without an exponent: `9000`, `-0.5`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, places) = self.parts();
        if digits < 0 {
            f.write_str("-")?;
        }
        let unit = 10_u128.pow(u32::from(places));
        let magnitude = digits.unsigned_abs();
        write!(f, "{}", magnitude / unit)?;
        if places > 0 {
            write!(f, ".{:0width$}", magnitude % unit, width = usize::from(places))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads a JSON number literal (RFC 8259, section 6), exactly.
impl FromStr for Number {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let literal =
            Literal::split(text).ok_or_else(|| Invalid::new(format!("`{text}` is not a number")))?;
        literal.value().filter(|number| number.survives_a_float()).ok_or_else(|| {
            Invalid::new(format!("the number {text} has more digits than programs that read JSON keep"))
                .with_hint("numbers go up to 9007199254740991, with 15 to 17 digits in all; write it as text")
        })
    }
}

/// The pieces of a JSON number literal.
struct Literal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

impl<'a> Literal<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], Self::exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        let well_formed = !whole.is_empty() && !leading_zero && digits(whole) && digits(fraction);
        well_formed.then_some(Self { negative, whole, fraction, exponent })
    }

    fn exponent(text: &str) -> Option<i32> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // An exponent too long for i32 is well-formed and far out of range: let the range check say so.
        Some(text.parse().unwrap_or(if text.starts_with('-') { i32::MIN / 2 } else { i32::MAX / 2 }))
    }

    fn value(&self) -> Option<Number> {
        let significant = self.whole.bytes().chain(self.fraction.bytes()).skip_while(|b| *b == b'0');
        let mut digits: i128 = 0;
        for byte in significant {
            digits = digits.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        }
        if digits == 0 {
            return Some(Number::ZERO);
        }
        let mut places = i32::try_from(self.fraction.len()).ok()?.checked_sub(self.exponent)?;
        while digits % 10 == 0 {
            digits /= 10;
            places = places.checked_sub(1)?;
        }
        while places < 0 {
            digits = digits.checked_mul(10)?;
            places += 1;
        }
        let number = Number::from_parts(digits, u8::try_from(places).ok()?)?;
        let fits = number.0 <= i128::from(MAX_INTEGER) * ONE;
        let sign = if self.negative { -1 } else { 1 };
        fits.then_some(Number(number.0 * sign))
    }
}

/// A JSON number with exactly the digits that were kept.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0 / ONE) {
            Ok(whole) if self.is_integer() => serializer.serialize_i64(whole),
            _ => serde_json::value::RawValue::from_string(self.to_string())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let shown = match text.parse::<Number>() {
            Ok(number) => number.to_string(),
            Err(_) => "refused".to_owned(),
        };
        assert_eq!(shown, expect, "{text}");
    }

    #[test]
    fn literals_keep_every_digit_or_are_refused() {
        check("0", "0");
        check("-0.0", "0");
        check("9000", "9000");
        check("1.50", "1.5");
        check("-0.5", "-0.5");
        check("1e3", "1000");
        check("15e-1", "1.5");
        check("33.333333333333336", "33.333333333333336");
        check("0.30000000000000001", "refused");
        check("-72.30000000000000001", "refused");
        check("9007199254740991", "9007199254740991");
        check("9007199254740992", "refused");
        check("6.02e23", "refused");
        check("1e-18", "refused");
        check("1e99999999999", "refused");
        check("1e-99999999999", "refused");
        check("0e99999999999", "0");
        for malformed in ["", "-", "+1", "01", "1.", ".5", "1e", "NaN", "1_000", "0x10", "--1"] {
            check(malformed, "refused");
        }
    }

    #[test]
    fn sums_are_decimal() {
        let number = |text: &str| text.parse::<Number>().unwrap();
        assert_eq!(number("0.1").checked_add(number("0.2")), Some(number("0.3")));
        let json = serde_json::to_string(&[number("0.3"), number("-7"), number("12.25")]).unwrap();
        assert_eq!(json, "[0.3,-7,12.25]");
    }

    #[test]
    fn parts_come_back() {
        for text in ["0", "3.25", "-120", "0.00000000000000001", "9007199254740991"] {
            let number = text.parse::<Number>().unwrap();
            let (digits, places) = number.parts();
            assert_eq!(Number::from_parts(digits, places), Some(number));
        }
    }
}
