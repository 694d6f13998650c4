//! A server that a source asks over HTTP: with GET alone, again where that may help, and within bounds.
//!
//! All requests go to the host of the settings, whatever an answer says: paths are set into the base URL, and of
//! redirects only the one is followed that adds a slash to the end of the path.

mod ask;
mod body;
mod credentials;
mod error;
mod time;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    http::{
        self, Client, Connection, ConnectionError, ExtraHeader, Failure, Heard, Misread,
        PROXY_ASKS, Patience, Way, http_date, rest_seconds,
    },
    mirror::SourceIdentity,
    model::{
        Backoff, Context, Digest, Encoder, REST_SECONDS_MAX, Timestamp,
        limits::{ANSWER_BYTES_MAX, DOWNLOAD_RATE_MIN},
        shortened,
    },
};

pub use ask::{Answer, Ask, Document};
pub use body::Body;
pub use credentials::Credentials;
pub use error::{Broken, PeerError, Wrong};
pub use time::{Rests, Sleeps};

/// Of the answer to a request that failed, so much is read for its words, in bytes.
const WORDS_BYTES_MAX: u64 = 64 << 10;
const USER_AGENT: &str = concat!("misp-trickle/", env!("CARGO_PKG_VERSION"));

/// How a server is asked.
#[derive(Debug, Clone)]
pub struct Access {
    /// The connection, with its base URL.
    pub connection: Connection,
    /// What opens it. `None`: the server wants nothing.
    pub credentials: Option<Credentials>,
    /// The form in which answers are wanted: `Accept`.
    pub accept: &'static str,
    /// Waits between the tries of a request, and how many there are.
    pub backoff: Backoff,
    /// How people call the server, such as `the platform`.
    pub name: &'static str,
}

impl Access {
    /// What tells who asks from another, as far as it is known without a secret: the user's name, and the headers with
    /// those values that everybody may know. A token or a password may be renewed for the same user, so neither is in
    /// it. `None`: nothing tells.
    fn who(&self) -> Option<Digest> {
        let user = self.credentials.as_ref().and_then(Credentials::user);
        let mut headers: Vec<_> = self.connection.headers.iter().map(ExtraHeader::shown).collect();
        headers.sort_unstable();
        let text = |encoder: &mut Encoder, text: &str| {
            encoder.text(text);
        };
        let mut encoder = Encoder::new(Context::Asker);
        encoder.option(user, text).list(headers.iter(), |encoder, (name, value)| {
            encoder.text(&name.to_ascii_lowercase()).option(*value, text);
        });
        (user.is_some() || !headers.is_empty()).then(|| encoder.finish())
    }
}

/// A server, and the connections to it.
pub struct Peer<T = Sleeps> {
    client: Client,
    base: Url,
    /// What tells who asks from another, if anything does.
    who: Option<Digest>,
    headers: HeaderMap,
    way: Way,
    timeout: Duration,
    backoff: Backoff,
    time: T,
    traffic: Arc<Traffic>,
}

/// What went over the wire so far. Bytes are those of bodies.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    /// Requests that were sent, repeats included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of bodies that came, as they came.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// Why a try brought nothing.
enum Setback {
    /// Another try may.
    Again { why: String, retry_after: Option<u64> },
    /// The path wants a slash at its end.
    Slash,
    /// No other try will.
    Final(Wrong),
}

impl<T: Rests> Peer<T> {
    /// Prepares the connections; nothing is sent yet.
    ///
    /// # Errors
    /// If a certificate, the proxy, a header or the credentials cannot be used.
    pub fn new(access: &Access, time: T) -> Result<Self, ConnectionError> {
        let Access { connection, credentials, accept, backoff, name } = access;
        let mut client = http::client(connection, Patience::Part)?;
        let mut headers = http::map(&connection.headers)?;
        if let Some(credentials) = credentials {
            let value = credentials.header(client.request(Method::GET, connection.url.as_str()))?;
            client = client.hiding(credentials.secrets(&value));
            headers.insert(AUTHORIZATION, value);
        }
        headers.insert("accept", HeaderValue::from_static(accept));
        headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
        headers.insert("user-agent", HeaderValue::from_static(USER_AGENT));
        let way = Way::new(connection, Patience::Part, name, client.secrets().clone());
        Ok(Self {
            client,
            base: connection.url.clone(),
            who: access.who(),
            headers,
            way,
            timeout: connection.timeout,
            backoff: *backoff,
            time,
            traffic: Arc::default(),
        })
    }

