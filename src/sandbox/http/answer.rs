//! Answers: MISP's ways of saying yes and no, entity tags, and the header that its web server sends.

use sha1::{Digest as _, Sha1};

use crate::sandbox::{
    http::request::{Reply, Request},
    output::json::{Json, Style},
    rows::roles::hex,
};

/// What an action ends in.
pub(crate) type Outcome = Result<Answer, Halt>;

/// An action that was broken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Halt {
    /// An exception with its status and message, which the caller reads.
    Exception(u16, String),
    /// An error inside MISP: 500 without a reason, and the connection is closed.
    Crash,
    /// Off to another page.
    Redirect(String),
    /// Refused by what stands before MISP's actions, which answers with a web page whoever asks.
    Page(u16, String),
    /// The event is there; its number goes into the Location header.
    EventExists(u32),
}

impl Halt {
    /// An exception.
    pub(crate) fn exception(status: u16, message: &str) -> Self {
        Self::Exception(status, message.to_owned())
    }
}

/// MISP's answer to something that is not there or not visible.
pub(crate) fn invalid_event() -> Halt {
    Halt::exception(404, "Invalid event")
}

/// An answer before it goes through the web server.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content: Content,
    pub(crate) body: String,
    /// Headers beside the usual ones.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Whether MISP makes an entity tag of the body where it is asked to.
    pub(crate) tagged: bool,
}

/// Kinds of bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Json,
    Text,
    Csv,
    Html,
}

impl Content {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=UTF-8",
            Self::Text => "text/plain; charset=UTF-8",
            Self::Csv => "text/csv; charset=UTF-8",
            Self::Html => "text/html; charset=UTF-8",
        }
    }
}

impl Answer {
    /// Data for a client, compact for an automatic tool. Carries a tag.
    pub(crate) fn data(json: &Json<'_>, style: Style) -> Self {
        Self::json(200, json.encode(style), true)
    }

    /// A plain JSON view: always on one line, never with a tag.
    pub(crate) fn plain(json: &Json<'_>) -> Self {
        Self::json(200, json.encode(Style::Escaped), false)
    }

    fn json(status: u16, body: String, tagged: bool) -> Self {
        Self { status, content: Content::Json, body, headers: Vec::new(), tagged }
    }

    /// A status alone, as HEAD is answered.
    pub(crate) fn status(status: u16) -> Self {
        let (content, body, headers) = (Content::Html, String::new(), Vec::new());
        Self { status, content, body, headers, tagged: false }
    }

    /// `saved: true` with a message.
    pub(crate) fn saved(message: &str, url: String, id: Option<&str>, style: Style) -> Self {
        let mut json = Json::map([
            ("saved", Json::Flag(true)),
            ("success", Json::Flag(true)),
            ("name", Json::text(message)),
            ("message", Json::text(message)),
            ("url", Json::text(url)),
        ]);
        if let Some(id) = id {
            json.push("id", Json::text(id));
        }
        Self::data(&json, style)
    }

    /// `saved: false` with the reasons: 403. `what` is such as `add Event`.
    pub(crate) fn refused(
        what: &str,
        url: String,
        errors: Json<'_>,
        id: Option<&str>,
        style: Style,
    ) -> Self {
        let message = format!("Could not {what}");
        let mut json = Json::map([
            ("saved", Json::Flag(false)),
            ("name", Json::text(message.clone())),
            ("message", Json::text(message)),
            ("url", Json::text(url)),
            ("errors", errors),
        ]);
        if let Some(id) = id {
            json.push("id", Json::text(id));
        }
        Self::json(403, json.encode(style), true)
    }

    /// The answer that a broken-off action gives.
    pub(crate) fn halted(halt: Halt, url: &str, base_url: &str) -> Self {
        match halt {
            Halt::Exception(status, message) => Self::exception(status, &message, url),
            Halt::Crash => {
                let mut answer = Self::exception(500, "An Internal Error Has Occurred.", url);
                answer.headers.push(("Connection", "close".to_owned()));
                answer
            }
            Halt::Redirect(path) => {
                let mut answer = Self::status(302);
                answer.headers.push(("Location", format!("{base_url}{path}")));
                answer
            }
            Halt::Page(status, message) => Self {
                status,
                content: Content::Html,
                body: page(status, &html(&message)),
                headers: Vec::new(),
                tagged: false,
            },
            Halt::EventExists(id) => {
                let mut answer = Self::exception(404, EVENT_EXISTS, url);
                answer.headers.push(("Location", format!("{base_url}/events/{id}")));
                answer
            }
        }
    }

    fn exception(status: u16, message: &str, url: &str) -> Self {
        let message = html(message);
        let json = Json::map([
            ("name", Json::text(message.as_str())),
            ("message", Json::text(message.as_str())),
            ("url", Json::text(html(url))),
        ]);
        Self::json(status, json.encode(Style::Escaped), false)
    }
}

/// A web page with a message, as long as MISP's is with its debugging notes.
fn page(status: u16, message: &str) -> String {
    let mut body = format!(
        "<!DOCTYPE html>\n<html>\n<head><title>Error: {message}</title></head>\n<body>\n<h2>{message}</h2>\n\
         <p class=\"error\"><strong>Error {status}: </strong>{message}</p>\n<pre>"
    );
    body.push_str(&"#0 [internal function]\n".repeat(155));
    body.push_str("</pre>\n</body>\n</html>\n");
    body
}

