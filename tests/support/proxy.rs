//! A TCP proxy on the loopback that counts what passes through it, as a meter on the line would.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Bytes of one connection in both directions.
#[derive(Debug, Default)]
pub struct Meter {
    up: AtomicU64,
    down: AtomicU64,
}

/// A proxy before a server; it lives as long as the process.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    connections: Arc<Mutex<Vec<Arc<Meter>>>>,
}

/// What passed through so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    pub connections: usize,
    /// To the server.
    pub up: u64,
    /// From the server.
    pub down: u64,
}

impl Passed {
    pub fn bytes(self) -> u64 {
        self.up + self.down
    }

    /// What passed since an earlier moment.
    pub fn since(self, before: Self) -> Self {
        Self {
            connections: self.connections - before.connections,
            up: self.up - before.up,
            down: self.down - before.down,
        }
    }
}

impl Proxy {
    pub fn before(server: SocketAddr) -> Self {
        Self::at_rate(server, None)
    }

    /// One that lets so many bytes a second through each connection and way.
    pub fn slow(server: SocketAddr, rate: u64) -> Self {
        Self::at_rate(server, Some(rate))
    }

    fn at_rate(server: SocketAddr, rate: Option<u64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections: Arc<Mutex<Vec<Arc<Meter>>>> = Arc::default();
        let opened = connections.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let meter = Arc::new(Meter::default());
                opened.lock().unwrap().push(meter.clone());
                let server = TcpStream::connect(server).unwrap();
                let (client_back, server_back) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                let up = meter.clone();
                thread::spawn(move || forward(client, server, &up.up, rate));
                thread::spawn(move || forward(server_back, client_back, &meter.down, rate));
            }
        });
        Self { address, connections }
    }

    pub fn passed(&self) -> Passed {
        let connections = self.connections.lock().unwrap();
        let sum = |of: fn(&Meter) -> &AtomicU64| {
            connections.iter().map(|meter| of(meter).load(Ordering::SeqCst)).sum()
        };
        Passed { connections: connections.len(), up: sum(|it| &it.up), down: sum(|it| &it.down) }
    }
}

/// Passes bytes on until either side is done. They are counted before they are passed on, so that an
/// answer that arrived is an answer that was counted.
fn forward(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64, rate: Option<u64>) {
    let mut buffer = vec![0; if rate.is_some() { 512 } else { 64 * 1024 }];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        count.fetch_add(read as u64, Ordering::SeqCst);
        if let Some(rate) = rate {
            thread::sleep(Duration::from_secs_f64(read as f64 / rate as f64));
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // The other side may be gone already; there is nobody left to tell.
    to.shutdown(Shutdown::Write).ok();
}
