//! What the engine takes from outside: the time and randomness. Both are passed in, so that a test, or a
//! replay of a session, can decide them.

use annals_model::{EventId, Invalid, RecordedAt};

/// The clock and the source of randomness of a writer.
pub trait Host {
    /// The time, as the writer's clock shows it; the engine sees to it that record times never go back.
    fn now(&self) -> RecordedAt;

    /// Fills a buffer with bytes that nobody can guess: the salts of hiding commitments and the ids of events
    /// are made of them.
    fn fill_random(&self, buffer: &mut [u8]);
}

/// A writer's clock that lay behind the log's last record, so that what was recorded carries that record's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockLag {
    /// What the clock showed.
    pub clock: RecordedAt,
    /// The record time that was given instead.
    pub recorded_at: RecordedAt,
}

impl ClockLag {
    /// How far it lay behind, in whole seconds.
    pub const fn seconds(&self) -> u64 {
        self.recorded_at.micros().saturating_sub(self.clock.micros()).unsigned_abs() / 1_000_000
    }
}

/// Makes an id for an event that came without one: a `UUIDv7` (RFC 9562, section 5.7), lower case.
pub fn new_event_id(host: &dyn Host) -> Result<EventId, Invalid> {
    let mut random = [0; 10];
    host.fill_random(&mut random);
    let millis = u64::try_from(host.now().micros() / 1000).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
    EventId::new(uuid.to_string())
}
