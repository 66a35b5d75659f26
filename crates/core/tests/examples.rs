//! The examples print what their comments promise.

#![allow(clippy::unwrap_used, reason = "test code: a panic is how a test fails")]

#[path = "../examples/case_file.rs"]
#[allow(dead_code, reason = "an example's `main` is not called here")]
mod case_file;
#[path = "../examples/haiti_troops.rs"]
#[allow(dead_code, reason = "an example's `main` is not called here")]
mod haiti_troops;

const HAITI_TROOPS: &str = "\
Foreign forces in Haiti, from 19 records

AS OF        FORCES  PLEDGED      WHICH
before       0       0
2004-01-01   0-2     0            peacekeepers?, police?
2004-12-31   2       0            peacekeepers, police
2017-01-01   1-2     0            police, peacekeepers?
2017-12-31   1       0            police
2019-01-01   0-1     0            police?
2019-12-31   0       0
2023-07-01   0       0-1000
2023-07-31   0       1000

1 more record, of the resolution's day: 1 read
states that no longer hold: none, for no force came or left by it
";

const CASE_FILE: &str = "\
The first run
no checkpoint yet: everything is read
as of 2021-03
  R. M.: missing; held at: -; before: -
as of 2021-06
  R. M.: detained; held at: North prison; before: -
  T. K.: unknown; held at: North prison; before: -
as of 2021-12
  R. M.: released; held at: -; before: North prison
  T. K.: released; held at: -; before: North prison

The second run
resumed at @4
2 new records, rewound to 2021-03-11T23:59:59
as of 2021-03-15
  R. M.: missing; held at: police station; before: -
as of 2021-12
  R. M.: detained; held at: -; before: police station, North prison
  T. K.: unknown; held at: -; before: North prison
a rebuild has the same receipt: yes
";

#[test]
fn the_forces_in_haiti_are_told_between_two_bounds() {
    let mut out = Vec::new();
    haiti_troops::report(&mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), HAITI_TROOPS);
}

#[test]
fn a_case_file_is_taken_up_again_and_corrected() {
    let (directory, mut out) = (tempfile::tempdir().unwrap(), Vec::new());
    case_file::report(&mut out, directory.path()).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), CASE_FILE);
}
