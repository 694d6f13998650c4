//! What is asked for, and what comes.

use url::Url;

use crate::{
    http::{Heard, http_date},
    model::{Timestamp, limits::ANSWER_BYTES_MAX},
};

use super::{Body, Wrong};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Below the base URL; percent signs in it are those of an encoding.
    pub path: &'a str,
    /// Names and values, as they are.
    pub query: &'a [(&'a str, &'a str)],
    /// The longest body that is read, as it comes over the wire.
    pub bytes_max: u64,
}

impl Ask<'_> {
    /// The URL, which cannot lead to another host.
    pub(super) fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        url.set_path(&format!("{}{}", base.path(), self.path));
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query);
        }
        url
    }
}

/// An answer with status 200.
#[derive(Debug)]
pub struct Answer {
    pub(super) body: Body,
    pub(super) head: Heard,
}

impl Answer {
    /// What the server's clock said: `Date`.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        self.head.header("date").and_then(|text| http_date(&text))
    }

    /// A header that is a time in ISO 8601.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        Timestamp::parse(&self.head.header(name)?).ok()
    }

    /// The body, unpacked: of at most [`ANSWER_BYTES_MAX`].
    ///
    /// # Errors
    /// If it is longer, or cannot be unpacked.
    pub fn bytes(self) -> Result<Vec<u8>, Wrong> {
        self.body.into_bytes(ANSWER_BYTES_MAX).map_err(|error| Wrong::of_body(&error))
    }
}

/// A document of JSON.
#[derive(Debug)]
pub struct Document<D> {
    /// What was asked for, as messages may show it.
    pub url: String,
    /// What the server's clock said.
    pub date: Option<Timestamp>,
    /// What it says.
    pub content: D,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_encoded_and_the_host_stays() {
        let base: Url = "https://taxii.example/api1/".parse().unwrap();
        let query = [("next", "a+b/c==&d"), ("match[id]", "x--1")];
        let ask = Ask { path: "collections/a%2Fb/objects/", query: &query, bytes_max: 1 };
        assert_eq!(
            ask.url(&base).as_str(),
            "https://taxii.example/api1/collections/a%2Fb/objects/?next=a%2Bb%2Fc%3D%3D%26d&match%5Bid%5D=x--1"
        );
        let elsewhere = Ask { path: "//evil.example/@x?y#z", query: &[], bytes_max: 1 };
        assert_eq!(elsewhere.url(&base).host_str(), Some("taxii.example"));
    }
}
