//! What a question about values is aimed at: an entity, or one attribute of it.
//!
//! People write `ENTITY` or `ENTITY.ATTRIBUTE`. An attribute's name holds no dot, but an entity's may, so what a text
//! means depends on which names there are: an entity of exactly that name comes first, then the attribute after
//! the last dot.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::{Effect, Invalid, suggest};

/// An entity, or one attribute of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The entity.
    pub entity: String,
    /// The attribute; all of them where there is none.
    pub attribute: Option<String>,
}

/// The entities and attributes that effects name.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, BTreeSet<String>>);

impl Target {
    /// One attribute, from `ENTITY.ATTRIBUTE`; `None` where the text has no dot with a name on either side of it.
    pub fn attribute(text: &str) -> Option<(&str, &str)> {
        text.rsplit_once('.').filter(|(entity, attribute)| !entity.is_empty() && !attribute.is_empty())
    }

    /// Whether an effect changes what is asked about.
    pub fn is_of(&self, effect: &Effect) -> bool {
        self.entity == effect.entity && self.attribute.as_ref().is_none_or(|name| *name == effect.attribute)
    }
}

/// `un-police`, `un-police.status`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.entity)?;
        self.attribute.as_ref().map_or(Ok(()), |attribute| write!(f, ".{attribute}"))
    }
}

impl Names {
    /// Remembers what an effect names.
    pub fn learn(&mut self, effect: &Effect) {
        let Some(attributes) = self.0.get_mut(&effect.entity) else {
            self.0.insert(effect.entity.clone(), BTreeSet::from([effect.attribute.clone()]));
            return;
        };
        if !attributes.contains(&effect.attribute) {
            attributes.insert(effect.attribute.clone());
        }
    }

    /// Whether an effect names an attribute.
    pub fn holds(&self, entity: &str, attribute: &str) -> bool {
        self.0.get(entity).is_some_and(|attributes| attributes.contains(attribute))
    }

    /// Reads `ENTITY` or `ENTITY.ATTRIBUTE` as names that there are.
    ///
    /// # Errors
    ///
    /// Where no effect names it; the hint says which name is the nearest.
    pub fn find(&self, text: &str) -> Result<Target, Invalid> {
        if self.0.contains_key(text) {
            return Ok(Target { entity: text.to_owned(), attribute: None });
        }
        match Target::attribute(text) {
            Some((entity, attribute)) if self.holds(entity, attribute) => {
                Ok(Target { entity: entity.to_owned(), attribute: Some(attribute.to_owned()) })
            }
            _ => Err(self.missing(text)),
        }
    }

    /// Reads `ENTITY.ATTRIBUTE` as an attribute that there is.
    ///
    /// # Errors
    ///
    /// Where the text names no attribute, or none that there is; the hint says which is the nearest.
    pub fn find_attribute(&self, text: &str) -> Result<(String, String), Invalid> {
        match Target::attribute(text) {
            Some((entity, attribute)) if self.holds(entity, attribute) => {
                Ok((entity.to_owned(), attribute.to_owned()))
            }
            _ => match self.0.get(text).and_then(BTreeSet::first) {
                Some(first) => {
                    Err(Invalid::new(format!("`{text}` is an entity, and one attribute is asked about"))
                        .with_hint(format!("as in {text}.{first}")))
                }
                None => Err(self.missing(text)),
            },
        }
    }

    /// The error about a name that there is not: what is known of its parts, and the nearest name.
    fn missing(&self, text: &str) -> Invalid {
        let known =
            Target::attribute(text).and_then(|(entity, name)| Some((entity, name, self.0.get(entity)?)));
        if let Some((entity, name, attributes)) = known {
            let near = suggest::nearest(name, attributes.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean {entity}.{near}?"),
                None => format!("`annals history {entity}` shows its attributes"),
            };
            return Invalid::new(format!("no event changes an attribute {name} of {entity}")).with_hint(hint);
        }
        let attributes = |(entity, names): (&String, &BTreeSet<String>)| {
            names.iter().map(|name| format!("{entity}.{name}")).collect::<Vec<_>>()
        };
        let mut candidates: Vec<String> = self.0.keys().cloned().collect();
        if text.contains('.') {
            candidates.extend(self.0.iter().flat_map(attributes));
        }
        let near = suggest::nearest(text, candidates.iter().map(String::as_str));
        let hint = near.map_or_else(
            || "`annals replay --certainty possibly` shows the entities".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        Invalid::new(format!("no event changes an entity or attribute {text}")).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, When};

    fn names() -> Names {
        let mut names = Names::default();
        for (entity, attribute) in [
            ("un-police", "status"),
            ("un-police", "strength"),
            ("a.b", "c"),
            ("a", "b"),
            ("example.org", "up"),
        ] {
            let (entity, attribute) = (entity.to_owned(), attribute.to_owned());
            names.learn(&Effect { entity, attribute, change: Change::Clear, when: When::Start });
        }
        names
    }

    #[test]
    fn an_entity_of_that_name_comes_before_the_last_dot() {
        let check = |text: &str, entity: &str, attribute: Option<&str>| {
            let target = names().find(text).unwrap();
            assert_eq!((target.entity.as_str(), target.attribute.as_deref()), (entity, attribute), "{text}");
            assert_eq!(target.to_string(), text);
        };
        check("un-police", "un-police", None);
        check("un-police.status", "un-police", Some("status"));
        check("a.b", "a.b", None);
        check("a.b.c", "a.b", Some("c"));
        check("example.org", "example.org", None);
        assert_eq!(names().find_attribute("a.b").unwrap(), ("a".to_owned(), "b".to_owned()));
    }

    #[test]
    fn a_name_that_there_is_not_is_answered_with_the_nearest() {
        let check = |text: &str, error: &str, hint: &str| {
            let invalid = names().find_attribute(text).unwrap_err();
            assert_eq!((invalid.to_string().as_str(), invalid.hint()), (error, Some(hint)));
        };
        check(
            "un-police.statsu",
            "no event changes an attribute statsu of un-police",
            "did you mean un-police.status?",
        );
        check("un-polize", "no event changes an entity or attribute un-polize", "did you mean un-police?");
        check(
            "un-polize.status",
            "no event changes an entity or attribute un-polize.status",
            "did you mean un-police.status?",
        );
        check(
            "un-police",
            "`un-police` is an entity, and one attribute is asked about",
            "as in un-police.status",
        );
    }
}
