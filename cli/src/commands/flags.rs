//! The flags that describe an event.
//!
//! The order of effects matters, across flags of different names, and so does the order of sources and what is
//! said about them. clap keeps each flag's values by themselves, so these flags note where on the command line
//! each value stood.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use annals_core::{Attachments, SledLog, Store};
use annals_model::{
    Actor, Change, Effect, Event, EventId, Extra, Invalid, Link, Number, Place, Scalar, Source, Value, When,
};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use serde_json::value::RawValue;

use crate::args::split_pair;
use crate::error::{CliError, CliResult};
use crate::session::Session;

/// What the flags said about an event.
#[derive(Clone, Debug, Default, Args)]
pub struct EventFlags {
    /// When it happened: 2004, July 2023, circa 2010, between 2017 and 2019
    #[arg(long, value_name = "D", allow_hyphen_values = true, help_heading = "Event")]
    pub date: Option<String>,
    /// What happened, in one line
    #[arg(long, value_name = "T", help_heading = "Event")]
    pub title: Option<String>,
    /// More about it
    #[arg(long, value_name = "TEXT", hide_short_help = true, help_heading = "Event")]
    description: Option<String>,
    /// A label to filter by
    #[arg(long, value_name = "KIND", help_heading = "Event")]
    kind: Option<String>,
    /// Who took part
    #[arg(long, value_name = "NAME[=ROLE]", help_heading = "Event")]
    actor: Vec<String>,
    /// Where it happened
    #[arg(long, value_name = "NAME[@LAT,LON]", help_heading = "Event")]
    place: Option<String>,
    /// A free label
    #[arg(long, value_name = "TAG", help_heading = "Event")]
    tag: Vec<String>,
    /// How sure it is, in percent
    #[arg(long, value_name = "0-100", value_parser = clap::value_parser!(u8).range(0..=100), hide_short_help = true, help_heading = "Event")]
    confidence: Option<u8>,
    /// How it relates to another event
    #[arg(long, value_name = "REL=ID", hide_short_help = true, help_heading = "Event")]
    link: Vec<String>,
    /// Anything else, as a JSON object
    #[arg(long, value_name = "JSON", hide_short_help = true, help_heading = "Event")]
    extra: Option<String>,
    /// Sources and effects, in the order in which they stand on the command line.
    #[command(flatten)]
    ordered: Ordered,
}

