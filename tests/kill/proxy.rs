//! What stands between the program and MISP: an HTTP proxy that loses, delays, cuts, repeats and invents, by
//! a seed, and that remembers what passed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use uuid::Uuid;

use crate::{dice::Dice, http_client};

/// A request as it came.
#[derive(Debug, Clone)]
struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passes,
    Delayed(u64),
    LostBefore,
    LostAfter,
    Cut,
    /// Nobody waits for the answer any more when it arrives.
    Late,
    /// It arrives, and once more later.
    Repeated,
    Status(u16),
}

/// What passed, and what did not yet.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Attributes of complete requests, by event, with the timestamp of the first one.
    pub(crate) sent: BTreeMap<(Uuid, Uuid), i64>,
    /// Attributes that came again with a newer timestamp.
    pub(crate) renewed: BTreeSet<Uuid>,
    late: Vec<Request>,
}

/// The proxy; it lives as long as the process.
pub(crate) struct FaultyProxy {
    pub(crate) address: SocketAddr,
    server: SocketAddr,
    dice: Mutex<Dice>,
    pub(crate) percent: AtomicU64,
    /// Requests that nobody answered yet.
    pub(crate) busy: AtomicU64,
    /// Requests that came in so far.
    pub(crate) requests: AtomicU64,
    pub(crate) traffic: Mutex<Traffic>,
    /// For the sabotage: what comes again gets a newer timestamp.
    pub(crate) renews: AtomicBool,
}

impl FaultyProxy {
    pub(crate) fn before(server: SocketAddr, seed: u64) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            server,
            dice: Mutex::new(Dice::apart(seed, "proxy")),
            percent: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            traffic: Mutex::default(),
            renews: AtomicBool::new(false),
        });
        let shared = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let proxy = shared.clone();
                // A client that was killed ends its connection in the middle: nothing to tell anybody.
                thread::spawn(move || proxy.serve(client).ok());
            }
        });
        proxy
    }

    fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        let mut reader = BufReader::new(client.try_clone()?);
        while let Some(request) = read(&mut reader)? {
            self.busy.fetch_add(1, Ordering::SeqCst);
            self.note(&request);
            self.requests.fetch_add(1, Ordering::SeqCst);
            let goes_on = self.handle(&mut client, request);
            self.busy.fetch_sub(1, Ordering::SeqCst);
            if !goes_on? {
                break;
            }
        }
        Ok(())
    }

    /// Deals with one request; says whether the connection goes on.
    fn handle(&self, client: &mut TcpStream, request: Request) -> std::io::Result<bool> {
        match self.fate(&request) {
            Fate::Passes => client.write_all(&self.pass(&request)?)?,
            Fate::Delayed(millis) => {
                thread::sleep(Duration::from_millis(millis));
                client.write_all(&self.pass(&request)?)?;
            }
            Fate::LostBefore => return Ok(false),
            Fate::LostAfter => return self.pass(&request).map(|_| false),
            Fate::Cut => {
                let answer = self.pass(&request)?;
                client.write_all(&answer[..answer.len() * 2 / 3])?;
                return Ok(false);
            }
            Fate::Late => {
                self.traffic.lock().unwrap().late.push(request);
                return Ok(false);
            }
            Fate::Repeated => {
                self.traffic.lock().unwrap().late.push(request.clone());
                client.write_all(&self.pass(&request)?)?;
            }
            Fate::Status(status) => {
                let head = format!(
                    "HTTP/1.1 {status} No\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno"
                );
                client.write_all(head.as_bytes())?;
            }
        }
        Ok(true)
    }

    fn fate(&self, request: &Request) -> Fate {
        let mut dice = self.dice.lock().unwrap();
        if !dice.chance(self.percent.load(Ordering::SeqCst)) {
            return Fate::Passes;
        }
        let writes = !attributes(request).is_empty();
        match dice.below(12) {
            0 => Fate::LostBefore,
            1 | 2 => Fate::LostAfter,
            3 | 4 => Fate::Cut,
            5 => Fate::Late,
            6..=9 if writes => Fate::Repeated,
            6..=9 => Fate::Delayed(dice.below(60)),
            10 => Fate::Status(429),
            _ => Fate::Status([500, 502, 503][dice.below(3) as usize]),
        }
    }

    fn note(&self, request: &Request) {
        let mut traffic = self.traffic.lock().unwrap();
        for (event, attribute, timestamp) in attributes(request) {
            if *traffic.sent.entry((event, attribute)).or_insert(timestamp) < timestamp {
                traffic.renewed.insert(attribute);
            }
        }
    }

    /// The server's answer, as bytes.
    fn pass(&self, request: &Request) -> std::io::Result<Vec<u8>> {
        let kept = ["connection", "host", "content-length"];
        let kept = |(name, _): &&(String, String)| !kept.contains(&name.to_lowercase().as_str());
        let headers: Vec<_> = request.headers.iter().filter(kept).cloned().collect();
        let body = (!request.body.is_empty()).then_some(&*request.body);
        let answer =
            http_client::send(self.server, &request.method, &request.path, &headers, body)?;
        let mut bytes = format!("HTTP/1.1 {} Said\r\n", answer.status).into_bytes();
        for (name, value) in &answer.headers {
            let hop = ["connection", "content-length", "transfer-encoding"];
            if !hop.contains(&name.to_lowercase().as_str()) {
                bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
        }
        bytes
            .extend_from_slice(format!("content-length: {}\r\n\r\n", answer.body.len()).as_bytes());
        bytes.extend_from_slice(&answer.body);
        Ok(bytes)
    }

    /// Events and attributes of requests that are still on their way.
    pub(crate) fn under_way(&self) -> BTreeSet<(Uuid, Uuid)> {
        let traffic = self.traffic.lock().unwrap();
        let all = traffic.late.iter().flat_map(attributes);
        all.map(|(event, attribute, _)| (event, attribute)).collect()
    }

    /// What was still on its way arrives, the last one first.
    pub(crate) fn empty(&self) {
        let late = std::mem::take(&mut self.traffic.lock().unwrap().late);
        for mut request in late.into_iter().rev() {
            if self.renews.load(Ordering::SeqCst) {
                renew(&mut request);
            }
            drop(self.pass(&request).unwrap());
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut first = lines.first().map_or("", String::as_str).split(' ');
    let mut word = || first.next().unwrap_or_default().to_owned();
    let (method, path) = (word(), word());
    let header = |line: &String| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    let headers: Vec<_> = lines.iter().skip(1).filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method, path, headers, body }))
}

