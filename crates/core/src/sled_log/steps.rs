//! The steps of a commit, a compaction, a backup and a redaction, by name, so that a test can make each of them fail or
//! end the process there.
//!
//! Only a build with the feature `failpoints` has anything here; in every other one a step is nothing.

use crate::Result;

/// Goes on to a step, unless a test has decided otherwise.
#[cfg(feature = "failpoints")]
pub fn reach(step: &'static str) -> Result<()> {
    let failed =
        || crate::Error::io(format!("cannot get to the step `{step}`"), std::io::Error::other("a test"));
    fail::fail_point!(step, |_| Err(failed()));
    Ok(())
}

/// Goes on to a step.
#[cfg(not(feature = "failpoints"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it can fail")]
pub const fn reach(_step: &'static str) -> Result<()> {
    Ok(())
}
