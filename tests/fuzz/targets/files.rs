//! Files of other kinds: column maps, and the parts of a backup.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use annals_core::backup::Backup;
use annals_formats::ColumnMap;
use annals_model::line::hex;
use sha2::{Digest, Sha256};

/// A column map.
pub fn map(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match ColumnMap::from_toml(text) {
        Ok(map) => assert_eq!(ColumnMap::from_toml(text), Ok(map)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    for rule in text.lines() {
        let _ = ColumnMap::parse([rule]);
    }
}

/// The manifest of a backup that has no other file.
pub fn manifest(bytes: &[u8]) {
    let room = tempfile::tempdir().unwrap();
    let backup = marked(room.path(), bytes);
    let held = backup.held();
    let verified = backup.verify(NonZeroUsize::MIN, |_| ());
    match (held, verified) {
        (Ok(Some(held)), Ok(verified)) => {
            assert_eq!(held, verified);
            assert_eq!((held.records.0, held.bytes), (0, 0), "nothing else is there");
        }
        (Ok(None), Ok(_)) => panic!("a backup that was never finished is whole"),
        _ => {}
    }
}

/// A segment, under a manifest that fits it: its first bytes say how many records it holds, and their root.
pub fn segment(bytes: &[u8]) {
    let Some((count, rest)) = bytes.split_first_chunk::<2>() else { return };
    let Some((root, segment)) = rest.split_first_chunk::<32>() else { return };
    let (count, root) = (u16::from_le_bytes(*count), hex(root));
    let digest = hex(&Sha256::digest(segment));
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        r#"{{"schema":"annals/backup/1","generation":1,"records":{count},"log_root":"{root}",
        "recorded_at":"2026-03-01T09:01:02.000000Z","segments":[{{"first":1,"last":{count},"file":"log/1",
        "bytes":{},"sha256":"{digest}"}}],"snapshots":[],"attachments":[]}}"#,
        segment.len()
    );
    let backup = marked(directory.path(), text.as_bytes());
    fs::create_dir(directory.path().join("log")).unwrap();
    fs::write(directory.path().join("log/1"), segment).unwrap();
    if let Ok(held) = backup.verify(NonZeroUsize::MIN, |_| ()) {
        assert_eq!((held.records.0, hex(&held.root)), (u64::from(count), root));
    }
}

fn marked(room: &Path, manifest: &[u8]) -> Backup {
    fs::write(room.join("backup"), "annals backup 1\n").unwrap();
    fs::write(room.join("manifest"), manifest).unwrap();
    Backup::at(room.to_owned())
}