/// The flags whose order matters.
#[derive(Clone, Debug, Default)]
struct Ordered {
    /// Flag and value, in order.
    given: Vec<(&'static str, String)>,
}

const SOURCE_FLAGS: [(&str, &str, &str); 5] = [
    ("source", "URL|TITLE", "Where the claim comes from"),
    ("quote", "TEXT", "The words of the --source before it"),
    ("locator", "WHERE", "Where in the --source before it: a page, a paragraph"),
    ("source-date", "D", "When the --source before it was published"),
    ("attach", "FILE", "Keep FILE in the store as the copy of the --source before it, or as a source"),
];

const EFFECT_FLAGS: [(&str, &str, &str); 8] = [
    ("set", "E.A=V", "The attribute has this value from then on (`:=` takes JSON: text in quotes, a set)"),
    ("clear", "E.A", "The attribute has no value from then on"),
    ("add", "E.A=V", "The value joins the attribute's set"),
    ("remove", "E.A=V", "The value leaves the attribute's set"),
    ("increase", "E.A=N", "The number is added to the attribute"),
    ("during", "E.A=V", "The attribute has this value while the date lasts"),
    ("during-add", "E.A=V", "The value is in the attribute's set while the date lasts"),
    ("at-end", "E.A=V", "The attribute has this value from the date's end on"),
];

/// What the short help leaves out, so that it fits a screen.
const RARE: [&str; 5] = ["locator", "source-date", "attach", "during-add", "at-end"];

impl Args for Ordered {
    fn augment_args(command: Command) -> Command {
        let groups = [(&SOURCE_FLAGS[..], "Sources"), (&EFFECT_FLAGS[..], "Effects")];
        groups.into_iter().fold(command, |command, (flags, heading)| {
            command.args(flags.iter().map(|(name, value, help)| {
                let arg =
                    Arg::new(*name).long(*name).value_name(*value).help(*help).allow_hyphen_values(true);
                let rare = RARE.contains(name);
                arg.action(ArgAction::Append).help_heading(heading).hide_short_help(rare)
            }))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Ordered {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for (name, ..) in SOURCE_FLAGS.iter().chain(&EFFECT_FLAGS) {
            let values = matches.get_many::<String>(name).into_iter().flatten();
            let indices = matches.indices_of(name).into_iter().flatten();
            given.extend(indices.zip(values).map(|(index, value)| (index, *name, value.clone())));
        }
        given.sort_by_key(|(index, ..)| *index);
        Ok(Self { given: given.into_iter().map(|(_, name, value)| (name, value)).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl EventFlags {
    /// Whether no flag was given.
    pub fn is_empty(&self) -> bool {
        let Self { date, title, description, kind, actor, place, tag, confidence, link, extra, ordered } =
            self;
        let texts = [date, title, description, kind, place, extra];
        let lists = [actor, tag, link];
        texts.iter().all(|text| text.is_none())
            && lists.iter().all(|list| list.is_empty())
            && confidence.is_none()
            && ordered.given.is_empty()
    }

    /// Puts what the flags say in the place of what the event said; a list that is given replaces the whole list.
    pub fn apply(&self, event: &mut Event, session: &Session) -> CliResult<()> {
        if let Some(text) = &self.date {
            event.date = Some(session.date("--date", text)?);
        }
        if let Some(title) = &self.title {
            event.title.clone_from(title);
        }
        for (field, given) in [(&mut event.description, &self.description), (&mut event.kind, &self.kind)] {
            if given.is_some() {
                field.clone_from(given);
            }
        }
        if let Some(text) = &self.place {
            event.place = Some(read_place(text).map_err(|e| CliError::argument("--place", &e))?);
        }
        if self.confidence.is_some() {
            event.confidence = self.confidence;
        }
        if let Some(json) = &self.extra {
            event.extra = Some(read_extra(json).map_err(|e| CliError::argument("--extra", &e))?);
        }
        replace(
            &mut event.actors,
            self.actor.iter().map(|text| Ok(read_actor(text))).collect::<CliResult<_>>()?,
        );
        replace(&mut event.tags, self.tag.clone());
        replace(&mut event.links, self.link.iter().map(|text| read_link(text)).collect::<CliResult<_>>()?);
        let sources = self.ordered.sources(session)?;
        if self.ordered.given.iter().any(|(name, _)| *name == "source") {
            event.sources = sources;
        } else {
            event.sources.extend(sources);
        }
        replace(&mut event.effects, self.ordered.effects()?);
        Ok(())
    }
}

impl EventFlags {
    /// Keeps the files that the event's sources name: durably, before the event is recorded.
    pub fn keep_files(&self, event: &Event, store: &Store<SledLog>) -> CliResult<()> {
        for path in self.ordered.files() {
            let cannot = |e: std::io::Error| {
                CliError::failed(e.to_string()).because_of(format!("cannot read {}", path.display()))
            };
            let kept = store.log().attachments().add(&mut File::open(path).map_err(cannot)?)?;
            let is_named =
                |source: &Source| source.attached().is_some_and(|(sha256, _)| sha256 == kept.sha256);
            if !event.sources.iter().any(is_named) {
                return Err(CliError::failed(format!("{} changed while it was read", path.display()))
                    .with_hint("nothing was recorded; run the command again"));
            }
        }
        Ok(())
    }
}

fn replace<T>(list: &mut Vec<T>, given: Vec<T>) {
    if !given.is_empty() {
        *list = given;
    }
}

impl Ordered {
    fn sources(&self, session: &Session) -> CliResult<Vec<Source>> {
        let mut sources: Vec<Source> = Vec::new();
        for (name, value) in &self.given {
            if *name == "attach" {
                attach(&mut sources, Path::new(value))?;
                continue;
            }
            if *name == "source" {
                let is_address = value.starts_with("http://") || value.starts_with("https://");
                let (title, url) = if is_address { (None, Some(value)) } else { (Some(value), None) };
                sources.push(Source { title: title.cloned(), url: url.cloned(), ..Source::default() });
                continue;
            }
            if EFFECT_FLAGS.iter().any(|(effect, ..)| effect == name) {
                continue;
            }
            let Some(source) = sources.last_mut() else {
                return Err(CliError::usage(format!("--{name}: there is no --source before it")));
            };
            match *name {
                "quote" => source.quote = Some(value.clone()),
                "locator" => source.locator = Some(value.clone()),
                _ => source.date = Some(session.date("--source-date", value)?),
            }
        }
        Ok(sources)
    }

    /// The files that are to be kept.
    fn files(&self) -> impl Iterator<Item = &Path> {
        self.given.iter().filter(|(name, _)| *name == "attach").map(|(_, file)| Path::new(file))
    }

    fn effects(&self) -> CliResult<Vec<Effect>> {
        let is_effect = |name: &str| EFFECT_FLAGS.iter().any(|(effect, ..)| *effect == name);
        let given = self.given.iter().filter(|(name, _)| is_effect(name));
        given
            .map(|(name, text)| {
                read_effect(name, text).map_err(|e| CliError::argument(&format!("--{name}"), &e))
            })
            .collect()
    }
}

/// Names a file as the copy of the last source, or as a source of its own where that has one.
fn attach(sources: &mut Vec<Source>, file: &Path) -> CliResult<()> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| CliError::usage(format!("--attach {}: is no file", file.display())))?;
    let (sha256, _) = Attachments::hash(file)?;
    if sources.last().is_none_or(|last| last.archived.is_some() || last.sha256.is_some()) {
        sources.push(Source { title: Some(name.clone()), ..Source::default() });
    }
    if let Some(source) = sources.last_mut() {
        source.archived = Some(format!("{}{name}", Source::ATTACHMENT));
        source.sha256 = Some(sha256);
    }
    Ok(())
}

fn read_effect(flag: &str, text: &str) -> Result<Effect, Invalid> {
    let (target, value) = if flag == "clear" {
        (text, None)
    } else {
        let (target, value) = text.split_once('=').ok_or_else(|| {
            Invalid::new(format!("`{text}` has no `=`")).with_hint("as in un-police.status=present")
        })?;
        match target.strip_suffix(':') {
            Some(target) => (target, Some(read_json(value)?)),
            None => (target, Some(Value::Scalar(Scalar::from_plain(value)?))),
        }
    };
    let (entity, attribute) = target.rsplit_once('.').ok_or_else(|| {
        Invalid::new(format!("`{target}` names no attribute"))
            .with_hint("as in ENTITY.ATTRIBUTE: un-police.status")
    })?;
    let value = value.unwrap_or(Value::Set(BTreeSet::new()));
    let (change, when) = match flag {
        "clear" => (Change::Clear, When::Start),
        "add" => (Change::Add(member(value)?), When::Start),
        "remove" => (Change::Remove(member(value)?), When::Start),
        "increase" => (Change::Increase(number(value)?), When::Start),
        "during" => (Change::Set(value), When::During),
        "during-add" => (Change::Add(member(value)?), When::During),
        "at-end" => (Change::Set(value), When::End),
        _ => (Change::Set(value), When::Start),
    };
    let effect = Effect { entity: entity.to_owned(), attribute: attribute.to_owned(), change, when };
    effect.check()?;
    Ok(effect)
}

fn read_json(text: &str) -> Result<Value, Invalid> {
    let raw = RawValue::from_string(text.to_owned()).map_err(|e| {
        Invalid::new(format!("`{text}` is not JSON: {e}"))
            .with_hint("with `=` instead of `:=` it is taken as text")
    })?;
    Value::from_json(&raw)
}

fn member(value: Value) -> Result<Scalar, Invalid> {
    match value {
        Value::Scalar(scalar) => Ok(scalar),
        Value::Set(_) => Err(Invalid::new("takes one member at a time").with_hint("repeat the flag")),
    }
}

fn number(value: Value) -> Result<Number, Invalid> {
    match value {
        Value::Scalar(Scalar::Number(number)) => Ok(number),
        other => Err(Invalid::new(format!("`{other}` is not a number"))),
    }
}

fn read_actor(text: &str) -> Actor {
    match text.split_once('=') {
        Some((name, role)) => Actor { name: name.to_owned(), role: Some(role.to_owned()) },
        None => Actor { name: text.to_owned(), role: None },
    }
}

fn read_link(text: &str) -> CliResult<Link> {
    let (rel, to) = split_pair("--link", text, "caused-by=un-2004")?;
    let to = EventId::new(to).map_err(|e| CliError::argument("--link", &e))?;
    Ok(Link { rel: rel.to_owned(), to })
}

fn read_place(text: &str) -> Result<Place, Invalid> {
    let Some((name, point)) = text.rsplit_once('@') else { return Ok(Place::named(text)) };
    let (lat, lon) = point.split_once(',').ok_or_else(|| {
        Invalid::new(format!("`{point}` is not a point")).with_hint("as in Port-au-Prince@18.54,-72.34")
    })?;
    let place =
        Place { lat: Some(lat.trim().parse()?), lon: Some(lon.trim().parse()?), ..Place::named(name) };
    Ok(place)
}

fn read_extra(json: &str) -> Result<Extra, Invalid> {
    let raw = RawValue::from_string(json.to_owned()).map_err(|e| Invalid::new(e.to_string()))?;
    Extra::from_json(&raw)
}
