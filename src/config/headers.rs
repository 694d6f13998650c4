//! Reads `[destinations.NAME.headers]` and those of sources: names of headers and where their values come from.

use std::collections::BTreeMap;

use crate::{http::ExtraHeader, model::Secret};

use super::{
    ConfigError, ConnectionSettings, HeaderSource,
    connection::{Found, Peer, read_secret},
    reader::{At, Named, Section},
    shown::names_secret,
};

/// Headers that the program sets itself, or that HTTP sets between two machines.
const OURS: [&str; 19] = [
    "accept",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "if-none-match",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-misp-auth",
];
const ELSEWHERE: &str = "write { env = \"NAME\" } or { file = \"PATH\" } in place of the value";

/// The headers, each under its name in small letters.
pub(super) fn read_headers(
    section: &mut Section<'_, '_>,
    peer: &Peer,
    takes_authorization: bool,
) -> BTreeMap<String, HeaderSource> {
    let mut headers = BTreeMap::new();
    for (name, value) in section.named("headers") {
        if !is_usable(section, &name, peer, takes_authorization) {
            continue;
        }
        let source = match value {
            Named::Text(text) => plain(section, &name, &text),
            Named::Table(table) => elsewhere(table, peer),
        };
        let Some(source) = source else { continue };
        if headers.insert(name.value.to_ascii_lowercase(), source).is_some() {
            let what = "is there twice, as names of headers are the same in any case".to_owned();
            section.reader().wrong(&name, what, "keep one of the two");
        }
    }
    headers
}

fn is_usable(
    section: &Section<'_, '_>,
    name: &At<&str>,
    peer: &Peer,
    takes_authorization: bool,
) -> bool {
    let reader = section.reader();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.value.is_empty() || !name.value.bytes().all(fits) {
        reader.wrong(
            name,
            "cannot be the name of a header".to_owned(),
            "use letters, digits and `-`",
        );
        return false;
    }
    let lower = name.value.to_ascii_lowercase();
    let holds_key = lower == "authorization" && takes_authorization;
    if holds_key {
        let what = format!("is the header that the {} is in", peer.secret);
        reader.wrong(name, what, peer.elsewhere.unwrap_or("remove it"));
    } else if OURS.contains(&lower.as_str()) {
        reader.wrong(name, "is a header that the program sets itself".to_owned(), "remove it");
        return false;
    }
    !holds_key
}

fn plain(section: &Section<'_, '_>, name: &At<&str>, text: &At<&str>) -> Option<HeaderSource> {
    if names_secret(name.value) {
        // Not repeated: it may be one.
        let what =
            "is the value of what looks like a secret, which has no place in a configuration";
        section.reader().wrong(text, what.to_owned(), ELSEWHERE);
        return None;
    }
    if let Err(what) = usable(text.value) {
        section.reader().wrong(text, what, "write one line of plain characters");
        return None;
    }
    Some(HeaderSource::Plain(text.value.to_owned()))
}

fn elsewhere(mut table: Section<'_, '_>, peer: &Peer) -> Option<HeaderSource> {
    let value = Peer { secret: "secret", secret_cure: ELSEWHERE, example: "NAME", ..*peer };
    let source = match read_secret(&mut table, ["env", "file"], &value) {
        Found::There(source) => Some(HeaderSource::Secret(source)),
        Found::Faulty => None,
        Found::Absent => {
            let (key, span) = (table.key("env"), table.span.clone());
            table.reader().fault(&key, &span, "is missing, and so is `file`".to_owned(), ELSEWHERE);
            None
        }
    };
    table.finish();
    source
}

/// Whether a text can be the value of a header.
fn usable(text: &str) -> Result<(), String> {
    match text {
        "" => Err("is empty".to_owned()),
        text if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) => {
            Err("holds more than one line of plain characters".to_owned())
        }
        _ => Ok(()),
    }
}

impl ConnectionSettings {
    /// Reads the values of the headers that something before the server wants. White space around those from
    /// elsewhere is cut off. `place` is the table of the connection.
    ///
    /// # Errors
    /// [`ConfigError::Header`] if one is not there, or cannot stand in a header.
    pub fn extra_headers(&self, place: &str) -> Result<Vec<ExtraHeader>, ConfigError> {
        let read = |(name, source): (&String, &HeaderSource)| {
            let text = match source {
                HeaderSource::Plain(text) => Ok(text.clone()),
                HeaderSource::Secret(source) => source.text(),
            };
            let text = text.map(|text| text.trim().to_owned());
            let text = text.and_then(|text| usable(&text).map(|()| text));
            let value = text.map_err(|what| ConfigError::Header {
                place: place.to_owned(),
                header: name.clone(),
                origin: source.to_string(),
                what,
            })?;
            Ok(match source {
                HeaderSource::Plain(_) => ExtraHeader::plain(name, &value),
                _ => ExtraHeader::secret(name, Secret::new(value)),
            })
        };
        self.headers.iter().map(read).collect()
    }
}

/// Where the value comes from.
impl std::fmt::Display for HeaderSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("the configuration"),
            Self::Secret(source) => source.fmt(f),
        }
    }
}
