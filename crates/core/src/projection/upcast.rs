//! A program's own payload in an event's `extra`, and the way from its old versions to the newest.
//!
//! Records are never rewritten, so a payload has to be readable for ever in the version in which it was written.
//! A program registers one step for each version it has left behind; what it reads is always the newest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use annals_model::{Event, EventId, Extra, Invalid};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::Failure;

/// The field of a payload that holds its version.
const VERSION: &str = "version";

type Step = Box<dyn Fn(Value) -> Result<Value, Failure> + Send + Sync>;

/// The chain of steps from every version of a payload to the newest, which is a `T`.
///
/// The payload stands under one key of `extra`, as an object that holds its version beside its own fields:
/// `"extra":{"troops":{"version":2,"officers":1000}}`. A payload without a version, or one that is no object, is
/// version 1: it was written before anybody thought of versions, or came with an import. The steps, and `T`, see
/// the payload without the version.
///
/// ```
/// use annals_core::projection::Upcasters;
/// use annals_model::{EventId, line::Line};
/// use serde_json::{Value, json};
///
/// #[derive(serde::Deserialize)]
/// struct Troops {
///     officers: i64,
///     lent_by: String,
/// }
///
/// // Version 1 was a bare number; version 2 was an object; version 3 says whose officers they are.
/// let troops: Upcasters<Troops> = Upcasters::new("troops")
///     .from(1, |officers| Ok(json!({ "officers": officers })))
///     .from(2, |mut troops| {
///         troops["lent_by"] = Value::from("Kenya");
///         Ok(troops)
///     });
///
/// # let line = r#"{"id":"offer","title":"An offer","extra":{"troops":1000}}"#;
/// # let timeline = "haiti".parse()?;
/// # let entry = Line::parse(line)?.into_entry(&timeline, || EventId::new("new").unwrap());
/// # let annals_model::Write::Append(event) = entry.write else { unreachable!() };
/// // The event says "extra":{"troops":1000}.
/// let payload = troops.read(&event)?.expect("the event has a payload");
/// assert_eq!((payload.officers, payload.lent_by.as_str()), (1000, "Kenya"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Upcasters<T> {
    key: Cow<'static, str>,
    steps: BTreeMap<u32, Step>,
    newest: PhantomData<fn() -> T>,
}

/// A payload that cannot be read.
#[derive(Debug)]
pub struct PayloadError {
    id: EventId,
    key: String,
    version: Option<u32>,
    what: String,
    hint: Option<String>,
    cause: Option<Failure>,
}

impl<T> Upcasters<T> {
    /// The chain for the payload under this key of `extra`, of which there is only version 1 so far.
    pub fn new(key: impl Into<Cow<'static, str>>) -> Self {
        Self { key: key.into(), steps: BTreeMap::new(), newest: PhantomData }
    }

    /// Adds the step from a version to the one after it. The newest version is the one that the last step makes.
    #[must_use]
    pub fn from(
        mut self,
        version: u32,
        step: impl Fn(Value) -> Result<Value, Failure> + Send + Sync + 'static,
    ) -> Self {
        self.steps.insert(version, Box::new(step));
        self
    }

    /// The key of `extra` under which the payload stands.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The newest version: the one that a `T` is.
    pub fn newest(&self) -> u32 {
        self.steps.last_key_value().map_or(1, |(version, _)| version.saturating_add(1))
    }

    /// Brings a payload from its version to the newest.
    fn upcast(&self, event: &Event, mut version: u32, mut payload: Value) -> Result<Value, PayloadError> {
        while version < self.newest() {
            let step = self.steps.get(&version).ok_or_else(|| {
                let next = version.saturating_add(1);
                self.error(event, Some(version), format!("no step leads to version {next}"))
                    .with_hint(format!("register one with `.from({version}, …)`"))
            })?;
            payload = step(payload).map_err(|cause| PayloadError {
                cause: Some(cause),
                ..self.error(event, Some(version), "its step to the next version does not take it".to_owned())
            })?;
            version += 1;
        }
        Ok(payload)
    }

