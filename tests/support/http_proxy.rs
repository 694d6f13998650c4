//! An HTTP proxy on the loopback: tunnels by CONNECT, passes plain requests on, may ask for a password, and
//! remembers all that it could read.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use crate::front::{Message, answer};

/// The proxy; it lives as long as the process.
pub struct HttpProxy {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// What `Proxy-Authorization` has to be.
    asks: Option<String>,
    heads: Mutex<Vec<String>>,
    bytes: Mutex<Vec<u8>>,
}

impl HttpProxy {
    /// One for everybody, or for those who show these credentials in base64.
    pub fn start(asks: Option<&str>) -> Self {
        let asks = asks.map(|credentials| format!("Basic {credentials}"));
        let state = Arc::new(State { asks, ..State::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = shared.clone();
                thread::spawn(move || state.serve(client));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// First lines of the requests that it was asked to pass on, refused ones included.
    pub fn asked(&self) -> Vec<String> {
        let heads = self.state.heads.lock().unwrap();
        heads.iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }

    /// All that it could read, tunnels included.
    pub fn read(&self) -> Vec<u8> {
        self.state.bytes.lock().unwrap().clone()
    }
}

impl State {
    fn serve(&self, mut client: TcpStream) {
        while let Some(request) = Message::read(&mut client) {
            self.heads.lock().unwrap().push(request.head.clone());
            self.bytes.lock().unwrap().extend(request.head.bytes());
            let shown = request.header("proxy-authorization").map(str::to_owned);
            if self.asks.is_some() && shown != self.asks {
                let page = answer(
                    "407 Proxy Authentication Required",
                    "Proxy-Authenticate: Basic realm=\"way out\"\r\n",
                    b"<html>who are you?</html>",
                );
                client.write_all(&page).ok();
                continue;
            }
            if request.head.starts_with("CONNECT ") {
                let server = TcpStream::connect(request.target()).unwrap();
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
                return self.tunnel(&client, &server);
            }
            let url = request.target().strip_prefix("http://").expect("a whole URL");
            let host = url.split('/').next().unwrap();
            let mut server = TcpStream::connect(host).unwrap();
            let head = request.head.replacen(&format!("http://{host}"), "", 1);
            Message { head, body: request.body }.write(&mut server).unwrap();
            let reply = Message::read(&mut server).expect("the server answers");
            if reply.write(&mut client).is_err() {
                return;
            }
        }
    }

    fn tunnel(&self, client: &TcpStream, server: &TcpStream) {
        thread::scope(|scope| {
            scope.spawn(|| self.pump(client, server));
            scope.spawn(|| self.pump(server, client));
        });
    }

    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            self.bytes.lock().unwrap().extend(&buffer[..read]);
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Write).ok();
    }
}
