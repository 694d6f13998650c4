//! What requests and answers weigh on the wire, headers included.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Bytes of a request as HTTP/1.1 writes it, with the headers that the client adds by itself.
pub(super) fn request_bytes(
    method: &reqwest::Method,
    url: &str,
    headers: &HeaderMap,
    body: usize,
) -> u64 {
    let Ok(url) = url::Url::parse(url) else { return 0 };
    let path = url.path().len() + url.query().map_or(0, |query| query.len() + 1);
    let host = url.authority().len();
    let line = method.as_str().len() + 1 + path + " HTTP/1.1\r\n".len();
    let mut bytes = line + "host: \r\n".len() + host + headers_bytes(headers) + "\r\n".len() + body;
    if body > 0 {
        bytes += "content-length: \r\n".len() + body.to_string().len();
    }
    bytes as u64
}

pub(super) fn head_bytes(headers: &HeaderMap) -> u64 {
    ("HTTP/1.1 200 OK\r\n".len() + headers_bytes(headers) + "\r\n".len()) as u64
}

fn headers_bytes(headers: &HeaderMap) -> usize {
    let bytes = |(name, value): (&HeaderName, &HeaderValue)| {
        name.as_str().len() + ": \r\n".len() + value.len()
    };
    headers.iter().map(bytes).sum()
}
