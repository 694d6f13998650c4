//! One MISP over HTTP: the [`Wire`] of the real world.
//!
//! Every byte of both directions is counted, headers included. The key is in one header of each request
//! and nowhere else; a redirect is never followed.

mod answered;
mod bytes;
mod compress;
mod decode;
mod effort;
mod encode;
mod head;
mod headers;
mod json;
mod pace;
mod packing;
mod route;
mod scales;

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::header::HeaderMap;

use crate::{
    delivery::{Call, Exchange, KeyRow, RefusedWhy, Reply, Trouble, Wire},
    http::{self, Client, Connection, ConnectionError, Failure, Heard, Patience, Way},
    model::{Context, Encoder, Secret, limits::REPLY_BYTES_MAX},
};

use bytes::{head_bytes, request_bytes};
use effort::Efforts;
use head::Head;
use pace::{Late, Pause};
use packing::{Packed, Packing};

pub use compress::{Compression, CompressionChoice, Encoding, compress, decompress};
pub use decode::{Answer, decode};
pub use effort::Saves;
pub use encode::{Encoded, encode};
pub use headers::AuthHeader;
pub use pace::{Limiter, Pace};
pub use scales::Scales;

/// How to reach a MISP.
#[derive(Debug, Clone)]
pub struct Access {
    /// The connection, with its base URL.
    pub connection: Connection,
    /// The API key.
    pub key: Secret,
    /// The header that the key is in.
    pub auth_header: AuthHeader,
    /// Compression of request bodies.
    pub compression: Compression,
    /// Attributes take part in correlation.
    pub correlate: bool,
}

