//! A connection with nothing in between.

use std::time::Duration;

use misp_trickle::http::{Connection, Proxy};

/// Straight to an address, with nothing set but how long to wait.
pub fn direct(url: &str, timeout: Duration) -> Connection {
    Connection {
        url: url.parse().expect("a URL"),
        headers: Vec::new(),
        verify_tls: true,
        ca_bundle: None,
        identity: None,
        proxy: Proxy::Direct,
        timeout,
    }
}
