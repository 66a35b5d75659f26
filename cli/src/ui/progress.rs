//! A progress bar on a terminal, and nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::session::Session;

/// How far a long read has come.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar over the bytes of a file; a count without an end where their number is not known.
    pub fn of_bytes(session: &Session, total: Option<u64>) -> Self {
        let wanted = !session.is_quiet() && session.is_for_people();
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let template = match total {
            Some(_) => "{bar:30} {percent}% {binary_bytes_per_sec}, {eta} left  {msg}",
            None => "{spinner} {binary_bytes} {binary_bytes_per_sec}  {msg}",
        };
        let bar = ProgressBar::with_draw_target(total, target);
        // A template that does not parse would only cost the bar its looks.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// So many more bytes have been read.
    pub fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// So many things have been done, as fast as this.
    pub fn rate(&self, count: u64, things: &str) {
        if self.bar.is_hidden() {
            return;
        }
        let millis = self.bar.elapsed().as_millis().max(1);
        let rate = u128::from(count) * 1000 / millis;
        let rate = super::thousands(u64::try_from(rate).unwrap_or(u64::MAX));
        self.say(format!("{} {things}, {rate} a second", super::thousands(count)));
    }

    /// What is being done now.
    pub fn say(&self, message: impl Into<std::borrow::Cow<'static, str>>) {
        self.bar.set_message(message);
    }

    /// Does something that prints, with the bar out of its way.
    pub fn around<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
