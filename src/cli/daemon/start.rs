//! From the command line to a daemon that runs, and its end.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process,
    sync::{Arc, Mutex, RwLock, mpsc::Sender},
    thread,
};

use serde::Serialize;
use tokio::{
    net::{TcpListener, UnixListener},
    runtime::Handle,
};
use tracing::{error, info};

use crate::{
    agent::{Clock, LedgerHandle, SystemClock},
    cli::{
        CliError, Context, Exit,
        args::DaemonArgs,
        live::{AT_LAST, GRACE, LEAVING, Live},
    },
    config::{Config, SocketPlace},
    daemon::{
        Alarms, Dispatcher, Message, Metrics, Monitor, Scheduler, notify, serve_metrics,
        serve_socket,
    },
    history::query,
    store::StoreId,
    web::{self, serve_port},
};

use super::{
    Shared,
    alarm::Bell,
    ask::PROTOCOL,
    exposure::Exposure,
    handler::RequestHandler,
    held::Held,
    paused::Paused,
    place,
    reload::{ConfigArgs, proven},
    signals::{SignalAction, Signals},
};

/// `run`: where it answers, once it is ready.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/run/1")]
pub(crate) struct RunAnswer {
    /// The number of the process.
    pid: u32,
    /// The Unix socket on which it answers questions, if there is one.
    socket: Option<String>,
    /// The address of `/metrics`, if there is one.
    metrics: Option<String>,
    /// The address of the pages, if there is one: `misp-trickle web` gives a link.
    web: Option<String>,
}

/// Runs until a signal ends it.
pub(crate) fn run(args: &DaemonArgs, context: &mut Context) -> Result<Exit, CliError> {
    context.limit(args.bwlimit);
    let given = ConfigArgs::of(context);
    let config = proven(&given)?;
    context.store_private = config.store_private;
    config.warnings.iter().for_each(|warning| context.warn(warning));
    config.serve.secret_warnings().iter().for_each(|warning| context.warn(warning));
    let store = context.store_for(&config)?;
    let (id, paused) = (store.id(), Paused::read(&config.store_path)?);
    let live = Live::without_signals()?;
    let threads = live.threads().clone();
    let signals = threads.block_on(async { Signals::listen() }).map_err(CliError::System)?;
    let listeners = threads.block_on(Listeners::open(&config, id))?;
    if let Some(path) = &listeners.path {
        match path.to_str() {
            Some(_) => store.advertise(path, PROTOCOL).map_err(CliError::System)?,
            None => context.warn(format_args!(
                "no other command finds the daemon, as the path of its socket is not UTF-8 ({}); set `socket` under [serve] to one \
                 that is",
                path.display()
            )),
        }
    } else if config.serve.socket != SocketPlace::Nowhere {
        context.warn("no folder for a socket is near enough, or this user's alone to write to; set `socket` under [serve]");
    }

    let (ledger, waiter) = (LedgerHandle::new(store), live.waiter().clone());
    let history = query::routes(&ledger, &config.former_names())?;
    let counted = history.iter().map(|(route, known)| (route.clone(), &known.last));
    let metrics = Arc::new(Metrics::new(counted));
    let config = RwLock::new(Arc::new(config));
    let throttles = context.throttles.clone();
    let exposure = Exposure::new(metrics.clone());
    let bell = Bell::start(waiter.clone()).map_err(CliError::System)?;
    let held = Held::default();
    let shared =
        Arc::new(Shared { waiter, ledger, paused, throttles, bell, exposure, held, config });
    let mut scheduler = Scheduler::default();
    scheduler.configure(shared.plans(&shared.config(), &history));
    let failing = history.iter().filter(|(_, known)| known.failures > 0);
    let failing = failing.map(|(route, known)| (route.clone(), known.last.begun));
    let dispatcher = Dispatcher::new(shared.clone(), scheduler, metrics.clone());
    let dispatcher = dispatcher.knowing(Alarms::new(failing));
    dispatcher.show(SystemClock.now());
    let sender = dispatcher.sender();
    shared.held.tell(sender.clone());
    let handler = RequestHandler {
        shared: shared.clone(),
        store: id.to_string(),
        config: given.config.clone(),
        sender: sender.clone(),
        web: listeners.pages_at().map(|address| (address, Arc::default())),
        dataset: Mutex::default(),
    };
    let socket = listeners.path.clone();
    let ready = RunAnswer {
        pid: process::id(),
        socket: socket.as_ref().map(|path| path.display().to_string()),
        metrics: listeners.address(),
        web: listeners.pages_at().map(|address| address.to_string()),
    };
    listeners.serve(&threads, &Monitor { metrics, snapshot: dispatcher.snapshot() }, handler);
    let counts = shared.clone();
    drop(thread::spawn(move || counts.count_exposed()));
    drop(threads.spawn(handle_signals(signals, given, shared.clone(), sender)));
    context.ui.json(&ready)?;
    notify::ready();
    dispatcher.run(&SystemClock, GRACE);
    live.end(LEAVING);
    if let Some(socket) = socket {
        // The next owner removes what is left.
        drop(fs::remove_file(socket));
    }
    match shared.held.lost() {
        Some(report) => Err(CliError::Told(Box::new(report.clone()))),
        None => Ok(Exit::Done),
    }
}

