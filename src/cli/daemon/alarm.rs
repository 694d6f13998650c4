//! Tells somebody that a route fails, or does not any more: a command, a POST, or both. A thread of its own does it, one
//! after the other and each within its time, so that nothing waits for it.

use std::{
    env,
    io::{self, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde::Serialize;
use tracing::{error, info};
use url::Url;

use crate::{
    cli::{live::Waiter, render::Clean},
    config::{HookUrl, ServeSettings},
    daemon::{Alarm, AlarmState},
    http::{self, Connection, Patience, Proxy, causes},
    model::{DestinationName, FeedName, Timestamp, shortened},
};

/// So long a command or a POST may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at a command.
const LOOK: Duration = Duration::from_millis(20);
/// So many alarms wait; who comes later is only in the log.
const WAITING_MAX: usize = 256;
/// So much of what a command says goes into the log.
const SAID_BYTES_MAX: u64 = 2_000;
/// All that a command gets of the environment: no key or token of the daemon's is under these names.
const ENVIRONMENT: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// What a command gets on standard input, and who is sent a POST.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/alarm/1")]
pub(crate) struct AlarmMessage<'a> {
    /// The feed.
    feed: &'a FeedName,
    /// The destination.
    destination: &'a DestinationName,
    /// What the route changed to.
    state: AlarmWord,
    /// Since when it fails, or failed.
    since: Timestamp,
    /// When the change was seen.
    at: Timestamp,
    /// The number of the run that showed it, if there was a run.
    run: Option<u64>,
    /// What a person should know.
    detail: String,
}

/// What a route changed to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum AlarmWord {
    /// It fails, and did not before.
    Failing,
    /// It failed before, and does not any more.
    Recovered,
}

/// Where alarms go.
pub(super) struct Bell(SyncSender<(ServeSettings, Alarm)>);

impl Bell {
    /// Starts the thread that tells.
    ///
    /// # Errors
    /// If the system gives none.
    pub(super) fn start(waiter: Waiter) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        thread::Builder::new().spawn(move || tell_all(&receiver, &waiter))?;
        Ok(Self(sender))
    }

    /// Has somebody told, if the settings name somebody; it returns at once.
    pub(super) fn ring(&self, serve: &ServeSettings, alarm: Alarm) {
        if serve.on_failure.is_none() && serve.on_failure_url.is_none() {
            return;
        }
        if self.0.try_send((serve.clone(), alarm)).is_err() {
            error!("{WAITING_MAX} alarms wait already; this one is told to nobody");
        }
    }
}

fn tell_all(alarms: &Receiver<(ServeSettings, Alarm)>, waiter: &Waiter) {
    for (serve, alarm) in alarms {
        let message = AlarmMessage {
            feed: &alarm.route.feed,
            destination: &alarm.route.destination,
            state: match alarm.state {
                AlarmState::Failing => AlarmWord::Failing,
                AlarmState::Recovered => AlarmWord::Recovered,
            },
            since: alarm.since,
            at: alarm.at,
            run: alarm.run,
            detail: shortened(&alarm.words).into_owned(),
        };
        let message = serde_json::to_vec(&message).expect("plain fields always serialise");
        if let Some(command) = &serve.on_failure {
            tell("on_failure", &alarm, run(command, &message));
        }
        if let Some(url) = &serve.on_failure_url {
            tell("on_failure_url", &alarm, post(url, message, waiter));
        }
    }
}

fn tell(by: &str, Alarm { route, .. }: &Alarm, told: Result<(), String>) {
    match told {
        Ok(()) => info!("{route}: somebody was told by {by}"),
        Err(why) => error!("{route}: nobody was told by {by}: {}", Clean(&why)),
    }
}

/// Runs a command, without a shell and with almost nothing of our environment.
fn run(command: &[String], message: &[u8]) -> Result<(), String> {
    let (program, arguments) = command.split_first().expect("the configuration has one");
    let kept = ENVIRONMENT.iter().filter_map(|name| Some((name, env::var_os(name)?)));
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(kept)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    // A pipe takes as much as a message has; a command that reads nothing misses it.
    let written = child.stdin.take().map(|mut input| input.write_all(message));
    drop(written);
    let said = child.stderr.take().map(listen);
    let status = wait(&mut child)?;
    if status.success() {
        return Ok(());
    }
    let said = said.and_then(|said| said.recv_timeout(LOOK * 10).ok()).unwrap_or_default();
    Err(format!("{program} ended with {status}: {}", String::from_utf8_lossy(&said).trim()))
}

/// The beginning of what a command says, once it ends.
fn listen(errors: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        let mut said = Vec::new();
        // What it says after that finds nobody who listens.
        drop(errors.take(SAID_BYTES_MAX).read_to_end(&mut said));
        drop(sender.send(said));
    });
    receiver
}

/// Waits for a command, and kills it once it took too long.
fn wait(child: &mut Child) -> Result<ExitStatus, String> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if begun.elapsed() < PATIENCE => thread::sleep(LOOK),
            Ok(None) => {
                drop(child.kill());
                drop(child.wait());
                return Err(format!("killed after {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn post(url: &HookUrl, message: Vec<u8>, waiter: &Waiter) -> Result<(), String> {
    let url = match url {
        HookUrl::Plain(url) => url.clone(),
        HookUrl::Secret(source) => {
            let secret = source.read("address", "address", "serve").map_err(|it| it.to_string())?;
            // Not repeated: it is a secret.
            Url::parse(secret.expose()).map_err(|_| format!("{source} holds no URL"))?
        }
    };
    let connection = Connection {
        url: url.clone(),
        headers: Vec::new(),
        verify_tls: true,
        ca_bundle: None,
        identity: None,
        proxy: Proxy::Environment,
        timeout: PATIENCE,
    };
    let posted = waiter.ask(async {
        let client =
            http::client(&connection, Patience::Whole).map_err(|error| error.to_string())?;
        let request = client.request(Method::POST, url.as_str());
        let request = request.header("content-type", "application/json").body(message);
        let answer = tokio::time::timeout(PATIENCE, client.send(request)).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?;
        let status = answer.map_err(|error| causes(&error))?.status();
        if (200..300).contains(&status) { Ok(()) } else { Err(format!("it answers {status}")) }
    });
    posted.unwrap_or_else(|| Err("the daemon ends".to_owned()))
}
