//! Medians of two sides that take turns.

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::context::Context;

/// What is short, how long a turn goes on with it, and how many times.
const SHORT: Duration = Duration::from_millis(300);
const TURN: Duration = Duration::from_millis(40);
const SAMPLES: usize = 20;

/// How long something took.
#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
pub fn time<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(Duration, T)> {
    let start = Instant::now();
    let done = work()?;
    Ok((start.elapsed(), done))
}

/// The medians of two sides that take turns, so that what else the machine does falls on both. A side is not
/// measured again when its share of the time is spent, but once it always is.
pub fn pair(
    context: &Context,
    mut annals: impl FnMut() -> Outcome<()>,
    mut peer: impl FnMut() -> Outcome<()>,
) -> Outcome<(Duration, Duration)> {
    let mut sides = [Samples::default(), Samples::default()];
    for _ in 0..context.runs {
        for (samples, side) in sides.iter_mut().zip([&mut annals as &mut dyn FnMut() -> _, &mut peer]) {
            if samples.want_more(context.budget / 2) {
                samples.turn(side)?;
            }
        }
    }
    let [annals, peer] = sides;
    Ok((annals.median(), peer.median()))
}

/// The median of one side.
pub fn alone(context: &Context, mut side: impl FnMut() -> Outcome<()>) -> Outcome<Duration> {
    let mut samples = Samples::default();
    for _ in 0..context.runs {
        if samples.want_more(context.budget) {
            samples.turn(&mut side)?;
        }
    }
    Ok(samples.median())
}

#[derive(Debug, Default)]
struct Samples(Vec<Duration>);

impl Samples {
    /// One turn. Of what is short the first time is thrown away, since it pays for what the other side left behind
    /// (memory to be put in order, a cold cache); the ones after it count.
    fn turn(&mut self, side: &mut dyn FnMut() -> Outcome<()>) -> Outcome<()> {
        let (first, ()) = time(&mut *side)?;
        if first > SHORT {
            self.0.push(first);
            return Ok(());
        }
        let before = self.spent();
        for _ in 0..SAMPLES {
            self.0.push(time(&mut *side)?.0);
            if self.spent() > before + TURN {
                break;
            }
        }
        Ok(())
    }

    fn spent(&self) -> Duration {
        self.0.iter().sum()
    }

    /// Whether there is time left, or nothing yet.
    fn want_more(&self, budget: Duration) -> bool {
        self.0.is_empty() || self.spent() < budget
    }

    fn median(mut self) -> Duration {
        self.0.sort_unstable();
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }
}
