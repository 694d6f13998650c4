//! Replays what running MISPs 2.5.1 and 2.5.19 answered (`tests/data/conformance*`) against the sandbox, over
//! HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use http_client::Answer;
use misp_trickle::sandbox::{Jobs, Keys, Misp, Release, Setup, serve};
use misp_trickle_testing::{http_client, pattern};
use pattern::Matcher;
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};
use uuid::Uuid;

/// A key of the right form that belongs to nobody.
const BAD_KEY: &str = "0123456789abcdefghijABCDEFGHIJ0123456789";

/// A sandbox behind a port of its own; it ends with the runtime.
struct Server {
    _runtime: tokio::runtime::Runtime,
    address: SocketAddr,
    keys: Keys,
}

impl Server {
    fn start(setup: Setup) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let keys = Keys::demo("conformance");
        let mut misp = Misp::new(&format!("http://{address}"), keys.clone());
        misp.set_up(setup);
        runtime.spawn(serve(listener, Arc::new(Mutex::new(misp))));
        Self { _runtime: runtime, address, keys }
    }
}

/// One scenario being played: fills placeholders and remembers what answers gave.
struct Play<'a> {
    server: &'a Server,
    name: &'a str,
    now: i64,
    captured: BTreeMap<String, String>,
    answer: Vec<u8>,
}

impl<'a> Play<'a> {
    fn new(server: &'a Server, name: &'a str) -> Self {
        let now = jiff::Timestamp::now().as_second();
        Self { server, name, now, captured: BTreeMap::new(), answer: Vec::new() }
    }

    fn digits(&self, kind: &str, name: &str) -> String {
        blake3::hash(format!("{}|{kind}|{name}", self.name).as_bytes()).to_hex().to_string()
    }

    fn uuid(&self, name: &str) -> String {
        let mut digits = self.digits("uuid", name);
        digits.replace_range(12..13, "4");
        digits.replace_range(16..17, "a");
        Uuid::parse_str(&digits[..32]).unwrap().to_string()
    }

    fn key(&self, role: &str) -> String {
        if role == "badkey" {
            return BAD_KEY.to_owned();
        }
        self.server.keys.get(role).unwrap_or_else(|| panic!("no key for role {role}")).to_owned()
    }

    fn placeholder(&self, text: &str) -> String {
        if let Some(shift) = text.strip_prefix("now") {
            return (self.now + shift.parse::<i64>().unwrap_or_default()).to_string();
        }
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        let with_digit = |place: usize| {
            let (digit, name) = name.split_once(':').unwrap();
            let mut uuid = self.uuid(name);
            uuid.replace_range(place..=place, digit);
            uuid
        };
        match kind {
            "base_url" => format!("http://{}", self.server.address),
            "uuid" => self.uuid(name),
            "uuid_upper" => self.uuid(name).to_uppercase(),
            "uuid_version" => with_digit(14),
            "uuid_variant" => with_digit(19),
            "value" => format!("v{}", &self.digits("value", name)[..14]),
            "value_upper" => self.placeholder(&format!("value:{name}")).to_uppercase(),
            "ip4" => {
                let digits = self.digits("ip4", name);
                let byte = |at: usize| u32::from_str_radix(&digits[at..at + 2], 16).unwrap();
                format!("{}.{}.{}.{}", 11 + byte(0) % 80, byte(2), byte(4), byte(6))
            }
            "md5" => self.digits(kind, name)[..32].to_owned(),
            "sha1" => self.digits(kind, name)[..40].to_owned(),
            "sha256" => self.digits(kind, name),
            "md5_upper" => self.placeholder(&format!("md5:{name}")).to_uppercase(),
            "sha256_upper" => self.placeholder(&format!("sha256:{name}")).to_uppercase(),
            "id" => {
                self.captured.get(name).cloned().unwrap_or_else(|| format!("nothing as {name}"))
            }
            "key" => self.key(name),
            "repeat" => {
                let (count, unit) = name.split_once(':').unwrap();
                unit.repeat(count.parse().unwrap())
            }
            _ => panic!("unknown placeholder {text}"),
        }
    }