    /// The payload as it was written, and its version.
    fn written(&self, event: &Event) -> Result<Option<(u32, Value)>, PayloadError> {
        let unreadable = |e: serde_json::Error| self.error(event, None, format!("it is no JSON: {e}"));
        let Some(extra) = &event.extra else { return Ok(None) };
        let fields: BTreeMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(extra.as_str()).map_err(unreadable)?;
        let Some(raw) = fields.get(&*self.key) else { return Ok(None) };
        let mut payload: Value = serde_json::from_str(raw.get()).map_err(unreadable)?;
        let version = payload.as_object_mut().and_then(|fields| fields.remove(VERSION));
        let version = match version {
            None => 1,
            Some(version) => self.version(event, &version)?,
        };
        Ok(Some((version, payload)))
    }

    fn version(&self, event: &Event, version: &Value) -> Result<u32, PayloadError> {
        let newest = self.newest();
        match version.as_u64().and_then(|version| u32::try_from(version).ok()) {
            Some(version) if (1..=newest).contains(&version) => Ok(version),
            Some(version) if version > newest => {
                let what = format!("this program knows versions 1 to {newest}");
                Err(self.error(event, Some(version), what).with_hint(
                    "the event was written by a newer version of the program: read it with that one",
                ))
            }
            _ => {
                let what = format!("`{VERSION}` is {version}, and not a whole number from 1 on");
                Err(self.error(event, None, what))
            }
        }
    }

    fn error(&self, event: &Event, version: Option<u32>, what: String) -> PayloadError {
        PayloadError {
            id: event.id.clone(),
            key: self.key.to_string(),
            version,
            what,
            hint: None,
            cause: None,
        }
    }
}

impl<T: DeserializeOwned> Upcasters<T> {
    /// Reads an event's payload; `None` where the event has none.
    ///
    /// # Errors
    ///
    /// A version that is newer than the newest known one or has no step, a step that fails, or a newest version
    /// that is no `T`.
    pub fn read(&self, event: &Event) -> Result<Option<T>, PayloadError> {
        let Some((version, payload)) = self.written(event)? else { return Ok(None) };
        let payload = self.upcast(event, version, payload)?;
        serde_path_to_error::deserialize(payload).map(Some).map_err(|error| {
            let path = error.path().to_string();
            let at = if path == "." { String::new() } else { format!("{path}: ") };
            let what = format!(
                "as version {}, it is not what the program expects: {at}{}",
                self.newest(),
                error.inner()
            );
            self.error(event, Some(version), what)
        })
    }
}

impl<T: Serialize> Upcasters<T> {
    /// Writes a payload into an event that is to be recorded, in the newest version. What else stands in its
    /// `extra` is kept, in the order of the keys.
    ///
    /// # Errors
    ///
    /// A payload that is no JSON object, or that has a field `version` of its own; an `extra` beyond its limit.
    pub fn write(&self, event: &mut Event, payload: &T) -> Result<(), Invalid> {
        let here = |e: Invalid| e.under(self.key()).under("extra");
        let json = |e: serde_json::Error| Invalid::new(e.to_string());
        let mut payload = serde_json::to_value(payload).map_err(|e| here(json(e)))?;
        let taken = match payload.as_object_mut() {
            Some(fields) => fields.insert(VERSION.to_owned(), Value::from(self.newest())).is_some(),
            None => {
                return Err(here(Invalid::new("a payload is a JSON object, which can hold its version")));
            }
        };
        if taken {
            let invalid = Invalid::new(format!("a payload has no field `{VERSION}` of its own"));
            return Err(here(invalid.with_hint("the field is taken by the version of the payload")));
        }
        let old = event.extra.as_ref().map_or("{}", Extra::as_str);
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(old).map_err(json)?;
        let raw = serde_json::value::to_raw_value(&payload).map_err(json)?;
        fields.insert(self.key().to_owned(), raw);
        let whole = serde_json::value::to_raw_value(&fields).map_err(json)?;
        event.extra = Some(Extra::from_json(&whole).map_err(|e| e.under("extra"))?);
        Ok(())
    }
}

impl<T> fmt::Debug for Upcasters<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upcasters")
            .field("key", &self.key)
            .field("newest", &self.newest())
            .finish_non_exhaustive()
    }
}

impl PayloadError {
    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The event whose payload it is.
    pub const fn id(&self) -> &EventId {
        &self.id
    }

    /// The version in which the payload was written, where it could be told.
    pub const fn version(&self) -> Option<u32> {
        self.version
    }

    /// The next step, where there is one.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// `offer-2023: extra.troops, version 2: …`
impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: extra.{}", self.id, self.key)?;
        if let Some(version) = self.version {
            write!(f, ", version {version}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for PayloadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}
