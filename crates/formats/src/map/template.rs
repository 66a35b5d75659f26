//! What fills a target: a column, a literal text, or a template with columns in it.
//!
//! All three are a list of pieces. While a map is read a piece names its column (`Template<String>`); once the
//! header of a file is known it holds the column's index (`Template<usize>`).

use std::borrow::Cow;

use annals_model::Invalid;

use crate::text::shown;

/// Texts and columns, one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template<C> {
    pub pieces: Vec<Piece<C>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<C> {
    Text(String),
    Column(C),
}

impl Template<String> {
    /// A text that is the same for every row.
    pub fn text(text: &str) -> Self {
        Self { pieces: vec![Piece::Text(text.to_owned())] }
    }

    /// The name of a column.
    pub fn column(name: &str) -> Self {
        Self { pieces: vec![Piece::Column(name.trim().to_owned())] }
    }

    /// The name of a column, or a template if there is a brace in it.
    pub fn source(text: &str) -> Result<Self, Invalid> {
        if text.contains('{') {
            return Self::parse(text);
        }
        if text.trim().is_empty() {
            return Err(
                Invalid::new("a rule of the column map names no column").with_hint("as in title=NAME")
            );
        }
        Ok(Self::column(text))
    }

    /// A text with columns in braces; `{{` and `}}` stand for braces themselves.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused = |why: &str| {
            Invalid::new(format!("`{}` has a brace {why}", shown(text)))
                .with_hint("write `{{` for a brace itself")
        };
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, braces) = rest.split_at(at);
            plain.push_str(before);
            if let Some(behind) = braces.strip_prefix("{{").or_else(|| braces.strip_prefix("}}")) {
                plain.push_str(&braces[..1]);
                rest = behind;
                continue;
            }
            let inside = braces.strip_prefix('{').ok_or_else(|| refused("that is never opened"))?;
            let (column, behind) = inside.split_once('}').ok_or_else(|| refused("that is never closed"))?;
            if column.trim().is_empty() {
                return Err(refused("without a column"));
            }
            push_text(&mut pieces, &mut plain);
            pieces.push(Piece::Column(column.trim().to_owned()));
            rest = behind;
        }
        plain.push_str(rest);
        push_text(&mut pieces, &mut plain);
        Ok(Self { pieces })
    }

    /// The same template with each column's name replaced by its index.
    pub fn bind(
        &self,
        mut find: impl FnMut(&str) -> Result<usize, Invalid>,
    ) -> Result<Template<usize>, Invalid> {
        let bound = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Ok(Piece::Text(text.clone())),
            Piece::Column(name) => find(name).map(Piece::Column),
        });
        bound.collect::<Result<_, _>>().map(|pieces| Template { pieces })
    }
}

impl Template<usize> {
    /// The columns that it takes.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column(index) => Some(*index),
            Piece::Text(_) => None,
        })
    }

    /// The only column that it is, if it is one.
    pub fn only_column(&self) -> Option<usize> {
        match self.pieces.as_slice() {
            [Piece::Column(index)] => Some(*index),
            _ => None,
        }
    }

    /// The text for a row. A lone column is taken as it stands; in a longer template each is trimmed, and where
    /// all of them are empty so is the whole: `noaa-` without a number is no id.
    pub fn fill<'a>(&'a self, cells: &[&'a str]) -> Cow<'a, str> {
        let cell = |index: &usize| cells.get(*index).copied().unwrap_or_default();
        match self.pieces.as_slice() {
            [Piece::Column(index)] => return Cow::Borrowed(cell(index)),
            [Piece::Text(text)] => return Cow::Borrowed(text),
            _ => {}
        }
        let mut out = String::new();
        let mut is_empty = true;
        for piece in &self.pieces {
            let text = match piece {
                Piece::Text(text) => text,
                Piece::Column(index) => cell(index).trim(),
            };
            is_empty &= matches!(piece, Piece::Text(_)) || text.is_empty();
            out.push_str(text);
        }
        Cow::Owned(if is_empty { String::new() } else { out })
    }
}

fn push_text(pieces: &mut Vec<Piece<String>>, text: &mut String) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, cells: &[&str], expect: &str) {
        let bound = Template::source(template).unwrap().bind(|name| Ok(usize::from(name != "A"))).unwrap();
        assert_eq!(bound.fill(cells), expect, "{template}");
    }

    #[test]
    fn templates_are_filled() {
        check("A", &[" x ", ""], " x ");
        check("{A} – {B}", &[" x ", "y"], "x – y");
        check("{A} – {B}", &["x", ""], "x – ");
        check("{A} – {B}", &["", " "], "");
        check("{{{A}}}", &["x", ""], "{x}");
        check("no-{B}", &["x", ""], "");
    }
}