/// The bodies of attributes in a request, and the event they go to.
fn carried<'a>(path: &str, body: &'a mut Value) -> Option<(Uuid, Vec<&'a mut Value>)> {
    let mut parts = path.trim_start_matches('/').split('/');
    let (controller, action, event) = (parts.next()?, parts.next()?, parts.next());
    let uuid = |text: &str| Uuid::try_parse(text).ok();
    match (controller, action) {
        ("attributes", "add") => {
            let event = uuid(event?)?;
            let list = if body.is_array() {
                body.as_array_mut()?.iter_mut().collect()
            } else {
                vec![body]
            };
            Some((event, list))
        }
        ("events", "add" | "edit") => {
            let inner = if body.get("Event").is_some() { body.get_mut("Event")? } else { body };
            let own = inner.get("uuid").and_then(Value::as_str).and_then(uuid);
            let event = event.and_then(uuid).or(own)?;
            Some((event, inner.get_mut("Attribute")?.as_array_mut()?.iter_mut().collect()))
        }
        _ => None,
    }
}

fn timestamp(attribute: &Value) -> Option<i64> {
    let timestamp = attribute.get("timestamp")?;
    timestamp.as_i64().or_else(|| timestamp.as_str()?.parse().ok())
}

/// Event, attribute and timestamp of what a request carries.
fn attributes(request: &Request) -> Vec<(Uuid, Uuid, i64)> {
    let Ok(mut body) = serde_json::from_slice(&request.body) else { return Vec::new() };
    let Some((event, carried)) = carried(&request.path, &mut body) else { return Vec::new() };
    let read = |attribute: &mut Value| {
        let uuid = Uuid::try_parse(attribute.get("uuid")?.as_str()?).ok()?;
        Some((event, uuid, timestamp(attribute)?))
    };
    carried.into_iter().filter_map(read).collect()
}

fn renew(request: &mut Request) {
    let Ok(mut body) = serde_json::from_slice(&request.body) else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 1;
    let Some((_, carried)) = carried(&request.path, &mut body) else { return };
    for attribute in carried {
        attribute["timestamp"] = now.into();
    }
    request.body = body.to_string().into_bytes();
}
