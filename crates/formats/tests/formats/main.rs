//! The formats against each other: goldens, round trips, hostile input and real tables.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod arbitrary;
mod earthquakes;
mod foreign;
mod golden;
mod hostile;
mod others;
mod round_trip;
mod sample;
mod table;
