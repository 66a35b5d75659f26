//! JSON-LD: events as linked data, in the words of schema.org and PROV-O.
//!
//! One document with one `@context` of its own, so that it is read without a network. An event is a `schema:Event`
//! whose date stands as an EDTF literal; `startDate` and `endDate` are there only where schema.org's dates say the
//! same: a plain year, month, day or date-time of our era, or an interval of them. Sources are works that are
//! cited and derived from, each with its words as a quotation. The version of the event that counts is a
//! `prov:Entity` of its own, with the record that brought it, who recorded it and when, and the version that it
//! revises. Effects and free fields are JSON literals; numbers are exact decimals.

use std::io;

use annals_model::{Date, Event, Place, Source};
use serde_json::value::RawValue;

use super::object::Object;
use super::{ExportError, Exporter, Heading, Losses, Recorded, Row, names};

pub struct JsonLd<'o> {
    out: &'o mut dyn io::Write,
    is_first: bool,
}

/// Vocabularies.
const PREFIXES: &[(&str, &str)] = &[
    ("schema", "https://schema.org/"),
    ("prov", "http://www.w3.org/ns/prov#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ("edtf", "http://id.loc.gov/datatypes/edtf/"),
    ("dcterms", "http://purl.org/dc/terms/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("bibo", "http://purl.org/ontology/bibo/"),
];

/// Terms that schema.org knows by the same name.
const SCHEMA_ORG: &str = "Event CreativeWork Quotation Place GeoCoordinates PropertyValue Role Thing name description \
                          identifier keywords location geo additionalProperty value about roleName citation hasPart \
                          text sha256 startDate endDate";

/// Terms whose values are texts or nodes.
const TERMS: &[(&str, &str)] = &[
    ("kind", "dc:type"),
    ("title", "dcterms:title"),
    ("locator", "bibo:locator"),
    ("address", "dc:identifier"),
    ("attributedTo", "prov:wasAttributedTo"),
    ("possibly", "annals:possibly"),
    ("timeline", "annals:timeline"),
];

/// Terms whose values have a type.
const TYPED: &[(&str, &str, &str)] = &[
    ("date", "dcterms:date", "edtf:EDTF"),
    ("latitude", "schema:latitude", "xsd:decimal"),
    ("longitude", "schema:longitude", "xsd:decimal"),
    ("url", "schema:url", "@id"),
    ("archivedAt", "schema:archivedAt", "@id"),
    ("superEvent", "schema:superEvent", "@id"),
    ("derivedFrom", "prov:wasDerivedFrom", "@id"),
    ("generatedAt", "prov:generatedAtTime", "xsd:dateTime"),
    ("revisionOf", "prov:wasRevisionOf", "@id"),
    ("confidence", "annals:confidence", "xsd:integer"),
    ("effects", "annals:effects", "@json"),
    ("extra", "annals:extra", "@json"),
    ("seq", "annals:seq", "xsd:integer"),
];

/// Every term that the document uses, but for what follows `rel:`.
fn context() -> Result<String, ExportError> {
    let mut terms = Object::new();
    terms.json("@version", "1.1")?;
    PREFIXES.iter().try_for_each(|(prefix, iri)| terms.field(prefix, iri))?;
    terms.field("annals", &format!("{}terms/", names::BASE))?;
    terms.json("rel", &format!(r#"{{"@id":"{}rel/","@prefix":true}}"#, names::BASE))?;
    for term in SCHEMA_ORG.split_whitespace() {
        terms.field(term, &format!("schema:{term}"))?;
    }
    TERMS.iter().try_for_each(|(term, iri)| terms.field(term, iri))?;
    for (term, iri, kind) in TYPED {
        terms.json(term, &format!(r#"{{"@id":"{iri}","@type":"{kind}"}}"#))?;
    }
    terms.json("version", r#"{"@reverse":"prov:specializationOf"}"#)?;
    Ok(terms.finish())
}

impl<'o> JsonLd<'o> {
    pub fn begin(heading: &Heading<'_>, out: &'o mut dyn io::Write) -> Result<Self, ExportError> {
        let mut head = Object::new();
        head.json("@context", &context()?)?;
        head.optional("title", heading.title.as_ref())?;
        let mut head = head.finish();
        head.pop();
        head.push_str(",\n\"@graph\":[");
        out.write_all(head.as_bytes())?;
        Ok(Self { out, is_first: true })
    }
}

impl Exporter for JsonLd<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let between = if self.is_first { "\n" } else { ",\n" };
        self.is_first = false;
        self.out.write_all(between.as_bytes())?;
        Ok(self.out.write_all(event(row)?.as_bytes())?)
    }

    fn end(self: Box<Self>) -> Result<Losses, ExportError> {
        self.out.write_all(if self.is_first { b"]}\n" } else { b"\n]}\n" })?;
        Ok(Losses::default())
    }
}

fn event(row: &Row<'_>) -> Result<String, ExportError> {
    let event = row.event;
    let name = names::event(row.timeline, &event.id);
    let mut node = Object::new();
    node.field("@id", &name)?;
    node.field("@type", &["Event", "prov:Entity"])?;
    node.field("identifier", &event.id)?;
    node.field("timeline", row.timeline)?;
    node.field("name", &event.title)?;
    node.optional("description", event.description.as_ref())?;
    node.optional("kind", event.kind.as_ref())?;
    dates(&mut node, event.date.as_ref())?;
    if !row.sure {
        node.json("possibly", "true")?;
    }
    participants(&mut node, event)?;
    if let Some(place) = &event.place {
        node.json("location", &location(place)?)?;
    }
    if !event.tags.is_empty() {
        node.field("keywords", &event.tags)?;
    }
    node.optional("confidence", event.confidence.map(|percent| percent.to_string()).as_ref())?;
    sources(&mut node, &name, &event.sources)?;
    relations(&mut node, row)?;
    if !event.effects.is_empty() {
        node.field("effects", &event.effects)?;
    }
    if let Some(extra) = &event.extra {
        node.json("extra", extra.as_str())?;
    }
    node.json("version", &version(&name, &row.recorded)?)?;
    Ok(node.finish())
}

fn dates(node: &mut Object, date: Option<&Date>) -> Result<(), ExportError> {
    let Some(date) = date else { return Ok(()) };
    node.field("date", date)?;
    let (start, end) = match date.as_str().split_once('/') {
        Some((start, end)) => (start, Some(end)),
        None => (date.as_str(), None),
    };
    for (name, part) in [("startDate", Some(start)), ("endDate", end)] {
        if let Some((part, kind)) = part.and_then(|part| Some((part, iso_kind(part)?))) {
            node.json(name, &format!(r#"{{"@type":"{kind}","@value":"{part}"}}"#))?;
        }
    }
    Ok(())
}

/// The type of a date that ISO 8601 and schema.org read as EDTF does; nothing for any other.
fn iso_kind(part: &str) -> Option<&'static str> {
    let (day, time) = part.split_once('T').map_or((part, None), |(day, time)| (day, Some(time)));
    let fields: Vec<&str> = day.split('-').collect();
    let lengths: Vec<usize> = fields.iter().map(|field| field.len()).collect();
    let digits = fields.iter().all(|field| field.bytes().all(|byte| byte.is_ascii_digit()));
    // The year 0000 is not one year to all readers, and a month from 21 on is a season.
    let is_plain =
        digits && fields.first() != Some(&"0000") && fields.get(1).is_none_or(|month| *month <= "12");
    match (is_plain, lengths.as_slice(), time) {
        (true, [4], None) => Some("xsd:gYear"),
        (true, [4, 2], None) => Some("xsd:gYearMonth"),
        (true, [4, 2, 2], None) => Some("xsd:date"),
        (true, [4, 2, 2], Some(_)) => Some("xsd:dateTime"),
        _ => None,
    }
}

fn participants(node: &mut Object, event: &Event) -> Result<(), ExportError> {
    let mut actors = Vec::with_capacity(event.actors.len());
    for actor in &event.actors {
        let mut thing = Object::new();
        thing.field("@type", "Thing")?;
        thing.field("name", &actor.name)?;
        let thing = thing.finish();
        actors.push(match &actor.role {
            None => thing,
            Some(role) => {
                let mut part = Object::new();
                part.field("@type", "Role")?;
                part.field("roleName", role)?;
                part.json("about", &thing)?;
                part.finish()
            }
        });
    }
    node.list("about", &actors)
}

fn location(place: &Place) -> Result<String, ExportError> {
    let mut node = Object::new();
    node.field("@type", "Place")?;
    node.field("name", &place.name)?;
    if let Some((lat, lon)) = place.lat.zip(place.lon) {
        node.json("geo", &format!(r#"{{"@type":"GeoCoordinates","latitude":"{lat}","longitude":"{lon}"}}"#))?;
    }
    if let Some(precision) = &place.precision {
        let mut property = Object::new();
        property.field("@type", "PropertyValue")?;
        property.field("name", "precision")?;
        property.field("value", precision)?;
        node.json("additionalProperty", &property.finish())?;
    }
    Ok(node.finish())
}

fn sources(node: &mut Object, event: &str, sources: &[Source]) -> Result<(), ExportError> {
    let (mut cited, mut derived) = (Vec::new(), Vec::new());
    for (source, number) in sources.iter().zip(1..) {
        let name = format!("{event}#source-{number}");
        derived.push(serde_json::to_string(&name)?);
        cited.push(work(&name, source)?);
    }
    node.list("citation", &cited)?;
    node.list("derivedFrom", &derived)
}

fn work(name: &str, source: &Source) -> Result<String, ExportError> {
    let Source { title, url, date, quote, locator, archived, sha256 } = source;
    let mut work = Object::new();
    work.field("@id", name)?;
    work.field("@type", &["CreativeWork", "prov:Entity"])?;
    work.optional("name", title.as_ref())?;
    for (term, url) in [("url", url), ("archivedAt", archived)] {
        let Some(text) = url else { continue };
        work.optional(term, names::web_address(text).as_ref())?;
        // What is no address, or had to be mended to be one, is kept as the text that it was.
        if names::web_address(text).as_ref() != Some(text) {
            work.field("address", text)?;
        }
    }
    work.optional("date", date.as_ref())?;
    if let Some(quote) = quote {
        let mut words = Object::new();
        words.field("@type", "Quotation")?;
        words.field("text", quote)?;
        words.optional("locator", locator.as_ref())?;
        work.json("hasPart", &words.finish())?;
    } else {
        work.optional("locator", locator.as_ref())?;
    }
    work.optional("sha256", sha256.as_ref())?;
    Ok(work.finish())
}

/// Links to other events of the timeline, one property a relation.
fn relations(node: &mut Object, row: &Row<'_>) -> Result<(), ExportError> {
    let mut by_relation: Vec<(String, Vec<String>)> = Vec::new();
    for link in &row.event.links {
        let property = match link.rel.as_str() {
            "part-of" => "superEvent".to_owned(),
            other => format!("rel:{}", names::encoded(other)),
        };
        let target = names::event(row.timeline, &link.to);
        let target = format!(r#"{{"@id":{}}}"#, serde_json::to_string(&target)?);
        match by_relation.iter_mut().find(|(known, _)| *known == property) {
            Some((_, targets)) => targets.push(target),
            None => by_relation.push((property, vec![target])),
        }
    }
    by_relation.iter().try_for_each(|(property, targets)| node.list(property, targets))
}

fn version(event: &str, recorded: &Recorded<'_>) -> Result<String, ExportError> {
    let mut node = Object::new();
    node.field("@id", &names::version(event, recorded.seq))?;
    node.field("@type", "prov:Entity")?;
    node.field("seq", &recorded.seq.to_string())?;
    node.field("generatedAt", &recorded.at)?;
    let agent = RawValue::from_string({
        let mut agent = Object::new();
        agent.field("@type", "prov:Agent")?;
        agent.field("name", recorded.by)?;
        agent.finish()
    })?;
    node.field("attributedTo", &agent)?;
    node.optional("revisionOf", recorded.previous.map(|seq| names::version(event, seq)).as_ref())?;
    Ok(node.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_date_is_told_only_where_everybody_reads_it_alike() {
        let check = |date: &str, expect: &str| {
            let mut node = Object::new();
            dates(&mut node, Some(&Date::parse(date).unwrap())).unwrap();
            let told = node.finish();
            let rest = told.strip_prefix(&format!(r#"{{"date":"{date}""#)).unwrap();
            assert_eq!(rest, expect, "{date}");
        };
        check("2004", r#","startDate":{"@type":"xsd:gYear","@value":"2004"}}"#);
        check("2023-10-02/..", r#","startDate":{"@type":"xsd:date","@value":"2023-10-02"}}"#);
        check(
            "2017-05/2019",
            r#","startDate":{"@type":"xsd:gYearMonth","@value":"2017-05"},"endDate":{"@type":"xsd:gYear","@value":"2019"}}"#,
        );
        check(
            "2023-10-02T15:30:00+02:00",
            r#","startDate":{"@type":"xsd:dateTime","@value":"2023-10-02T15:30:00+02:00"}}"#,
        );
        for vague in [
            "2010~",
            "2004?",
            "2023-24",
            "[2017..2019]",
            "{2017,2019}",
            "-0043-03-15",
            "0000",
            "19XX",
            "Y-17E7",
        ] {
            check(vague, "}");
        }
        check("../2019", r#","endDate":{"@type":"xsd:gYear","@value":"2019"}}"#);
    }
}
