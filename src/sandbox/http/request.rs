//! A request as bytes and headers, and what MISP's dispatcher makes of it: controller, action,
//! parameters of the path, and the decoded body.

use std::{borrow::Cow, io::Read};

use serde_json::{Map, Value};

use crate::sandbox::http::{
    answer::Halt,
    php::{self, Fields},
};

/// One HTTP request, already taken off the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, upper-case.
    pub method: String,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// Names (any case) and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body as sent, compressed or not.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// One HTTP answer, header lines included as the server sends them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names and values, in order; `Set-Cookie` stands there several times, as MISP sends it.
    pub headers: Vec<(String, String)>,
    /// The body; empty for HEAD and for 304.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The first part of the path.
    pub(crate) controller: String,
    /// The second part, lower-case: MISP does not mind the case of actions.
    pub(crate) action: String,
    /// The parts after it.
    pub(crate) passed: Vec<String>,
    /// `name:value` parts.
    pub(crate) named: Vec<(String, String)>,
    /// What stands behind the question mark.
    pub(crate) query: Vec<(String, String)>,
    /// The path without query, as MISP names it in its answers.
    pub(crate) url: String,
    /// Whether the path ends in `.json`.
    pub(crate) json: bool,
}

impl Route {
    /// Reads a path. `/events/<id>` stands for the action that the method means.
    pub(crate) fn parse(method: &str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = query.map(|(name, value)| (decoded(name), decoded(&value.replace('+', " "))));
        let query: Vec<(String, String)> = query.collect();
        let (bare, json) = match path.strip_suffix(".json") {
            Some(bare) => (bare, true),
            None => (path, false),
        };
        let mut passed = Vec::new();
        let mut named = Vec::new();
        for part in bare.split('/').filter(|part| !part.is_empty()) {
            match part.split_once(':') {
                Some((name, value)) => named.push((decoded(name), decoded(value))),
                None => passed.push(decoded(part)),
            }
        }
        let mut parts = passed.into_iter();
        let controller =
            parts.next().map_or_else(|| "events".to_owned(), |name| underscored(&name));
        let mut passed: Vec<String> = parts.collect();
        let resource = matches!(controller.as_str(), "events" | "attributes");
        let on_item = passed.first().is_some_and(|part| is_id(part));
        let action = match (method, passed.len()) {
            ("POST", 0) if resource => "add".to_owned(),
            ("GET" | "HEAD", 1) if resource && on_item => "view".to_owned(),
            ("POST" | "PUT", 1) if resource && on_item => "edit".to_owned(),
            ("DELETE", 1) if resource && on_item => "delete".to_owned(),
            (_, 0) => "index".to_owned(),
            _ => passed.remove(0).to_ascii_lowercase(),
        };
        Self { controller, action, passed, named, query, url: path.to_owned(), json }
    }

    /// The first part after the action.
    pub(crate) fn id(&self) -> Option<&str> {
        self.passed.first().map(String::as_str)
    }

    /// A named parameter of the path.
    pub(crate) fn named(&self, name: &str) -> Option<&str> {
        self.named.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a named parameter is set to something that is not empty.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.named(name).is_some_and(|value| !value.is_empty() && value != "0")
    }

    /// Whether the action belongs to those that MISP answers as an API whatever `Accept` says.
    pub(crate) fn is_search(&self) -> bool {
        matches!(self.controller.as_str(), "events" | "attributes") && self.action == "restsearch"
    }
}

/// A controller's name as MISP has it in its tables: `eventBlocklists` is `event_blocklists`.
fn underscored(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, char) in name.char_indices() {
        if char.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(char.to_ascii_lowercase());
    }
    out
}

fn is_id(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit()) || crate::sandbox::rows::state::is_uuid(part)
}

