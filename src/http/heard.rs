//! The one place where what a server answers comes in. A request goes by [`Client::send`] alone, which the linter sees to,
//! and no text of the answer's head leaves [`Heard`] with a secret in it; bodies are cleaned by [`Secrets`], as some of
//! them are kept as they came.

use std::ops::Deref;

use reqwest::{Method, RequestBuilder, Response, header::HeaderMap};

use super::Secrets;

/// The client of one server, which knows what no message about it may hold.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    inner: reqwest::Client,
    secrets: Secrets,
}

impl Client {
    pub(super) fn new(inner: reqwest::Client, secrets: Secrets) -> Self {
        Self { inner, secrets }
    }

    /// The same, and these secrets come with its requests, too.
    pub(crate) fn hiding(self, secrets: impl IntoIterator<Item = crate::model::Secret>) -> Self {
        Self { secrets: self.secrets.and(secrets), ..self }
    }

    /// What no message may hold.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// A request, which [`send`](Self::send) sends.
    pub(crate) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.inner.request(method, url)
    }

    /// Sends a request, and waits for the head of the answer.
    #[expect(clippy::disallowed_methods, reason = "every other place sends by this one")]
    pub(crate) async fn send(&self, request: RequestBuilder) -> reqwest::Result<Heard> {
        Ok(Heard { response: request.send().await?, secrets: self.secrets.clone() })
    }
}

/// An answer, of which the head is there.
#[derive(Debug)]
pub(crate) struct Heard {
    response: Response,
    secrets: Secrets,
}

impl Heard {
    /// The status code. The words beside it are never read.
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header, without secrets.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let value = self.response.headers().get(name)?.to_str().ok()?;
        Some(self.secrets.hidden_in(value))
    }

    /// What is measured of all headers.
    pub(crate) fn measured(&self, measure: fn(&HeaderMap) -> u64) -> u64 {
        measure(self.response.headers())
    }

    /// The next part of the body, as it came: [`Secrets::hidden_in_body`] makes it fit for messages.
    pub(crate) async fn chunk(
        &mut self,
    ) -> reqwest::Result<Option<impl Deref<Target = [u8]> + use<>>> {
        self.response.chunk().await
    }
}