    fn fill_text(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        // The innermost pair counts: `{{{uuid:a}}}` is a placeholder in braces.
        while let Some(end) = rest.find("}}") {
            let Some(start) = rest[..end].rfind("{{") else {
                out.push_str(&rest[..end + 2]);
                rest = &rest[end + 2..];
                continue;
            };
            out.push_str(&rest[..start]);
            out.push_str(&self.placeholder(&rest[start + 2..end]));
            rest = &rest[end + 2..];
        }
        out + rest
    }

    fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill_text(text)),
            Value::Array(list) => list.iter().map(|value| self.fill(value)).collect(),
            Value::Object(map) => match map.iter().next().filter(|_| map.len() == 1) {
                Some((key, text)) if key == "$int" => {
                    Value::from(self.fill_text(text.as_str().unwrap()).parse::<i64>().unwrap())
                }
                Some((key, text)) if key == "$sha1_of" => {
                    Value::String(tag(self.fill_text(text.as_str().unwrap()).as_bytes()))
                }
                Some((key, _)) if key == "$etag_of_body" => Value::String(tag(&self.answer)),
                _ => {
                    let entry =
                        |(key, value): (&String, &Value)| (self.fill_text(key), self.fill(value));
                    Value::Object(map.iter().map(entry).collect())
                }
            },
            other => other.clone(),
        }
    }

    fn headers(
        &self,
        step: &Value,
        encoding: Option<&str>,
        has_body: bool,
    ) -> Vec<(String, String)> {
        let role = step["as"].as_str().unwrap_or("user");
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        if role != "none" {
            headers.push(("Authorization".to_owned(), self.key(role)));
        }
        if has_body {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        if let Some(encoding) = encoding {
            headers.push(("Content-Encoding".to_owned(), encoding.to_owned()));
        }
        for (name, value) in step["headers"].as_object().unwrap_or(&Map::new()) {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            if !value.is_null() {
                headers.push((name.clone(), self.fill(value).as_str().unwrap().to_owned()));
            }
        }
        headers
    }

    fn send(&self, step: &Value) -> Answer {
        let body = match (step.get("body_text"), step.get("body")) {
            (Some(text), _) => Some(self.fill_text(text.as_str().unwrap()).into_bytes()),
            (None, Some(body)) => Some(self.fill(body).to_string().into_bytes()),
            (None, None) => None,
        };
        let encode = step["encode"].as_str();
        let (body, encoding) = match body {
            Some(body) => {
                let (body, encoding) = encoded(&body, encode);
                (Some(body), encoding)
            }
            None => (None, None),
        };
        let method = step["method"].as_str().unwrap_or("POST");
        let path = self.fill_text(step["path"].as_str().unwrap());
        let headers = self.headers(step, encoding, body.is_some());
        http_client::send(self.server.address, method, &path, &headers, body.as_deref()).unwrap()
    }

    /// Plays a step; what was not as expected.
    fn step(&mut self, step: &Value) -> Vec<String> {
        let answer = self.send(step);
        self.answer.clone_from(&answer.body);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let document: Option<Value> = serde_json::from_str(&text).ok();
        let matcher = Matcher { now: jiff::Timestamp::now().as_second() };
        let expect = &step["expect"];
        let mut out = Vec::new();
        if let Some(status) = expect["status"].as_u64().filter(|s| *s != u64::from(answer.status)) {
            let start: String = text.chars().take(300).collect();
            out.push(format!("status: expected {status}, got {}: {start}", answer.status));
        }
        for (name, wanted) in expect["headers"].as_object().unwrap_or(&Map::new()) {
            let found = answer.header(name).map(|value| Value::String(value.to_owned()));
            let path = format!("header {name}");
            out.extend(matcher.differences(&self.fill(wanted), found.as_ref(), &path));
        }
        if let Some(wanted) = expect.get("body") {
            out.extend(matcher.differences(&self.fill(wanted), document.as_ref(), "$"));
        }
        if let Some(wanted) = expect.get("text") {
            let found = Value::String(text);
            out.extend(matcher.differences(&self.fill(wanted), Some(&found), "text"));
        }
        for (name, place) in step["capture"].as_object().unwrap_or(&Map::new()) {
            match found_at(place.as_str().unwrap(), &answer, document.as_ref()) {
                Some(found) => drop(self.captured.insert(name.clone(), found)),
                None => out.push(format!("capture {name}: no {place} in the answer")),
            }
        }
        out
    }
}