/// A connection pool to one MISP.
pub struct Remote {
    client: Client,
    base: String,
    headers: HeaderMap,
    /// The same with the key in the other header that MISP reads, where it is in the usual one.
    stand_in: Option<HeaderMap>,
    encoding: Mutex<Encoding>,
    /// Whether MISP's own list of encodings decides.
    adapts: bool,
    efforts: Efforts,
    /// Writes carry a false entity tag.
    tries_tags: AtomicBool,
    packing: Packing,
    correlate: bool,
    key: Secret,
    way: Way,
    pace: Pace,
    timeout: Duration,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Remote {
    /// Prepares the client; nothing is sent yet.
    ///
    /// # Errors
    /// If a certificate, the proxy or the key cannot be used.
    pub fn new(access: &Access) -> Result<Self, ConnectionError> {
        let client = http::client(&access.connection, Patience::Whole)?;
        let client = client.hiding([access.key.clone()]);
        let secrets = client.secrets().clone();
        Ok(Self {
            client,
            base: access.connection.url.as_str().trim_end_matches('/').to_owned(),
            headers: headers::of(access)?,
            stand_in: headers::stand_in(access)?,
            encoding: Mutex::new(access.compression.first()),
            adapts: matches!(access.compression, Compression::Auto { .. }),
            efforts: Efforts::new(access.compression.saves()),
            tries_tags: AtomicBool::new(true),
            packing: Packing::default(),
            correlate: access.correlate,
            key: access.key.clone(),
            way: Way::new(&access.connection, Patience::Whole, "MISP", secrets),
            pace: Pace::default(),
            timeout: access.connection.timeout,
        })
    }

    /// The same at this pace. Where bytes are limited, they are saved.
    #[must_use]
    pub fn paced(self, pace: Pace) -> Self {
        let paced = Self { pace, ..self };
        if paced.pace.is_free() { paced } else { paced.saving_bytes() }
    }

    /// The same with all bodies as small as can be.
    #[must_use]
    pub fn saving_bytes(self) -> Self {
        Self { efforts: Efforts::new(Saves::Bytes), ..self }
    }

    fn encoding(&self) -> Encoding {
        if self.packing.is_refused() {
            return Encoding::Plain;
        }
        *self.encoding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a call. Where its compressed body may be what is refused, a harmless one tells, before anything else
    /// is tried.
    async fn request(&self, call: &Call) -> Exchange {
        let (mut exchange, packed) = self.attempt(call, &self.headers).await;
        match packed {
            Packed::Taken => self.packing.taken(),
            Packed::Suspected if self.packing.is_unknown() => {
                let (answer, packed) = self.attempt(&packing::question(), &self.headers).await;
                exchange.count(&answer);
                match packed {
                    Packed::Taken => self.packing.taken(),
                    Packed::Suspected => {
                        self.packing.refused();
                        let why = "a compressed body is refused".into();
                        exchange.reply =
                            Reply::Trouble(Trouble::NoEffect { why, retry_after: None });
                    }
                    Packed::No => {}
                }
            }
            Packed::Suspected | Packed::No => {}
        }
        self.look_for_a_lost_header(call, &mut exchange).await;
        exchange
    }

    /// A key that is wrong and one that got lost on the way look the same to MISP. Where it is refused, the same
    /// question with the key in the other header that MISP reads tells which it is.
    async fn look_for_a_lost_header(&self, call: &Call, exchange: &mut Exchange) {
        let is_refused = matches!(exchange.reply, Reply::Refused { why: RefusedWhy::Key, .. });
        let (Some(headers), Call::Version, true) = (&self.stand_in, call, is_refused) else {
            return;
        };
        let (answer, _) = self.attempt(call, headers).await;
        exchange.count(&answer);
        if matches!(answer.reply, Reply::Version { .. }) {
            let why = "something on the way takes the header Authorization away, and with it the key: write \
                       auth_header = \"X-MISP-AUTH\" beside `url`, or have the header passed on";
            exchange.reply = Reply::Trouble(Trouble::NotMisp { why: why.into() });
        }
    }

    /// Whether compressed bodies get to MISP: one that changes nothing is sent. `None` if none is ever sent, or
    /// nobody answers.
    pub async fn takes_packed(&self) -> Option<bool> {
        if self.encoding() != Encoding::Plain {
            self.request(&packing::question()).await;
        }
        let known = !self.packing.is_unknown();
        known.then(|| !self.packing.is_refused())
    }

    /// Whether this is the key that it opens MISP with, as far as its ends tell.
    #[must_use]
    pub fn holds(&self, row: &KeyRow) -> bool {
        let key = self.key.expose();
        let ends = !row.start.is_empty() && !row.end.is_empty();
        ends && key.starts_with(&*row.start) && key.ends_with(&*row.end)
    }

    async fn attempt(&self, call: &Call, headers: &HeaderMap) -> (Exchange, Packed) {
        let mut encoded = encode(call, self.correlate);
        // An answer to a write is read whole, whatever tag it has.
        if call.writes() && !self.tries_tags.load(Ordering::Relaxed) {
            encoded.if_none_match = None;
        }
        let url = format!("{}{}", self.base, encoded.path);
        let mut request = self.client.request(encoded.method.clone(), &url);
        let mut headers = headers.clone();
        let plain_bytes = encoded.body.len();
        let (body, packed) = self.efforts.pack(encoded.body, self.encoding()).await;
        let body_bytes = body.len();
        let pause = Pause::begin(&self.pace, self.timeout);
        if body_bytes > 0 {
            request = request.body(pause.body(body));
        }
        headers::of_request(&mut headers, body_bytes > 0, packed, encoded.if_none_match.as_deref());
        let packed = packed.is_some();
        let bytes_sent = request_bytes(&encoded.method, &url, &headers, body_bytes);
        pause.before(bytes_sent - body_bytes as u64).await;
        let began = Instant::now();
        let (bytes_sent, failure) =
            match pause.wait(self.client.send(request.headers(headers))).await {
                Ok(Ok(response)) => {
                    if (200..300).contains(&response.status()) {
                        self.efforts.waited(plain_bytes, began.elapsed());
                    }
                    return self.read(call, response, &pause, (bytes_sent, packed)).await;
                }
                // Without a connection nothing left this machine.
                Ok(Err(error)) if error.is_connect() => (0, self.way.not_answered(&error)),
                Ok(Err(error)) => (bytes_sent, self.way.not_answered(&error)),
                Err(Late) => (bytes_sent, Failure::Broken(self.way.late())),
            };
        let reply = Reply::Trouble(trouble(failure));
        (
            Exchange {
                reply,
                requests: 1,
                bytes_sent,
                bytes_received: 0,
                bytes_beside: 0,
                date: None,
            },
            Packed::No,
        )
    }

    async fn read(
        &self,
        call: &Call,
        response: Heard,
        pause: &Pause,
        (bytes_sent, packed): (u64, bool),
    ) -> (Exchange, Packed) {
        let head = Head::of(&response);
        let date = head.date;
        let mut bytes_received = response.measured(head_bytes);
        pause.after(bytes_received).await;
        let raw = self.bounded_body(response, pause, &mut bytes_received).await;
        let (reply, packed) = match raw.and_then(|raw| head.unpacked(raw)) {
            Ok(body) => {
                let answer = head.answer(body, self.client.secrets());
                let packed = Packed::by(packed, &answer);
                (decode(call, &answer), packed)
            }
            Err(why) => (Reply::Trouble(Trouble::Unknown { why, retry_after: None }), Packed::No),
        };
        (Exchange { reply, requests: 1, bytes_sent, bytes_received, bytes_beside: 0, date }, packed)
    }

    async fn bounded_body(
        &self,
        mut response: Heard,
        pause: &Pause,
        bytes_received: &mut u64,
    ) -> Result<Vec<u8>, Box<str>> {
        let mut body = Vec::new();
        loop {
            let chunk = pause.wait(response.chunk()).await.map_err(|Late| self.way.late())?;
            let Some(chunk) = chunk.map_err(|error| self.way.broken(&error))? else { break };
            *bytes_received += chunk.len() as u64;
            pause.after(chunk.len() as u64).await;
            if body.len() + chunk.len() > REPLY_BYTES_MAX {
                return Err(too_long().into());
            }
            body.try_reserve(chunk.len()).map_err(|error| error.to_string())?;
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl Wire for Remote {
    async fn exchange(&self, call: &Call) -> Exchange {
        let exchange = self.request(call).await;
        tracing::debug!(
            call = route::describe(call),
            bytes_sent = exchange.bytes_sent,
            bytes_received = exchange.bytes_received,
            "exchange"
        );
        exchange
    }

    fn tries_tags(&self, tries: bool) {
        self.tries_tags.store(tries, Ordering::Relaxed);
    }

    fn encodings(&self, names: &[String]) {
        if self.adapts {
            let mut encoding = self.encoding.lock().unwrap_or_else(PoisonError::into_inner);
            *encoding = Encoding::best(names);
        }
    }

    fn key_mark(&self) -> Option<u64> {
        let digest = Encoder::new(Context::Key).text(self.key.expose()).finish();
        digest.as_bytes().first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }

    fn refuses_packed(&self) -> bool {
        self.packing.is_refused()
    }
}

/// A request without an answer, as the session sees it.
fn trouble(failure: Failure) -> Trouble {
    match failure {
        Failure::Lasting(why) => Trouble::NotMisp { why: why.into() },
        Failure::NotSent(why) => Trouble::NoEffect { why: why.into(), retry_after: None },
        Failure::Broken(why) => Trouble::Unknown { why: why.into(), retry_after: None },
    }
}

/// An answer that is too long to be one of MISP's.
fn too_long() -> String {
    format!("the answer is longer than {} MiB, and was not read to its end", REPLY_BYTES_MAX >> 20)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{effort::Effort, *};
    use crate::http::{ExtraHeader, Proxy};

    fn access(compression: Compression) -> Access {
        Access {
            connection: Connection {
                url: "http://127.0.0.1:1/".parse().unwrap(),
                headers: vec![ExtraHeader::secret("x-pass", Secret::new("hunter2too".to_owned()))],
                verify_tls: true,
                ca_bundle: None,
                identity: None,
                proxy: Proxy::Environment,
                timeout: Duration::from_secs(1),
            },
            key: Secret::new("hunter2hunter2".to_owned()),
            auth_header: AuthHeader::Authorization,
            compression,
            correlate: true,
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let access = access(Compression::Fixed(Encoding::Plain));
        let remote = Remote::new(&access).unwrap();
        let shown = format!("{access:?} {remote:?} {:?}", remote.headers);
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn where_nobody_listens_nothing_is_sent() {
        let remote = Remote::new(&access(Compression::Fixed(Encoding::Plain))).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let exchange = runtime.block_on(remote.exchange(&Call::Version));
        assert!(matches!(exchange.reply, Reply::Trouble(_)), "{:?}", exchange.reply);
        assert_eq!((exchange.requests, exchange.bytes_sent, exchange.bytes_received), (1, 0, 0));
    }

    #[test]
    fn bodies_are_packed_as_misp_takes_them() {
        let names = ["gzip".to_owned(), "br".to_owned()];
        let told = |names: &[String]| Some(names.to_vec());
        let auto = |told| access(CompressionChoice::Auto.knowing(told));
        let first = |told| Remote::new(&auto(told)).unwrap().encoding();
        assert_eq!(first(None), Encoding::Gzip);
        assert_eq!(first(told(&names)), Encoding::Brotli);
        assert_eq!(first(told(&[])), Encoding::Plain);
        let remote = Remote::new(&auto(None)).unwrap();
        remote.encodings(&names);
        assert_eq!(remote.encoding(), Encoding::Brotli);
        let fixed = Remote::new(&access(Compression::Fixed(Encoding::Gzip))).unwrap();
        fixed.encodings(&names);
        assert_eq!(fixed.encoding(), Encoding::Gzip);
    }

    #[test]
    fn who_pays_for_bytes_gets_the_smallest_bodies() {
        let large = 1 << 20;
        let effort = |remote: Remote| {
            remote.efforts.waited(large, Duration::from_micros(1));
            remote.efforts.of(large)
        };
        let remote = |choice: CompressionChoice| {
            Remote::new(&access(choice.knowing(Some(vec!["br".to_owned()])))).unwrap()
        };
        let auto = || remote(CompressionChoice::Auto);
        let limiter = Limiter::new(std::num::NonZeroU64::MIN);
        assert_eq!(effort(auto()), Effort::Quick);
        assert_eq!(effort(auto().paced(Pace::default())), Effort::Quick);
        assert_eq!(effort(auto().paced(Pace::of([Arc::new(limiter)]))), Effort::Best);
        assert_eq!(effort(auto().saving_bytes()), Effort::Best);
        assert_eq!(effort(remote(CompressionChoice::Smallest)), Effort::Best);
        assert_eq!(effort(remote(CompressionChoice::Only(Encoding::Brotli))), Effort::Best);
    }
}