    /// Counters that go on while it is asked.
    #[must_use]
    pub fn traffic(&self) -> Arc<Traffic> {
        self.traffic.clone()
    }

    /// The base URL.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// What a mirror of any source of this kind is a mirror of: the server, and who asks it, as far as that is known.
    #[must_use]
    pub fn identity(&self, kind: &str) -> SourceIdentity {
        let identity = SourceIdentity::new(kind).with("url", self.base.as_str());
        match &self.who {
            Some(who) => identity.with("who", &who.short()),
            None => identity,
        }
    }

    /// How often a request is tried at most.
    pub(super) const fn tries_max(&self) -> u32 {
        self.backoff.tries_max
    }

    /// Lets time pass.
    pub(super) async fn rest(&self, span: Duration) {
        self.time.rest(span).await;
    }

    /// A document below the base URL, of at most [`ANSWER_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// If it cannot be had, or is no such JSON.
    pub async fn json<D: DeserializeOwned>(&self, path: &str) -> Result<D, PeerError> {
        Ok(self.document(path, &[]).await?.content)
    }

    /// The same with what a query asks for, by names and values.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub async fn document<D: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Document<D>, PeerError> {
        let ask = Ask { path, query, bytes_max: ANSWER_BYTES_MAX };
        let url = ask.url(&self.base).to_string();
        let answer = self.answer(&ask).await?;
        let date = answer.date();
        let error = |wrong| PeerError { url: url.clone(), wrong };
        let bytes = answer.bytes().map_err(error)?;
        // What a document says ends up in messages.
        let bytes = self.client.secrets().hidden_in_body(&bytes).unwrap_or(bytes);
        let content = serde_json::from_slice(&bytes).map_err(|cause| {
            let what = Misread::of(&bytes, &cause).to_string();
            error(Wrong::Strange { what: shortened(&what).into() })
        })?;
        Ok(Document { url, date, content })
    }

    /// What is at a path below the base URL, as it came over the wire: at most so many bytes.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub async fn get(&self, path: &str, bytes_max: u64) -> Result<Body, PeerError> {
        Ok(self.answer(&Ask { path, query: &[], bytes_max }).await?.body)
    }

    /// The answer to a request that may be sent several times.
    ///
    /// # Errors
    /// If it cannot be had, also after as many tries and rests as are granted.
    pub async fn answer(&self, ask: &Ask<'_>) -> Result<Answer, PeerError> {
        let mut url = ask.url(&self.base);
        let (mut tries, mut rested, mut is_slashed) = (0, 0_u64, url.path().ends_with('/'));
        loop {
            let wrong = match self.attempt(&url, ask.bytes_max).await {
                Ok(answer) => return Ok(answer),
                Err(Setback::Final(wrong)) => wrong,
                Err(Setback::Slash) if is_slashed => Wrong::Redirected { to: url.to_string() },
                Err(Setback::Slash) => {
                    is_slashed = true;
                    url.set_path(&format!("{}/", url.path()));
                    continue;
                }
                Err(Setback::Again { why, retry_after }) => {
                    tries += 1;
                    rested = rested.saturating_add(retry_after.unwrap_or(0));
                    if rested <= REST_SECONDS_MAX && tries < self.backoff.tries_max {
                        self.wait(tries, retry_after, &why).await;
                        continue;
                    }
                    match rested {
                        0..=REST_SECONDS_MAX => Wrong::Away { why, tries },
                        seconds => Wrong::Busy { seconds },
                    }
                }
            };
            return Err(PeerError { url: url.to_string(), wrong });
        }
    }

    /// The answer to a request that is sent once, as a second one would not get the same.
    ///
    /// # Errors
    /// If it did not come.
    pub async fn once(&self, ask: &Ask<'_>) -> Result<Answer, Broken> {
        let url = ask.url(&self.base);
        let (wrong, retry_after) = match self.attempt(&url, ask.bytes_max).await {
            Ok(answer) => return Ok(answer),
            Err(Setback::Final(wrong)) => (wrong, None),
            Err(Setback::Slash) => (Wrong::Redirected { to: url.to_string() }, None),
            Err(Setback::Again { why, retry_after }) => {
                (Wrong::Away { why, tries: 1 }, retry_after)
            }
        };
        Err(Broken { error: PeerError { url: url.to_string(), wrong }, retry_after })
    }

    /// Rests after a try that failed, at least for as long as the server asked for.
    pub(super) async fn wait(&self, tries: u32, retry_after: Option<u64>, why: &str) {
        let begun = Timestamp::from_micros(0);
        let until = self.backoff.until(begun, tries, self.traffic.requests(), retry_after);
        let rest = begun.until(until);
        tracing::warn!("{} is given {} s of rest: {why}", self.way.peer(), rest.as_secs());
        self.time.rest(rest).await;
    }

    async fn attempt(&self, url: &Url, bytes_max: u64) -> Result<Answer, Setback> {
        self.traffic.requests.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let request = self.client.request(Method::GET, url.as_str()).headers(self.headers.clone());
        let response = self.client.send(request).await.map_err(|error| {
            match self.way.not_answered(&error) {
                Failure::Lasting(why) => Setback::Final(Wrong::Unusable { why }),
                Failure::NotSent(why) | Failure::Broken(why) => {
                    Setback::Again { why, retry_after: None }
                }
            }
        })?;
        match response.status() {
            200 => {
                let (body, response) = self.body(response, bytes_max, begun).await?;
                Ok(Answer { body, head: response })
            }
            301 | 302 | 307 | 308 => Err(self.redirected(url, &response)),
            status => Err(self.refused(status, response, begun).await),
        }
    }

    async fn body(
        &self,
        mut response: Heard,
        bytes_max: u64,
        begun: Instant,
    ) -> Result<(Body, Heard), Setback> {
        let mut body = Body::default();
        loop {
            let chunk = response.chunk().await.map_err(|error| Setback::Again {
                why: self.way.broken(&error),
                retry_after: None,
            })?;
            let Some(chunk) = chunk else { return Ok((body, response)) };
            self.traffic.received.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            body.push(&chunk).map_err(|error| Setback::Final(Wrong::Disk(error)))?;
            if body.bytes() > bytes_max {
                return Err(Setback::Final(Wrong::TooLarge { bytes_max }));
            }
            let late = begun.elapsed().saturating_sub(self.timeout).as_secs();
            if body.bytes() < late.saturating_mul(DOWNLOAD_RATE_MIN) {
                let why = format!("fewer than {DOWNLOAD_RATE_MIN} bytes a second come");
                return Err(Setback::Again { why, retry_after: None });
            }
        }
    }

    /// The one redirect that is followed goes to the same host and path, with a slash behind it.
    fn redirected(&self, url: &Url, response: &Heard) -> Setback {
        let location = response.header("location").and_then(|to| url.join(&to).ok());
        let Some(to) = location else {
            return Setback::Final(Wrong::Redirected { to: "nowhere".to_owned() });
        };
        if to.host() == url.host() && to.path().strip_suffix('/') == Some(url.path()) {
            return Setback::Slash;
        }
        // What follows the path may be long, and is meant for a browser.
        let to = self.clean(to.as_str().split(['?', '#']).next().unwrap_or_default());
        Setback::Final(Wrong::Redirected { to: shortened(&to).into() })
    }

    async fn refused(&self, status: u16, response: Heard, begun: Instant) -> Setback {
        let date = response.header("date").and_then(|text| http_date(&text));
        let retry_after = response.header("retry-after").and_then(|text| rest_seconds(&text, date));
        let words = self.words(response, begun).await;
        let why = if words.is_empty() {
            format!("HTTP {status}")
        } else {
            format!("HTTP {status}: {words}")
        };
        Setback::Final(match status {
            401 => Wrong::Token { why },
            403 => Wrong::Right { why },
            404 | 410 => Wrong::Missing { why },
            406 | 415 => Wrong::Unacceptable { why },
            407 => Wrong::Unusable { why: format!("HTTP 407: {PROXY_ASKS}") },
            // RFC 9110, and what large proxies say of a server that they do not reach, or that is not ready.
            408 | 425 | 429 | 500 | 502..=504 | 520..=527 | 529 | 530 | 598 | 599 => {
                return Setback::Again { why, retry_after };
            }
            _ => Wrong::Strange { what: why },
        })
    }

    /// What a server says of a refusal, as far as it says so in time.
    async fn words(&self, mut response: Heard, begun: Instant) -> String {
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await
            && (body.len() as u64) < WORDS_BYTES_MAX
            && begun.elapsed() < self.timeout
        {
            self.traffic.received.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            body.extend_from_slice(&chunk);
        }
        if body.is_empty() {
            return String::new();
        }
        // Before it is cut: half a secret is not found.
        let body = self.client.secrets().hidden_in_body(&body).unwrap_or(body);
        let words =
            error::words(&body).unwrap_or_else(|| format!("it answers {}", http::answered(&body)));
        shortened(&words).into()
    }

    /// A text of the server without our secrets.
    pub(super) fn clean(&self, text: &str) -> String {
        self.client.secrets().hidden_in(text)
    }
}