fn decoded(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (bytes[at], code.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a request wants JSON: by `Accept`, whose first choice has to be `application/json`, or by
/// the end of the path.
pub(crate) fn wants_json(request: &Request, route: &Route) -> bool {
    let weight = |part: &str| {
        let weight = part.split(';').skip(1).find_map(|p| p.trim().strip_prefix("q="));
        weight.and_then(|text| text.trim().parse::<f32>().ok()).unwrap_or(1.0)
    };
    let mut best: Option<(&str, f32)> = None;
    for part in request.header("Accept").unwrap_or_default().split(',') {
        let (kind, weight) = (part.split(';').next().unwrap_or_default().trim(), weight(part));
        if best.is_none_or(|(_, highest)| weight > highest) {
            best = Some((kind, weight));
        }
    }
    route.json || best.is_some_and(|(kind, _)| kind == "application/json")
}

/// The body as the data that an action sees; an empty array if there is none, or none that MISP
/// reads: only `application/json` and forms are read, and only with a writing method.
///
/// # Errors
/// 400 for an unknown or broken encoding, 405 for malformed JSON.
pub(crate) fn data(request: &Request, encodings: &[String]) -> Result<Value, Halt> {
    let body = decompressed(request, encodings)?;
    let nothing = Value::Array(Vec::new());
    if !matches!(request.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE") {
        return Ok(nothing);
    }
    let kind = request.header("Content-Type").unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" if body.is_empty() || *body == *b"0" => Ok(nothing),
        "application/json" => match serde_json::from_slice::<Value>(&body) {
            Ok(data @ (Value::Array(_) | Value::Object(_))) => Ok(data),
            Ok(Value::Null) => Ok(nothing),
            Ok(scalar) => Ok(Value::Array(vec![scalar])),
            Err(_) => Err(Halt::exception(405, INVALID_JSON)),
        },
        "application/x-www-form-urlencoded" if request.method == "POST" => Ok(form(&body)),
        _ => Ok(nothing),
    }
}

/// What a MISP looks at that unpacks bodies before anything else: a page if it cannot.
///
/// # Errors
/// 400 for an unknown or broken encoding.
pub(crate) fn check_encoding(request: &Request, encodings: &[String]) -> Result<(), Halt> {
    match decompressed(request, encodings) {
        Err(Halt::Exception(status, message)) => Err(Halt::Page(status, message)),
        Err(other) => Err(other),
        Ok(_) => Ok(()),
    }
}

const INVALID_JSON: &str = "Invalid JSON input. Make sure that the JSON input is a correctly formatted \
                            JSON string. This request has been blocked to avoid an unfiltered request.";

/// The longest body that is unpacked, in bytes.
const UNPACKED_BYTES_MAX: u64 = 1 << 30;

fn decompressed<'a>(request: &'a Request, encodings: &[String]) -> Result<Cow<'a, [u8]>, Halt> {
    let encoding = request.header("Content-Encoding").unwrap_or_default();
    let known = encodings.iter().any(|known| known == encoding);
    match encoding {
        "" | "0" => Ok(Cow::Borrowed(&request.body)),
        "gzip" if !known => {
            Err(Halt::exception(400, "This server doesn't support GZIP compressed requests."))
        }
        "br" if !known => {
            Err(Halt::exception(400, "This server doesn't support brotli compressed requests."))
        }
        "gzip" if request.body.is_empty() => {
            Err(Halt::exception(400, "Request data should be gzip encoded, but request is empty."))
        }
        "gzip" => unpacked(flate2::read::GzDecoder::new(&request.body[..])),
        "br" => unpacked(brotli::Decompressor::new(&request.body[..], 1 << 16)),
        other => Err(Halt::Exception(400, format!("Unsupported content encoding '{other}'."))),
    }
}

fn unpacked<'a>(packed: impl Read) -> Result<Cow<'a, [u8]>, Halt> {
    let mut body = Vec::new();
    match packed.take(UNPACKED_BYTES_MAX).read_to_end(&mut body) {
        Ok(_) => Ok(Cow::Owned(body)),
        Err(_) => Err(Halt::exception(400, "Invalid compressed data.")),
    }
}

fn form(body: &[u8]) -> Value {
    let mut fields: Fields = Map::new();
    for pair in String::from_utf8_lossy(body).split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let plain = |text: &str| Value::String(decoded(&text.replace('+', " ")));
        fields.insert(decoded(name), plain(value));
    }
    Value::Object(fields)
}

/// Takes the wrapper of this name away, if the data has one that is not null.
pub(crate) fn unwrapped(data: Value, wrapper: &str) -> Value {
    match data {
        Value::Object(mut fields) if php::isset(&fields, wrapper).is_some() => {
            fields.remove(wrapper).unwrap_or(Value::Null)
        }
        other => other,
    }
}

/// The data as an object; whatever else it is has no keys.
pub(crate) fn fields(data: Value) -> Fields {
    match data {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let route = Route::parse("POST", "/events/edit/5/metadata:1.json?x=1");
        assert_eq!((route.controller.as_str(), route.action.as_str()), ("events", "edit"));
        assert_eq!((route.id(), route.flag("metadata"), route.json), (Some("5"), true, true));
        assert_eq!(Route::parse("DELETE", "/events/5").action, "delete");
        assert_eq!(Route::parse("POST", "/events").action, "add");
        assert_eq!(Route::parse("GET", "/").action, "index");
        assert_eq!(Route::parse("POST", "/attributes/restSearch").action, "restsearch");
        assert_eq!(Route::parse("GET", "/events/view/a%20b").id(), Some("a b"));
    }

    #[test]
    fn accept_has_to_prefer_json() {
        let wants = |accept: &str| {
            let headers = vec![("accept".to_owned(), accept.to_owned())];
            let request = Request { method: "GET".into(), path: "/".into(), headers, body: vec![] };
            wants_json(&request, &Route::parse("GET", "/events/index"))
        };
        assert!(wants("application/json") && wants("application/json, */*"));
        assert!(wants("text/html;q=0.5, application/json"));
        assert!(!wants("*/*") && !wants("text/html, application/json") && !wants(""));
    }
}
