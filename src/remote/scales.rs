//! What requests weigh on the wire, without sending any.

use std::cell::Cell;

use reqwest::header::HeaderMap;

use crate::{delivery::Call, model::Secret};

use super::{AuthHeader, Encoding, bytes::request_bytes, compress, encode, headers};

/// Characters of a key of MISP.
const KEY_CHARS: usize = 40;
/// Larger bodies than this weigh what others of their kind do, once some were packed.
const SMALL_BYTES: usize = 4_000;
/// So many large bodies are packed to know.
const SAMPLES: u32 = 6;

/// What requests to one MISP weigh.
#[derive(Debug)]
pub struct Scales {
    base: String,
    headers: HeaderMap,
    encoding: Encoding,
    correlate: bool,
    /// Large bodies that were packed: how many, their bytes before, and after.
    sampled: Cell<(u32, usize, usize)>,
}

impl Scales {
    /// Those for the MISP at this base URL. The key is not needed: all of them are of one length.
    #[must_use]
    pub fn new(url: &str, encoding: Encoding, correlate: bool) -> Self {
        let key = Secret::new("k".repeat(KEY_CHARS));
        let headers = headers::with_key(&key, AuthHeader::default(), &[]).unwrap_or_default();
        Self {
            base: url.trim_end_matches('/').to_owned(),
            headers,
            encoding,
            correlate,
            sampled: Cell::default(),
        }
    }

    /// Bytes of the request, headers included.
    #[must_use]
    pub fn weigh(&self, call: &Call) -> u64 {
        let encoded = encode(call, self.correlate);
        let url = format!("{}{}", self.base, encoded.path);
        let (bytes, packed) = self.body(encoded.body);
        let mut headers = self.headers.clone();
        headers::of_request(&mut headers, bytes > 0, packed, encoded.if_none_match.as_deref());
        request_bytes(&encoded.method, &url, &headers, bytes)
    }

    fn body(&self, body: Vec<u8>) -> (usize, Option<&'static str>) {
        let (count, plain, packed) = self.sampled.get();
        let length = body.len();
        if length > SMALL_BYTES && count >= SAMPLES {
            return (length * packed / plain.max(1), self.encoding.name());
        }
        let (body, name) = compress(body, self.encoding);
        if length > SMALL_BYTES {
            self.sampled.set((count + 1, plain + length, packed + body.len()));
        }
        (body.len(), name)
    }
}
