//! What the head of an answer says, and the answer that is made of it and of a body.

use crate::{
    http::{Heard, Secrets, http_date, rest_seconds},
    model::Timestamp,
};

use super::{Answer, decompress};

/// The head of an answer. Its texts hold no secrets.
pub(super) struct Head {
    status: u16,
    /// What the server's clock says.
    pub(super) date: Option<Timestamp>,
    encoding: Option<String>,
    location: Option<String>,
    etag: Option<String>,
    result_count: Option<u64>,
    retry_after: Option<u64>,
}

impl Head {
    pub(super) fn of(heard: &Heard) -> Self {
        let date = heard.header("date").and_then(|text| http_date(&text));
        let rest = |name| rest_seconds(&heard.header(name)?, date);
        Self {
            status: heard.status(),
            date,
            encoding: heard.header("content-encoding"),
            location: heard.header("location"),
            etag: heard.header("etag"),
            result_count: heard.header("x-result-count").and_then(|count| count.parse().ok()),
            retry_after: ["retry-after", "x-rate-limit-reset"].into_iter().find_map(rest),
        }
    }

    /// A body as it was before it was packed.
    pub(super) fn unpacked(&self, raw: Vec<u8>) -> Result<Vec<u8>, Box<str>> {
        // A 304 has no body, whatever its headers say.
        let encoding = self.encoding.as_deref().filter(|_| !raw.is_empty());
        decompress(raw, encoding)
            .map_err(|error| format!("the answer cannot be unpacked: {error}").into())
    }

    /// The answer with this body, as messages and the history may hold it.
    pub(super) fn answer(self, body: Vec<u8>, secrets: &Secrets) -> Answer {
        let clean = secrets.hidden_in_body(&body);
        Answer {
            status: self.status,
            location: self.location,
            // The tag is that of what MISP sent.
            etag: self.etag.filter(|_| clean.is_none()),
            result_count: self.result_count,
            retry_after: self.retry_after,
            body: clean.unwrap_or(body),
        }
    }
}