impl<T> fmt::Debug for Peer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;

    fn user(name: &str, password: &str) -> Option<Credentials> {
        let password = Secret::new(password.to_owned());
        Some(Credentials::User { name: name.to_owned(), password })
    }

    fn token(token: &str) -> Option<Credentials> {
        Some(Credentials::Token(Secret::new(token.to_owned())))
    }

    fn identity(credentials: Option<Credentials>, headers: &[ExtraHeader]) -> SourceIdentity {
        let connection = Connection {
            url: Url::parse("https://taxii.example/api/").unwrap(),
            headers: headers.to_vec(),
            verify_tls: true,
            ca_bundle: None,
            identity: None,
            proxy: http::Proxy::Direct,
            timeout: Duration::from_secs(20),
        };
        let backoff = Backoff { base_ms: 1, max_ms: 1, tries_max: 1, seed: 1 };
        let accept = "application/json";
        let access = Access { connection, credentials, accept, backoff, name: "the server" };
        Peer::new(&access, Sleeps).unwrap().identity("taxii2")
    }

    #[test]
    fn who_asks_is_a_part_of_what_is_asked_but_no_secret_is() {
        let ann = identity(user("ann", "one"), &[]);
        assert_eq!(ann, identity(user("ann", "two"), &[]), "a password that was renewed");
        assert_ne!(ann, identity(user("bob", "one"), &[]));
        let open = identity(None, &[]);
        assert_eq!(open.to_string(), "taxii2 url=https://taxii.example/api/");
        assert_eq!(identity(token("one"), &[]), identity(token("two"), &[]), "nothing tells");
        let tenant = |name: &str| identity(token("one"), &[ExtraHeader::plain("X-Tenant", name)]);
        assert_ne!(tenant("north"), tenant("south"));
        let secret = |value: &str| ExtraHeader::secret("X-Gate-Key", Secret::new(value.to_owned()));
        let [one, two] = ["one", "two"].map(|value| identity(None, &[secret(value)]));
        assert_eq!(one, two);
        assert_ne!(one, open, "another way in may be another's");
        assert!(!one.to_string().contains("one") && !ann.to_string().contains("ann"));
    }
}
