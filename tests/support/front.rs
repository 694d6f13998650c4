//! A server on the loopback that stands before a MISP: with TLS or without, it passes requests on, or does
//! something else about them.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// No server of a test goes on for longer.
const LIFE: Duration = Duration::from_secs(120);

/// A request or an answer as it stands on the wire.
#[derive(Debug, Clone)]
pub struct Message {
    pub head: String,
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one; `None` if the other side has nothing more to say.
    pub fn read(from: &mut dyn Read) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut one = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            from.read_exact(&mut one).ok()?;
            bytes.push(one[0]);
        }
        let mut message = Self { head: String::from_utf8(bytes).unwrap(), body: Vec::new() };
        let length = message.header("content-length").and_then(|text| text.parse().ok());
        message.body = vec![0; length.unwrap_or(0)];
        from.read_exact(&mut message.body).ok()?;
        Some(message)
    }

    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self.head.as_bytes())?;
        to.write_all(&self.body)?;
        to.flush()
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut found = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }

    /// The same without a header.
    fn without(&self, name: &str) -> Self {
        let kept = self.head.split_inclusive("\r\n").filter(|line| {
            !line.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
        });
        Self { head: kept.collect(), body: self.body.clone() }
    }

    /// What is asked for.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

/// What to do about a request.
pub enum Act {
    /// MISP answers.
    Pass,
    /// MISP does what it is asked for, and its answer comes after a while.
    PassLate(Duration),
    /// MISP does what it is asked for, and its answer comes a byte at a time, each after a while.
    PassDripping(Duration),
    /// MISP gets the request without this header.
    PassWithout(&'static str),
    /// MISP answers, and these headers stand in its answer, too.
    PassWith(&'static str),
    /// These bytes are the answer.
    Say(Vec<u8>),
    /// MISP does what it is asked for, and these bytes come in place of its answer.
    PassAndSay(Vec<u8>),
    /// These bytes are the beginning of an answer, and then come the others without end.
    Drone(Vec<u8>, Vec<u8>, Duration),
}

/// What to do about each request, by the request and its number.
type Manner = Box<dyn Fn(&Message, usize) -> Act + Send + Sync>;

/// The server; it lives as long as the process.
pub struct Front {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    misp: SocketAddr,
    manner: Manner,
    tls: Option<Arc<ServerConfig>>,
    seen: Mutex<Vec<Message>>,
    connections: Mutex<usize>,
}

impl Front {
    /// Stands before a MISP and passes everything on.
    pub fn with_tls(misp: SocketAddr, tls: ServerConfig) -> Self {
        Self::start(misp, Some(Arc::new(tls)), Box::new(|_, _| Act::Pass))
    }

    /// Stands before a MISP and does what it is told.
    pub fn before(
        misp: SocketAddr,
        manner: impl Fn(&Message, usize) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::start(misp, None, Box::new(manner))
    }

    fn start(misp: SocketAddr, tls: Option<Arc<ServerConfig>>, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, connections) = (Mutex::default(), Mutex::default());
        let state = Arc::new(State { misp, manner, tls, seen, connections });
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = shared.clone();
                *state.connections.lock().unwrap() += 1;
                thread::spawn(move || state.serve(client));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its URL with TLS, by name.
    pub fn https(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Requests so far.
    pub fn seen(&self) -> Vec<Message> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Connections so far, those included over which nothing came.
    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }
}

impl State {
    fn serve(&self, mut client: TcpStream) {
        client.set_nodelay(true).unwrap();
        client.set_read_timeout(Some(LIFE)).unwrap();
        let Some(tls) = &self.tls else { return self.talk(&mut client) };
        let mut connection = ServerConnection::new(tls.clone()).unwrap();
        while connection.is_handshaking() {
            if connection.complete_io(&mut client).is_err() {
                return bow_out(connection, client);
            }
        }
        self.talk(&mut StreamOwned::new(connection, client));
    }

    fn talk(&self, client: &mut (impl Read + Write)) {
        while let Some(request) = Message::read(client) {
            let number = {
                let mut seen = self.seen.lock().unwrap();
                seen.push(request.clone());
                seen.len()
            };
            let done = match (self.manner)(&request, number) {
                Act::Pass => self.ask(&request).write(client),
                Act::PassWithout(name) => self.ask(&request.without(name)).write(client),
                Act::PassLate(span) => {
                    let answer = self.ask(&request);
                    thread::sleep(span);
                    answer.write(client)
                }
                Act::PassWith(headers) => {
                    let Message { head, body } = self.ask(&request);
                    let head = head.replacen("\r\n", &format!("\r\n{headers}"), 1);
                    Message { head, body }.write(client)
                }
                Act::PassDripping(pause) => {
                    let Message { head, body } = self.ask(&request);
                    let mut bytes = head.bytes().chain(body);
                    bytes.try_for_each(|byte| {
                        thread::sleep(pause);
                        client.write_all(&[byte]).and_then(|()| client.flush())
                    })
                }
                Act::Say(bytes) => client.write_all(&bytes).and_then(|()| client.flush()),
                Act::PassAndSay(bytes) => {
                    self.ask(&request);
                    client.write_all(&bytes).and_then(|()| client.flush())
                }
                Act::Drone(first, then, pause) => drone(client, &first, &then, pause),
            };
            if done.is_err() {
                return;
            }
        }
    }

    /// Has MISP answer.
    fn ask(&self, request: &Message) -> Message {
        let mut misp = TcpStream::connect(self.misp).unwrap();
        request.write(&mut misp).unwrap();
        Message::read(&mut misp).expect("MISP answers")
    }
}

fn drone(to: &mut dyn Write, first: &[u8], then: &[u8], pause: Duration) -> io::Result<()> {
    to.write_all(first)?;
    let end = Instant::now() + LIFE;
    while Instant::now() < end {
        to.write_all(then)?;
        to.flush()?;
        thread::sleep(pause);
    }
    Ok(())
}

/// Says why there will be no connection, and waits until the other side heard it: what it sent meanwhile
/// would otherwise reset the connection, and the words with it.
fn bow_out(mut connection: ServerConnection, mut client: TcpStream) {
    while connection.wants_write() && connection.write_tls(&mut client).is_ok() {}
    client.shutdown(Shutdown::Write).ok();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut rest = [0; 4096];
    while let Ok(1..) = client.read(&mut rest) {}
}

/// An answer with a body.
pub fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
