//! The place of a row: its name, its point, and how exact that is.

use annals_model::{Invalid, Number, Place};

use super::number::decimal;
use super::target::Field;

/// What the cells of a row have said about its place so far.
#[derive(Debug, Default)]
pub struct PlaceCells {
    name: Option<String>,
    lat: Option<Number>,
    lon: Option<Number>,
    precision: Option<String>,
}

impl PlaceCells {
    /// Takes one cell that is not empty.
    pub fn put(&mut self, field: Field, cell: &str) -> Result<(), Invalid> {
        match field {
            Field::Lat => self.lat = Some(decimal(cell)?),
            Field::Lon => self.lon = Some(decimal(cell)?),
            Field::Precision => self.precision = Some(cell.to_owned()),
            _ => self.name = Some(cell.to_owned()),
        }
        Ok(())
    }

    /// The place, and the fields that it has no room for: half a point, or a precision of nothing.
    ///
    /// A point without a name is called by its coordinates, since a place has a name.
    pub fn finish(self) -> (Option<Place>, Vec<Field>) {
        let point = self.lat.zip(self.lon);
        let mut left = match (point, self.lat, self.lon) {
            (None, Some(_), None) => vec![Field::Lat],
            (None, None, Some(_)) => vec![Field::Lon],
            _ => Vec::new(),
        };
        let name = self.name.or_else(|| point.map(|(lat, lon)| format!("{lat}, {lon}")));
        let Some(name) = name else {
            left.extend(self.precision.map(|_| Field::Precision));
            return (None, left);
        };
        let (lat, lon) = point.unzip();
        (Some(Place { name, lat, lon, precision: self.precision }), left)
    }
}
