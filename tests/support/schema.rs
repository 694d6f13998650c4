//! Answers against their JSON Schemas: those of `docs/schemas`, which say what programs may rely on.

use std::{cell::RefCell, collections::BTreeMap, ffi::OsStr, fs, path::Path};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schemas");
/// A URL for each: nothing is fetched.
const BASE: &str = "schemas://docs/";

/// The schemas that were needed so far.
#[derive(Default)]
struct Known {
    compiler: Compiler,
    schemas: Schemas,
    by_file: BTreeMap<String, SchemaIndex>,
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// What a command with `--json` printed: each line has to be an answer with a schema, and as that says.
pub fn check<'a>(arguments: impl Iterator<Item = &'a OsStr>, data: &str) {
    let mut arguments = arguments.take_while(|it| *it != "--").peekable();
    // An export to standard output and a dataset are data, and help is a text: none of them is an answer.
    let mut is_json = false;
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--json") => is_json = true,
            Some("--dataset" | "--help" | "--version") => return,
            Some("export") if arguments.peek().is_some_and(|it| *it == "-") => return,
            _ => {}
        }
    }
    if is_json {
        data.lines().for_each(check_line);
    }
}

/// One answer, in one line.
pub fn check_line(line: &str) {
    let value: Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON: {error}: {line}"));
    let name = value["schema"].as_str().unwrap_or_else(|| panic!("no schema: {line}"));
    let file = name.split('/').nth(1).unwrap_or_else(|| panic!("no name of a schema: {name}"));
    KNOWN.with_borrow_mut(|known| {
        let index = known.schema(file);
        if let Err(error) = known.schemas.validate(&value, index) {
            panic!("docs/schemas/{file}.json says otherwise: {error:#}\n{value:#}");
        }
    });
}

impl Known {
    fn schema(&mut self, file: &str) -> SchemaIndex {
        if let Some(index) = self.by_file.get(file) {
            return *index;
        }
        let path = Path::new(FOLDER).join(format!("{file}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("an answer has the schema {file:?}, and {}: {error}", path.display())
        });
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        close(&mut schema);
        let url = format!("{BASE}{file}.json");
        self.compiler.add_resource(&url, schema).unwrap();
        let index = self.compiler.compile(&url, &mut self.schemas).unwrap();
        self.by_file.insert(file.to_owned(), index);
        index
    }
}

/// To programs more fields may be given later; here one that the schema does not name is a mistake.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), false.into());
            }
            object.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}
