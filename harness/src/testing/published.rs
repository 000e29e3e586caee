//! JSON Schemas that are made of types and published beside them in `harness/schema`.

use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// What is written by us, as its reader finds it.
///
/// An object may get more keys within a `format_version`: none is refused, and one that came later, which our types have a default for, is not
/// required.
fn schema<T: JsonSchema>(title: &str, format_version: u32) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    let mut schema = schema.to_value();
    open(&mut schema);
    if let Some(version) = schema.pointer_mut("/properties/format_version") {
        version["const"] = format_version.into();
    }
    schema
}

fn open(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("additionalProperties") == Some(&Value::Bool(false)) {
                object.remove("additionalProperties");
            }
            let came_later: Vec<Value> = match object.get("properties") {
                Some(Value::Object(keys)) => keys
                    .iter()
                    .filter(|(_, schema)| schema.get("default").is_some())
                    .map(|(key, _)| Value::from(key.as_str()))
                    .collect(),
                _ => Vec::new(),
            };
            if let Some(Value::Array(required)) = object.get_mut("required") {
                required.retain(|key| !came_later.contains(key));
            }
            object.values_mut().for_each(open);
        }
        Value::Array(all) => all.iter_mut().for_each(open),
        _ => {}
    }
}

/// Panics unless the file has the schema of the type; writes it where `BOOTPROOF_UPDATE_SCHEMA` is set.
pub(crate) fn holds<T: JsonSchema>(file: &str, title: &str, format_version: u32) {
    let made = serde_json::to_string_pretty(&schema::<T>(title, format_version)).unwrap() + "\n";
    let place = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("schema")
        .join(file);
    if std::env::var_os("BOOTPROOF_UPDATE_SCHEMA").is_some() {
        fs::write(&place, &made).unwrap();
    }
    let kept = fs::read_to_string(&place).unwrap_or_default();
    assert!(
        kept == made,
        "{} is not what the types say: BOOTPROOF_UPDATE_SCHEMA=1 cargo test -p bootproof schema writes it",
        place.display()
    );
}
