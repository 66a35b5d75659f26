//! How much a test does: little, unless whoever runs it says otherwise in the environment.

/// The number in an environment variable, or another one where there is none.
#[allow(clippy::disallowed_methods, reason = "whoever runs the tests says how long they may take")]
pub fn count<T: std::str::FromStr>(variable: &str, few: T) -> T {
    std::env::var(variable).ok().and_then(|count| count.parse().ok()).unwrap_or(few)
}
