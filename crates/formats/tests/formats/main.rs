//! The formats against each other: goldens, round trips, hostile input and real tables.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "helpers of tests fail as tests do, and take their counts from the environment"
)]

mod arbitrary;
mod earthquakes;
mod foreign;
mod golden;
mod hostile;
mod kept;
mod others;
mod round_trip;
mod sample;
mod table;
mod walk;
