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
        let template = match total {
            Some(_) => "{bar:30} {percent}% {binary_bytes_per_sec}, {eta} left  {msg}",
            None => "{spinner} {binary_bytes} {binary_bytes_per_sec}  {msg}",
        };
        Self::new(session, total, template)
    }

    /// Nothing, where what is written goes to the same terminal.
    pub fn none() -> Self {
        Self { bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()) }
    }

    /// A sign that work is done, with what is said of it.
    pub fn of_work(session: &Session) -> Self {
        Self::new(session, None, "{spinner} {msg}")
    }

    fn new(session: &Session, total: Option<u64>, template: &str) -> Self {
        let wanted = !session.is_quiet() && session.is_for_people();
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target);
        // A template that does not parse would only cost the bar its looks.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// A bar over things that are counted, whose number is told with the first of them.
    pub fn of_count(session: &Session, things: &'static str) -> Self {
        let progress = Self::of_bytes(session, None);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent}% {human_pos} {msg}, {eta} left") {
            progress.bar.set_style(style);
        }
        progress.bar.set_message(things);
        progress
    }

    /// So many more things have been done, of so many.
    pub fn advance_of(&self, more: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.inc(more);
    }

    /// Begins anew, with other things.
    pub fn again(&self, things: &'static str) {
        self.bar.reset();
        self.bar.set_message(things);
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
