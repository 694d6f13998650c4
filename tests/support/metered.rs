//! The sandbox behind HTTP, with a meter before it that counts every byte of both directions.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use misp_trickle::{
    remote::{Access, Encoding},
    sandbox::{Keys, Misp, serve},
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

use crate::{direct::direct_access, proxy::Proxy};

/// A MISP, and how it is reached through the meter.
pub struct Metered {
    /// Serves it, and may run its clients.
    pub runtime: Runtime,
    /// What it holds.
    pub misp: Arc<Mutex<Misp>>,
    /// The meter.
    pub proxy: Proxy,
    /// The address of the meter.
    pub url: String,
    /// The same with the key of a synchronisation user.
    pub access: Access,
    keys: Keys,
}

impl Metered {
    /// Starts one whose clients pack so and wait so long.
    #[must_use]
    pub fn start(encoding: Encoding, timeout: Duration) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let keys = Keys::demo("metered");
        let misp = Arc::new(Mutex::new(Misp::new("http://127.0.0.1", keys.clone())));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let proxy = Proxy::before(listener.local_addr().unwrap());
        drop(runtime.spawn(serve(listener, misp.clone())));
        let url = format!("http://{}/", proxy.address);
        let access = direct_access(&url, keys.get("sync").unwrap(), encoding, timeout);
        Self { runtime, misp, proxy, url, access, keys }
    }

    /// The key of a synchronisation user.
    #[must_use]
    pub fn key(&self) -> &str {
        self.keys.get("sync").unwrap()
    }
}
