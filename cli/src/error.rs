//! What the user is told when a command fails: the message, its causes, the next step and the exit code.

use std::fmt;
use std::io;
use std::process::ExitCode;

use annals_core::Error as EngineError;
use annals_formats::ExportError;
use annals_model::Invalid;

use crate::args::HINT;

/// The exit codes of the program (SPEC, section 5).
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const DAMAGED: u8 = 4;

/// A failed command.
#[derive(Debug)]
pub struct CliError {
    exit: u8,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
    closed_pipe: bool,
}

/// The result of a command.
pub type CliResult<T> = Result<T, CliError>;

impl CliError {
    /// The command cannot be carried out.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            exit: FAILED,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            closed_pipe: false,
        }
    }

    /// The command is not well put.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: USAGE, ..Self::failed(message) }
    }

    /// The store is damaged.
    pub fn damaged(message: impl Into<String>) -> Self {
        Self { exit: DAMAGED, ..Self::failed(message) }
    }

    /// The same error with one more next step.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same error, as the cause of another message.
    #[must_use]
    pub fn because_of(mut self, message: impl Into<String>) -> Self {
        let cause = std::mem::replace(&mut self.message, message.into());
        self.causes.insert(0, cause);
        self
    }

    /// What the system said, of a file that is not the store's.
    pub fn system(error: &io::Error) -> Self {
        // An error of a temporary file names that file, which nobody has heard of, behind what the system said.
        let told = error.to_string();
        let told = told.split_once(" at path \"").map_or(told.as_str(), |(said, _)| said);
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::failed(told).with_hint("the disk is full: make room, or write to another one")
            }
            _ => Self::failed(told),
        }
    }

    /// A fault of something the user typed on the command line, named by the flag or argument.
    pub fn argument(name: &str, invalid: &Invalid) -> Self {
        let error = Self::usage(format!("{name}: {invalid}"));
        invalid.hint().into_iter().fold(error, Self::with_hint)
    }

    /// Whether nobody reads the output any more.
    pub const fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit)
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Why, from the nearest cause to the first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// The next steps.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// clap's errors, told as all others are: the message, then what to do as hints.
impl From<clap::Error> for CliError {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let mut paragraphs = text.trim().split("\n\n");
        let message = paragraphs.next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let (message, hint) = message.split_once(HINT).map_or((message, None), |(m, h)| (m, Some(h)));
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut told = Self::usage(one_line(message));
        told.hints.extend(hint.map(one_line));
        for paragraph in paragraphs {
            let paragraph = one_line(paragraph);
            if let Some(tip) = paragraph.strip_prefix("tip: ") {
                told.hints.push(tip.to_owned());
            } else if let Some(usage) = paragraph.strip_prefix("Usage: ") {
                told.hints.push(format!("usage: {usage}"));
            }
        }
        told.with_hint("`--help` explains the flags")
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        let exit = if matches!(error, EngineError::Damaged(_)) { DAMAGED } else { FAILED };
        let mut told = Self { exit, ..Self::failed(error.to_string()) };
        told.hints.extend(error.hint());
        let mut cause = std::error::Error::source(&error);
        while let Some(source) = cause {
            told.causes.push(source.to_string());
            cause = source.source();
        }
        told
    }
}

impl From<Invalid> for CliError {
    fn from(invalid: Invalid) -> Self {
        let error = Self::usage(invalid.to_string());
        invalid.hint().into_iter().fold(error, Self::with_hint)
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        let closed_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Self { closed_pipe, ..Self::system(&error) }
    }
}

impl From<serde_json::Error> for CliError {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<ExportError> for CliError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Write(error) => error.into(),
            ExportError::Json(error) => error.into(),
        }
    }
}
