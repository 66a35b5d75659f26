//! Numbers and byte strings as the index writes them: LEB128, and a length before each string.

/// Appends a number.
pub fn put_number(into: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return into.push(low);
        }
        into.push(low | 0x80);
    }
}

/// Appends a number with a sign, small ones of either sign in few bytes.
pub fn put_zigzag(into: &mut Vec<u8>, number: i128) {
    let mut rest = ((number << 1) ^ (number >> 127)).cast_unsigned();
    loop {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            return into.push(low);
        }
        into.push(low | 0x80);
    }
}

/// Appends a byte string.
pub fn put_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    put_number(into, bytes.len() as u64);
    into.extend(bytes);
}

/// What is left to read. Every read fails at the end, and none allocates.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// The next bytes, so many of them.
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// The next number, in so many bytes, the first one being the highest.
    pub fn fixed(&mut self, length: usize) -> Option<u64> {
        Some(self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The next number with a sign.
    #[inline]
    pub fn zigzag(&mut self) -> Option<i128> {
        // Most numbers are small.
        if let [byte @ 0..0x80, rest @ ..] = self.0 {
            self.0 = rest;
            return Some(i128::from(byte >> 1) ^ -i128::from(byte & 1));
        }
        let mut rest: u128 = 0;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            rest |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some((rest >> 1).cast_signed() ^ -(rest & 1).cast_signed());
            }
        }
        None
    }

    /// The next number.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The next byte string.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_and_the_end_is_noticed() {
        let mut written = Vec::new();
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        for number in numbers {
            put_number(&mut written, number);
        }
        let signed = [0, -1, 1, i128::MAX, i128::MIN, i64::MIN.into()];
        for number in signed {
            put_zigzag(&mut written, number);
        }
        put_bytes(&mut written, b"key");
        let mut input = Input(&written);
        for number in numbers {
            assert_eq!(input.number(), Some(number));
        }
        for number in signed {
            assert_eq!(input.zigzag(), Some(number));
        }
        assert_eq!(input.bytes(), Some(&b"key"[..]));
        assert!(input.is_empty() && input.number().is_none());
        assert_eq!(Input(&[5, 1]).bytes(), None);
        assert_eq!(Input(&[0xff; 11]).number(), None);
    }
}
