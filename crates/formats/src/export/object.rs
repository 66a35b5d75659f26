//! One JSON object, written field by field in the order in which the fields are given.
//!
//! Numbers and free JSON stay the text that they are: nothing passes through a floating-point number on its way.

use serde::Serialize;

use super::ExportError;

/// An object that is being written.
pub struct Object {
    text: String,
}

impl Object {
    /// An object without fields.
    pub fn new() -> Self {
        Self { text: String::from("{") }
    }

    /// Adds a field.
    pub fn field(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), ExportError> {
        self.json(name, &serde_json::to_string(value)?)
    }

    /// Adds a field whose value is JSON already.
    pub fn json(&mut self, name: &str, json: &str) -> Result<(), ExportError> {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push_str(&serde_json::to_string(name)?);
        self.text.push(':');
        self.text.push_str(json);
        Ok(())
    }

    /// Adds a field where there is a value for it.
    pub fn optional(&mut self, name: &str, value: Option<&impl Serialize>) -> Result<(), ExportError> {
        value.map_or(Ok(()), |value| self.field(name, value))
    }

    /// Adds a list of JSON texts, unless it is empty.
    pub fn list(&mut self, name: &str, items: &[String]) -> Result<(), ExportError> {
        if items.is_empty() { Ok(()) } else { self.json(name, &format!("[{}]", items.join(","))) }
    }

    /// The object as JSON.
    pub fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_order_in_which_they_were_given() {
        let mut object = Object::new();
        object.field("b", "x\"y").unwrap();
        object.json("a", "1.0e5").unwrap();
        object.optional("c", None::<&String>).unwrap();
        object.list("d", &[]).unwrap();
        object.list("e", &["1".to_owned(), "2".to_owned()]).unwrap();
        assert_eq!(object.finish(), r#"{"b":"x\"y","a":1.0e5,"e":[1,2]}"#);
        assert_eq!(Object::new().finish(), "{}");
    }
}
