//! `web`: the history as pages in a browser of this machine.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use serde::Serialize;
use tokio::{net::TcpListener, runtime::Builder};

use crate::{
    cli::{
        CliError, Context, Exit, Ui,
        args::colour,
        live::{Signals, runtime},
        pages::Site,
    },
    config::ServeSettings,
    model::Tlp,
    web::{Door, serve_port},
};

/// Arguments of `web`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Where to listen: a loopback address; without it as `[serve] web` says, else any free port
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub listen: Option<SocketAddr>,
    /// Show nothing that is marked stricter; what has no colour counts as red
    #[arg(long, value_name = "TLP", value_parser = colour)]
    pub max_tlp: Option<Tlp>,
}

impl Args {
    /// Whether it is to be served in another way than the daemon does.
    pub(crate) const fn is_of_its_own(&self) -> bool {
        self.listen.is_some() || self.max_tlp.is_some()
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| format!("{text:?} is no address with a port"))?;
    let elsewhere =
        || format!("{text:?} can be reached from other machines; write one such as 127.0.0.1:8090");
    address.ip().is_loopback().then_some(address).ok_or_else(elsewhere)
}

/// `web`: where the pages are.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/web/1")]
pub(crate) struct WebAnswer {
    /// The address that is listened on.
    address: String,
    /// The link by which one browser comes in, once, within a minute.
    link: String,
}

impl WebAnswer {
    /// A link through a door.
    pub(crate) fn new(address: SocketAddr, door: &Door) -> Self {
        let token = door.link(Instant::now());
        Self { address: address.to_string(), link: format!("http://{address}/?token={token}") }
    }

    /// Tells it.
    pub(crate) fn tell(&self, context: &mut Context) -> Result<(), CliError> {
        context.answer(|| self, || format!("{}\n", self.link))?;
        context.say(
            "the link works once, within a minute; the browser stays signed in for twelve hours",
        );
        Ok(())
    }
}

/// Serves the pages until a signal, where no daemon has the store.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    // A store that cannot be read is told at once, and not by every page.
    drop(context.ledger()?);
    // Who names a store alone needs no configuration; one that is there may limit what is shown.
    let serve = match context.global.config.try_exists() {
        Ok(false) => ServeSettings::default(),
        _ => context.config()?.serve,
    };
    let listen = args.listen.or(serve.web).unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
    let max_tlp = args.max_tlp.or(serve.max_tlp);
    let (global, verb) = (context.global.clone(), context.verb);
    let at_hand = move || {
        let mut context = Context::new(global.clone(), silent());
        context.verb = verb;
        context
    };
    let site = Arc::new(Site::new(at_hand, move || max_tlp));
    site.prepare();
    let runtime = runtime(&mut Builder::new_multi_thread()).map_err(CliError::System)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(CliError::System)?;
        let cannot = |cause| CliError::Listen { address: listen.to_string(), cause };
        let listener = TcpListener::bind(listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let door = Arc::new(Door::default());
        WebAnswer::new(address, &door).tell(context)?;
        tokio::select! {
            served = serve_port(listener, site, door) => served.map_err(CliError::System)?,
            () = signals.next() => {}
        }
        Ok(Exit::Done)
    })
}

/// What a verb says, pages do not.
pub(crate) fn silent() -> Ui {
    Ui::marked(Box::new(io::sink()), Box::new(io::sink()))
}
