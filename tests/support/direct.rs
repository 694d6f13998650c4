//! A connection with nothing in between.

use std::time::Duration;

use misp_trickle::{
    http::{Connection, Proxy},
    model::Secret,
    remote::{Access, AuthHeader, Compression, Encoding},
};

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

/// How to reach a MISP there with a key, its bodies packed so.
pub fn direct_access(url: &str, key: &str, encoding: Encoding, timeout: Duration) -> Access {
    Access {
        connection: direct(url, timeout),
        auth_header: AuthHeader::Authorization,
        key: Secret::new(key.to_owned()),
        compression: Compression::Fixed(encoding),
        correlate: true,
    }
}
