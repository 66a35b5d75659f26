//! Frames of the log, with the records in them.

use annals_core::{Encoded, Frame, StoredRecord, pack};
use annals_model::Seq;

/// Bytes of a frame's header, whose last four are its checksum.
const HEADER: usize = 40;

/// A frame: as it is, and with checksums that fit, so that what is behind them is reached, too.
pub fn frame(bytes: &[u8]) {
    let first = bytes.get(2..10).and_then(|seq| seq.try_into().ok()).map_or(1, u64::from_be_bytes);
    check(Seq(first), bytes);
    if bytes.len() < HEADER {
        return;
    }
    let mut mended = bytes.to_vec();
    mend(&mut mended);
    check(Seq(first), &mended);
}

/// Sets the checksum of a frame.
fn mend(frame: &mut [u8]) {
    let (header, body) = frame.split_at_mut(HEADER);
    let (fields, crc) = header.split_at_mut(HEADER - 4);
    crc.copy_from_slice(&crc32c::crc32c_append(crc32c::crc32c(fields), body).to_le_bytes());
}

fn check(first: Seq, bytes: &[u8]) {
    let Ok(frame) = Frame::decode(first, bytes) else { return };
    assert_eq!(frame.first(), first);
    for raw in frame.records().flatten() {
        // The header by itself says how long the rest is; what decodes is written back as the same bytes.
        let Ok(stored) = StoredRecord::decode(&raw) else { continue };
        let Ok(encoded) = stored.encode() else { continue };
        let _ = (stored.leaf(), stored.line());
        again(raw.seq, &encoded, &stored);
    }
    let Ok(records) = frame.encoded() else { return };
    if (first.0 - 1) / 256 != (frame.last().0 - 1) / 256 {
        return;
    }
    let mut found = Vec::new();
    for (first, packed) in pack(first, &records).unwrap() {
        found.extend(Frame::decode(first, &packed).unwrap().encoded().unwrap());
    }
    assert_eq!(found, records);
}

/// Packs one record and reads it.
fn again(seq: Seq, encoded: &Encoded, stored: &StoredRecord) {
    let packed = pack(seq, std::slice::from_ref(encoded)).unwrap();
    let frame = Frame::decode(seq, &packed[0].1).unwrap();
    assert_eq!(&StoredRecord::decode(&frame.record(seq).unwrap()).unwrap(), stored);
}
