//! `sandbox`: what an incident passes on its way, in memory, to try things out on.

pub(crate) mod eclecticiq;
pub(crate) mod misp;

use std::{future::Future, io, net::SocketAddr};

use serde::Serialize;
use tokio::{net::TcpListener, runtime::Builder};

use crate::cli::{
    CliError, Context, Exit,
    args::{SandboxArgs, SandboxVerb},
    live::{Signals, runtime},
};

/// Serves until a signal comes. One line of JSON says that it listens, and where.
pub(crate) fn run(args: &SandboxArgs, context: &mut Context) -> Result<Exit, CliError> {
    match &args.other {
        None => misp::run(&args.misp, context),
        Some(SandboxVerb::Eclecticiq(args)) => eclecticiq::run(args, context),
    }
}

/// Listens, and serves what `start` makes of the listener and its URL, beside the line that says so.
fn serve_until_signal<A, S>(
    listen: SocketAddr,
    context: &mut Context,
    start: impl FnOnce(TcpListener, &str) -> (A, S),
) -> Result<Exit, CliError>
where
    A: Serialize,
    S: Future<Output = io::Result<()>>,
{
    if !listen.ip().is_loopback() {
        context
            .warn("the sandbox can be reached from other machines; it is no place for real data");
    }
    let runtime = runtime(&mut Builder::new_multi_thread()).map_err(CliError::System)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(CliError::System)?;
        let cannot_listen = |cause| CliError::Listen { address: listen.to_string(), cause };
        let listener = TcpListener::bind(listen).await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let (line, served) = start(listener, &format!("http://{address}"));
        context.ui.json(&line)?;
        tokio::select! {
            served = served => served.map_err(CliError::System)?,
            () = signals.next() => {}
        }
        Ok(Exit::Done)
    })
}