/// The text at a place such as `Event.Tag.0.id` or `header:ETag`.
fn found_at(place: &str, answer: &Answer, document: Option<&Value>) -> Option<String> {
    if let Some(name) = place.strip_prefix("header:") {
        return answer.header(name).map(str::to_owned);
    }
    let found = place.split('.').try_fold(document?, |value, part| match value {
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })?;
    match found {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn tag(body: &[u8]) -> String {
    let digits: String = Sha1::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

fn encoded(body: &[u8], encode: Option<&str>) -> (Vec<u8>, Option<&'static str>) {
    let gzip = || {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(body).unwrap();
        packer.finish().unwrap()
    };
    match encode {
        None => (body.to_vec(), None),
        Some("gzip") => (gzip(), Some("gzip")),
        Some("gzip_truncated") => {
            let packed = gzip();
            (packed[..packed.len() / 2].to_vec(), Some("gzip"))
        }
        Some("br") => {
            let mut packed = Vec::new();
            brotli::CompressorWriter::new(&mut packed, 4096, 5, 20).write_all(body).unwrap();
            (packed, Some("br"))
        }
        Some(other) => panic!("unknown encoding {other}"),
    }
}

/// The scenarios of a folder, in the order of their names.
fn scenarios(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    paths.sort();
    paths
}

/// Plays a scenario; one line for each failing step.
fn play(server: &Server, name: &str, scenario: &Value) -> Vec<String> {
    let mut play = Play::new(server, name);
    let mut failures = Vec::new();
    for (number, step) in scenario["steps"].as_array().unwrap().iter().enumerate() {
        let differences = play.step(step);
        if !differences.is_empty() {
            let (path, differences) = (&step["path"], differences.join(" | "));
            failures.push(format!("{name} step {} ({path}): {differences}", number + 1));
        }
    }
    failures
}

fn name(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// Plays scenarios; none may fail.
fn replay(setup: Setup, paths: &[PathBuf]) {
    let server = Server::start(setup);
    let mut failures = Vec::new();
    for path in paths {
        let scenario: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        failures.extend(play(&server, name(path), &scenario));
    }
    assert!(failures.is_empty(), "{} steps failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_sandbox_answers_as_misp_2_5_1() {
    let paths = scenarios("conformance");
    assert_eq!(paths.len(), 158, "the recorded scenarios");
    replay(Setup::default(), &paths);
}

const LATER: Setup = Setup {
    release: Release::V2_5_19,
    jobs: Jobs::Foreground,
    row_order: misp_trickle::sandbox::RowOrder::Insertion,
    search_limit: 0,
    memory_rows: None,
};

#[test]
fn the_sandbox_answers_as_misp_2_5_19() {
    let later = scenarios("conformance-2.5.19");
    let mut paths = scenarios("conformance");
    paths.retain(|path| !later.iter().any(|later| later.file_name() == path.file_name()));
    assert_eq!((later.len(), paths.len()), (6, 154), "namesakes are replaced");
    paths.extend(later);
    replay(LATER, &paths);
}

#[test]
fn the_sandbox_answers_as_misp_2_5_19_with_settings() {
    let settings = scenarios("conformance-2.5.19-settings");
    assert_eq!(settings.len(), 3);
    for path in settings {
        let jobs = match name(&path) {
            "280-publish-jobs-no-worker" => Jobs::Never,
            _ => Jobs::Foreground,
        };
        replay(Setup { jobs, ..LATER }, &[path]);
    }
}

#[test]
fn a_wrong_expectation_is_found() {
    let server = Server::start(Setup::default());
    let scenario = serde_json::json!({"steps": [
        {"as": "user", "method": "GET", "path": "/servers/getVersion",
         "expect": {"status": 201, "body": {"version": "1"}, "headers": {"X": "y"}, "text": "z"},
         "capture": {"nothing": "no.such.place"}},
        {"as": "user", "method": "GET", "path": "/servers/getVersion", "expect": {"status": 200}},
    ]});
    let failures = play(&server, "canary", &scenario);
    assert_eq!(failures.len(), 1, "{failures:?}");
    for part in
        ["status: expected 201", "$.version", "header X", "text: expected", "capture nothing"]
    {
        assert!(failures[0].contains(part), "{part} in {failures:?}");
    }
}
