//! `demo --live`: a platform, two MISPs, and the daemon between them.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    task::JoinHandle,
};
use uuid::Uuid;

use crate::{
    agent::{Clock, SystemClock},
    cli::{CliError, Context, Exit, forward, live::runtime},
    sandbox::{
        self, Keys, Misp,
        eclecticiq::{self, Dataset, Platform, Setup, Strategy, TOKEN},
    },
};

use super::{CONFIG, DAYS, Folder, KEY, holds, step, tell, within};

const FEED: u32 = 12;
/// Longer than anything here takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_mins(4);

/// Tells the story; an error if anything in it does not hold.
pub(super) fn run(context: &mut Context) -> Result<Exit, CliError> {
    let mut stage = Stage::build()?;
    let folder = Folder::make()?;
    folder.write(KEY, &stage.key)?;
    folder.write("platform.token", TOKEN)?;
    folder.write(CONFIG, &stage.configuration())?;
    let told = within(context, &folder, |context| stage.story(context, &folder));
    drop(stage.daemon.take());
    stage.runtime.shutdown_background();
    told
}

/// A MISP in memory that can go and come back.
struct Server {
    misp: Arc<Mutex<Misp>>,
    address: SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl Server {
    fn start(runtime: &Runtime, keys: Keys) -> Result<Self, CliError> {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.map_err(CliError::System)?;
        let address = listener.local_addr().map_err(CliError::System)?;
        let misp = Arc::new(Mutex::new(Misp::new(&format!("http://{address}"), keys)));
        let mut server = Self { misp, address, task: None };
        server.serve(runtime, listener);
        Ok(server)
    }

    fn serve(&mut self, runtime: &Runtime, listener: TcpListener) {
        let served = sandbox::serve(listener, self.misp.clone());
        self.task = Some(runtime.spawn(async move { drop(served.await) }));
    }

    fn go_down(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    fn come_back(&mut self, runtime: &Runtime) -> Result<(), CliError> {
        let listener = runtime.block_on(TcpListener::bind(self.address));
        self.serve(runtime, listener.map_err(CliError::System)?);
        Ok(())
    }

    fn attributes(&self) -> u64 {
        let misp = self.misp.lock().unwrap_or_else(PoisonError::into_inner);
        misp.events().iter().map(|event| u64::from(event.attribute_count)).sum()
    }
}

/// All that there is beside the daemon, and the daemon.
struct Stage {
    runtime: Runtime,
    platform: Arc<Mutex<Platform>>,
    platform_at: SocketAddr,
    main: Server,
    partner: Server,
    key: String,
    daemon: Option<Daemon>,
}

impl Stage {
    fn build() -> Result<Self, CliError> {
        let runtime = runtime(&mut Builder::new_multi_thread()).map_err(CliError::System)?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.map_err(CliError::System)?;
        let platform_at = listener.local_addr().map_err(CliError::System)?;
        let setup = Setup::new(FEED, Strategy::Replace);
        let url = format!("http://{platform_at}");
        let platform = Platform::new(&url, setup, dataset(DAYS[0])?, SystemClock.now());
        let platform = Arc::new(Mutex::new(platform));
        drop(runtime.spawn(eclecticiq::serve(listener, platform.clone())));
        let keys = || Keys::demo(&Uuid::new_v4().to_string());
        let key = keys();
        let token = key.get("sync").unwrap_or_default().to_owned();
        let (main, partner) =
            (Server::start(&runtime, key.clone())?, Server::start(&runtime, key)?);
        Ok(Self { runtime, platform, platform_at, main, partner, key: token, daemon: None })
    }

    fn configuration(&self) -> String {
        let (platform, main, partner) = (self.platform_at, self.main.address, self.partner.address);
        format!(
            "version = 1\n\
             [feeds.incidents.source]\nkind = \"eiq-feed\"\nurl = \"http://{platform}\"\n\
             token_file = \"platform.token\"\nfeed = {FEED}\n\
             [feeds.incidents.schedule]\nevery = \"1s\"\n\
             [destinations.main]\nurl = \"http://{main}\"\napi_key_file = {KEY:?}\n\
             [destinations.partner]\nurl = \"http://{partner}\"\napi_key_file = {KEY:?}\n"
        )
    }

    fn story(&mut self, context: &mut Context, folder: &Folder) -> Result<(), CliError> {
        tell(
            context,
            "An EclecticIQ platform with an outgoing feed, and two MISPs, all in memory. The daemon starts.",
        )?;
        if !context.global.json {
            context.ui.text("\n$ misp-trickle run &\n")?;
        }
        self.daemon = Some(Daemon::start(context, folder)?);
        let sent = 41;
        until("both MISPs have the first day", || {
            Ok(self.main.attributes() == sent && self.partner.attributes() == sent)
        })?;
        until("both routes had a success", || {
            Ok(routes(folder)?.iter().all(|route| route["last_success"].is_string()))
        })?;
        tell(context, "It pulled the feed once, and delivered it to both.")?;
        step(context, "misp-trickle status")?;

        self.partner.go_down();
        self.put(DAYS[1])?;
        tell(context, "The partner's MISP goes down, and the platform packages the next day.")?;
        until("the other MISP has the next day", || Ok(self.main.attributes() == sent + 5))?;
        until("the partner's route fails", || {
            Ok(routes(folder)?.iter().any(|route| route["failures"].as_u64() > Some(0)))
        })?;
        step(context, "misp-trickle status")?;

        self.partner.come_back(&self.runtime)?;
        tell(
            context,
            "It comes back. The next try is a minute away; somebody who asks need not wait.",
        )?;
        step(context, "misp-trickle sync --destination partner")?;
        holds("the partner has the next day", self.partner.attributes() == sent + 5)?;
        tell(
            context,
            "All of it is in the history; what went alike and changed nothing is one record.",
        )?;
        step(context, "misp-trickle log --oneline")?;
        let daemon = self.daemon.take();
        holds("the daemon ends when it is told to", daemon.is_some_and(Daemon::end))?;
        tell(
            context,
            "docs/operations.md tells how to run it as a service. Nothing of this is left.",
        )
    }

    /// Gives the platform another dataset, which it packages at once.
    fn put(&self, text: &str) -> Result<(), CliError> {
        let mut platform = self.platform.lock().unwrap_or_else(PoisonError::into_inner);
        platform.replace(dataset(text)?, SystemClock.now());
        Ok(())
    }
}

/// The daemon, as a process of its own.
struct Daemon(Child);

impl Daemon {
    fn start(context: &Context, folder: &Folder) -> Result<Self, CliError> {
        let program = std::env::current_exe().map_err(CliError::System)?;
        let log = fs::File::create(folder.0.join("run.log")).map_err(CliError::System)?;
        let mut command = Command::new(program);
        command.arg("run").arg("--config").arg(&context.global.config).current_dir(&folder.0);
        for name in ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "NOTIFY_SOCKET"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut daemon = Self(command.spawn().map_err(CliError::System)?);
        let mut ready = String::new();
        if let Some(said) = daemon.0.stdout.take() {
            BufReader::new(said).read_line(&mut ready).map_err(CliError::System)?;
        }
        holds("the daemon starts", !ready.is_empty())?;
        Ok(daemon)
    }

    /// Tells it to end, and whether it did so well.
    fn end(mut self) -> bool {
        let pid = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        told.is_ok_and(|told| told.success()) && self.0.wait().is_ok_and(|end| end.success())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that ended before is gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn dataset(text: &str) -> Result<Dataset, CliError> {
    Dataset::read(text.as_bytes()).map_err(|error| CliError::Demo(error.to_string()))
}

/// The routes as the daemon tells of them.
fn routes(folder: &Folder) -> Result<Vec<Value>, CliError> {
    let args = ["status", "--json"].map(str::to_owned).to_vec();
    let answer = forward::ask_owner(&folder.0.join("state"), args)?;
    let status = answer.and_then(|(_, data)| serde_json::from_str::<Value>(&data).ok());
    Ok(status.and_then(|status| status["routes"].as_array().cloned()).unwrap_or_default())
}

/// Waits for something that has to happen.
fn until(what: &str, mut is_so: impl FnMut() -> Result<bool, CliError>) -> Result<(), CliError> {
    let begun = Instant::now();
    while !is_so()? {
        holds(what, begun.elapsed() < PATIENCE)?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
