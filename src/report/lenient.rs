//! Reading JSON that keisoku wrote: null stands for a number that is none, because JSON has no NaN.

use std::path::Path;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Error, Value};

use super::atomic;
use crate::error::{self, Place};

/// Reads one JSON text; a null where a number is expected is NaN.
///
/// # Errors
/// Where the text is no JSON or does not have the form of `T`.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    T::deserialize(Lenient(serde_json::from_str(text)?))
}

/// Reads a JSON file of a folder that a verb wrote; none where the folder has none.
///
/// # Errors
/// Where it cannot be read, or does not have the form of `T`.
pub fn open<T: DeserializeOwned>(folder: &Path, name: &str, verb: &str) -> error::Result<Option<T>> {
    let path = folder.join(name);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(atomic::cannot_read(&path, &e)),
    };
    let read = from_str(&text).map_err(|e| {
        error::Error::fatal(format!("this is not what keisoku {} writes: {e}", env!("CARGO_PKG_VERSION")))
            .at(Place::file(&path))
            .hint(format!("run `keisoku {verb}` again"))
    });
    read.map(Some)
}

/// A JSON value whose nulls read as NaN.
struct Lenient(Value);

impl<'de> IntoDeserializer<'de, Error> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(values) => SeqDeserializer::new(values.into_iter().map(Self)).deserialize_any(visitor),
            Value::Object(fields) => MapDeserializer::new(fields.into_iter().map(|(k, v)| (k, Self(v)))).deserialize_any(visitor),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_f64(f64::NAN) } else { self.0.deserialize_f64(visitor) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // A variant that holds data is an object of one field, whose value must be read leniently too.
        match self.0 {
            Value::Object(fields) => {
                let map = MapDeserializer::new(fields.into_iter().map(|(k, v)| (k, Self(v))));
                visitor.visit_enum(serde::de::value::MapAccessDeserializer::new(map))
            }
            other => other.deserialize_enum(name, variants, visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Case {
        Full { number: f64, list: Vec<f64>, pair: Option<(f64, f64)>, none: Option<f64>, five: [f64; 5] },
        Bare,
    }

    #[test]
    fn what_is_written_is_read() {
        let case =
            Case::Full { number: f64::NAN, list: vec![1.0, f64::INFINITY], pair: Some((f64::NAN, 0.1)), none: None, five: [f64::NAN; 5] };
        let text = serde_json::to_string(&case).expect("text");
        let back: Case = from_str(&text).expect("case");
        assert_eq!(serde_json::to_string(&back).expect("text"), text);
        assert_eq!(from_str::<Case>("\"Bare\"").expect("case"), Case::Bare);
        assert!(from_str::<Case>("{\"Full\":{\"number\":\"x\"}}").is_err());
    }
}
