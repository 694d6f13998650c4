//! Answers, and how they are brought.

use serde_json::{Value, json};

use crate::{
    model::Timestamp,
    sandbox::{Reply, Request},
};

/// An answer, and how it is brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status, headers and body.
    pub reply: Reply,
    /// How it is brought.
    pub pace: Pace,
}

/// How an answer is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At once.
    Whole,
    /// After so many bytes of the body the connection ends.
    Cut(usize),
    /// So many bytes of the body each second.
    Slow(usize),
    /// Never.
    Silent,
}

/// Why there is no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A status and a word about it, in the form of the platform.
    Error(u16, String),
    /// Another path.
    Moved(String),
    /// Nobody wrote down what the platform answers.
    NotHere(String),
}

impl Refusal {
    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::Error(404, what.into())
    }

    pub(super) fn reply(self) -> Reply {
        match self {
            Self::Error(status, detail) => error(status, &detail),
            Self::Moved(to) => {
                let mut reply = plain(308, String::new());
                reply.headers.push(("Location".to_owned(), to));
                reply
            }
            Self::NotHere(what) => {
                let detail = format!("{what}: the sandbox does not know what a platform answers");
                error(501, &detail)
            }
        }
    }
}

/// An error as the platform words it.
pub(super) fn error(status: u16, detail: &str) -> Reply {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    };
    let errors = json!({"errors": [{"status": status, "title": title, "detail": detail}]});
    Reply { status, ..json_of(&errors) }
}

pub(super) fn json_of(value: &Value) -> Reply {
    content("application/json", value.to_string().into_bytes())
}

pub(super) fn content(kind: &str, body: Vec<u8>) -> Reply {
    let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
    Reply { status: 200, headers, body }
}

pub(super) fn plain(status: u16, text: String) -> Reply {
    Reply { status, ..content("text/plain; charset=utf-8", text.into_bytes()) }
}

/// What every answer has: the server's date, and no body where none was asked for.
pub(super) fn framed(mut reply: Reply, request: &Request, now: Timestamp) -> Reply {
    let date = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or_default();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    reply.headers.push(("Date".to_owned(), date));
    if request.method == "HEAD" {
        reply.body.clear();
    }
    reply
}

/// A time as the platform writes it.
pub(super) fn time(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(time.micros()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}