/// What the daemon listens on.
struct Listeners {
    /// Of the socket, if there is one.
    path: Option<PathBuf>,
    asks: Option<UnixListener>,
    watched: Option<TcpListener>,
    pages: Option<TcpListener>,
}

impl Listeners {
    async fn open(config: &Config, id: StoreId) -> Result<Self, CliError> {
        let path = place::path(&config.serve.socket, &config.store_path, id);
        let asks = path.as_deref();
        let group = config.serve.group.as_deref();
        let asks = asks.map(|path| place::listen(path, group)).transpose()?;
        let watched = listen(config.serve.metrics).await?;
        let pages = listen(config.serve.web).await?;
        Ok(Self { path, asks, watched, pages })
    }

    /// Of the pages.
    fn pages_at(&self) -> Option<SocketAddr> {
        self.pages.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Of the metrics.
    fn address(&self) -> Option<String> {
        let address = self.watched.as_ref().and_then(|listener| listener.local_addr().ok());
        address.map(|address| address.to_string())
    }

    /// Serves until the threads end.
    fn serve(self, threads: &Handle, face: &Monitor, handler: RequestHandler) {
        let site = Arc::new(handler.site());
        if let (Some(listener), Some((_, door))) = (self.pages, handler.web.clone()) {
            site.prepare();
            let site = site.clone();
            drop(threads.spawn(async move {
                if let Err(error) = serve_port(listener, site, door).await {
                    error!("pages are served no more: {error}");
                }
            }));
        }
        if let (Some(listener), Some(path)) = (self.asks, self.path) {
            let (face, handler) = (face.clone(), Arc::new(handler));
            let pages = web::routes(site);
            drop(threads.spawn(async move {
                if let Err(error) = serve_socket(listener, face, handler, pages).await {
                    error!("questions over {} are answered no more: {error}", path.display());
                }
            }));
        }
        if let Some(listener) = self.watched {
            let face = face.clone();
            drop(threads.spawn(async move {
                if let Err(error) = serve_metrics(listener, face).await {
                    error!("metrics are served no more: {error}");
                }
            }));
        }
    }
}

/// Listens on a port, if there is to be one.
async fn listen(address: Option<SocketAddr>) -> Result<Option<TcpListener>, CliError> {
    let Some(address) = address else { return Ok(None) };
    let cannot = |cause| CliError::Listen { address: address.to_string(), cause };
    TcpListener::bind(address).await.map(Some).map_err(cannot)
}

/// Does what signals ask for.
async fn handle_signals(
    mut signals: Signals,
    given: ConfigArgs,
    shared: Arc<Shared>,
    sender: Sender<Message<Shared>>,
) {
    loop {
        match signals.next().await {
            SignalAction::End => {
                info!("it ends once what is under way is recorded");
                shared.waiter.interrupt();
                drop(sender.send(Message::Stop));
                drop(tokio::spawn(async {
                    tokio::time::sleep(AT_LAST).await;
                    process::exit(Exit::Done.code().into());
                }));
            }
            SignalAction::EndNow => process::exit(Exit::Interrupted.code().into()),
            SignalAction::Reload => {
                notify::reloading();
                match shared.reload(&given, &sender) {
                    Ok(()) => info!("the configuration was read again"),
                    Err(error) => error!("the configuration stays as it was: {}", error.report()),
                }
                notify::ready();
            }
        }
    }
}