const EVENT_EXISTS: &str =
    "Event already exists, if you would like to edit it, use the url in the location header.";

/// Escapes what HTML would read as markup; MISP does so in the messages of exceptions.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#039;"),
            other => out.push(other),
        }
    }
    out
}

/// What the web server adds to an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// Number of the request; the session cookie is made of it.
    pub(crate) serial: u64,
    /// How many times the session cookie is set: twice, three times by calls that end the session.
    pub(crate) cookies: usize,
}

/// The answer as it goes over the wire: with the entity tag, or as a 304 if the client named that very
/// tag, with MISP's and Apache's headers, and without a body for HEAD.
pub(crate) fn framed(mut answer: Answer, request: &Request, frame: Frame) -> Reply {
    if let Some(wanted) = request.header("If-None-Match").filter(|_| answer.tagged) {
        let tag = format!("\"{}\"", hex(&Sha1::digest(answer.body.as_bytes())));
        if uncompressed_tag(wanted) == tag {
            answer = Answer::status(304);
        } else {
            answer.headers.push(("ETag", tag));
        }
    }
    let mut headers = server_headers(frame);
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
    for (name, value) in answer.headers {
        add(name, value);
    }
    let bare = answer.status == 304;
    if !bare {
        if request.method != "HEAD" {
            add("Content-Length", answer.body.len().to_string());
        }
        add("Content-Type", answer.content.name().to_owned());
    }
    let body = if bare || request.method == "HEAD" { Vec::new() } else { answer.body.into_bytes() };
    Reply { status: answer.status, headers, body }
}

/// Apache marks the tag of an answer it has compressed; MISP takes the mark away.
fn uncompressed_tag(tag: &str) -> String {
    let bare = tag.trim_matches('"');
    match bare.rsplit_once('-') {
        Some((front, "br" | "gzip")) if !front.is_empty() => format!("\"{front}\""),
        _ => tag.to_owned(),
    }
}

fn server_headers(frame: Frame) -> Vec<(String, String)> {
    let session = hex(&Sha1::digest(frame.serial.to_le_bytes()));
    let cookie = format!(
        "CAKEPHP={}; expires={}; Max-Age=3600; path=/; HttpOnly; SameSite=Lax",
        &session[..26],
        http_date(frame.now.saturating_add(3600)),
    );
    let own = |name: &str, value: String| (name.to_owned(), value);
    let mut headers =
        vec![own("Date", http_date(frame.now)), own("Server", "Apache/2.4.62 (Debian)".to_owned())];
    headers.extend((0..frame.cookies).map(|_| own("Set-Cookie", cookie.clone())));
    headers
}

/// A time as HTTP writes it, such as `Tue, 14 Nov 2023 22:13:20 GMT`.
fn http_date(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, tag: Option<&str>) -> Request {
        let headers = tag.map(|tag| ("if-none-match".to_owned(), tag.to_owned()));
        Request {
            method: method.to_owned(),
            path: "/".to_owned(),
            headers: headers.into_iter().collect(),
            body: Vec::new(),
        }
    }

    fn header_bytes(reply: &Reply, status_line: usize) -> usize {
        let lines: usize =
            reply.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        status_line + lines + 2
    }

    #[test]
    fn headers_are_as_long_as_measured() {
        let frame = Frame { now: 1_700_000_000, serial: 1, cookies: 2 };
        let answer = Answer::json(200, "x".repeat(530), true);
        let reply = framed(answer.clone(), &request("POST", None), frame);
        assert_eq!(header_bytes(&reply, "HTTP/1.1 200 OK\r\n".len()), 422);
        let tag = format!("\"{}\"", hex(&Sha1::digest("x".repeat(530))));
        let reply = framed(answer, &request("POST", Some(&tag)), frame);
        assert_eq!((reply.status, reply.body.len()), (304, 0));
        assert_eq!(header_bytes(&reply, "HTTP/1.1 304 Not Modified\r\n".len()), 364);
        let reply = framed(Answer::status(200), &request("HEAD", None), frame);
        assert_eq!(header_bytes(&reply, "HTTP/1.1 200 OK\r\n".len()), 394);
    }

    #[test]
    fn only_the_exact_tag_counts() {
        let frame = Frame { now: 0, serial: 1, cookies: 2 };
        let tag = format!("\"{}\"", hex(&Sha1::digest("[]")));
        let ask = |tag: &str| {
            framed(Answer::json(403, "[]".to_owned(), true), &request("POST", Some(tag)), frame)
        };
        assert_eq!(ask(&tag).status, 304, "a refusal, too");
        assert_eq!(ask(&tag).header("ETag"), None);
        for other in
            [format!("W/{tag}"), "*".to_owned(), format!("\"x\", {tag}"), tag.replace('"', "")]
        {
            assert_eq!(ask(&other).status, 403, "{other}");
            assert_eq!(ask(&other).header("ETag"), Some(tag.as_str()));
        }
        assert_eq!(ask(&format!("{}-gzip\"", &tag[..tag.len() - 1])).status, 304);
    }

    #[test]
    fn messages_of_exceptions_are_escaped_twice() {
        let answer = Answer::halted(Halt::exception(400, "'x' é"), "/events/add", "");
        assert_eq!(
            answer.body,
            "{\"name\":\"&#039;x&#039; \\u00e9\",\"message\":\"&#039;x&#039; \\u00e9\",\
             \"url\":\"\\/events\\/add\"}"
        );
    }
}
