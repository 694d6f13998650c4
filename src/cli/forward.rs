//! Verbs beside a daemon: who has the store answers for it.

use std::path::Path;
#[cfg(unix)]
use std::time::Duration;

#[cfg(unix)]
use crate::http::causes;
use crate::{config::Config, history::Ledger, store::Store};

#[cfg(unix)]
use super::daemon::ask::{Answer, PROTOCOL, Question};
use super::{CliError, Context, Exit, args::SyncArgs};

/// After so long without a sign of life the owner of the store counts as silent.
#[cfg(unix)]
const SILENT: Duration = Duration::from_secs(2);

/// Answers a question of the ledger: by the store, or by the daemon that has it.
pub(super) fn answer_or_forward(
    context: &mut Context,
    answer: impl FnOnce(&mut Context, &dyn Ledger) -> Result<Exit, CliError>,
) -> Result<Exit, CliError> {
    let path = context.store_path()?;
    if let Some(exit) = forward(context, &path)? {
        return Ok(exit);
    }
    let ledger = context.store_to_read(&path)?;
    answer(context, &ledger)
}

/// Has the daemon run what `sync` asks for, if one has the store.
pub(super) fn forward_sync(
    context: &mut Context,
    args: &SyncArgs,
    config: &Config,
) -> Result<Option<Exit>, CliError> {
    if Store::advertised(&config.store_path).is_some()
        && (args.run.source.is_some() || args.is_limited())
    {
        let what = "a daemon has the store, and runs feeds as they are configured";
        return Err(CliError::AskedTooMuch { what });
    }
    forward(context, &config.store_path)
}

/// Elsewhere there is no daemon.
#[cfg(not(unix))]
pub(super) fn forward(_: &mut Context, _: &Path) -> Result<Option<Exit>, CliError> {
    Ok(None)
}

/// Passes the verb on to the daemon that has a store; `None` if there is none.
#[cfg(unix)]
pub(super) fn forward(context: &mut Context, store: &Path) -> Result<Option<Exit>, CliError> {
    let args = context.args.clone();
    let Some(answer) = ask_owner(store, args)? else { return Ok(None) };
    context.ui.pass_on(&answer.data, &answer.talk)?;
    Ok(Some(Exit::of_code(answer.exit)))
}

/// What the daemon that has a store answers to a command line without the program's name; `None` if there is none.
#[cfg(unix)]
pub(super) fn ask_owner(store: &Path, args: Vec<String>) -> Result<Option<Answer>, CliError> {
    let Some(socket) = Store::advertised(store) else { return Ok(None) };
    let silent =
        |cause: String| CliError::OwnerSilent { socket: socket.path.display().to_string(), cause };
    if socket.protocol != PROTOCOL {
        return Err(silent("it is another version of misp-trickle".to_owned()));
    }
    let question = Question { protocol: PROTOCOL, store: socket.store.clone(), args };
    ask(&socket.path, &question).map(Some).map_err(silent)
}

/// One question over a socket, without a limit on time once somebody showed to be there.
#[cfg(unix)]
fn ask(socket: &Path, question: &Question) -> Result<Answer, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let client = reqwest::Client::builder().unix_socket(socket).no_proxy().build();
        let client = client.map_err(|error| error.to_string())?;
        let alive = client.get("http://daemon/healthz").timeout(SILENT).send().await;
        alive.map_err(|error| causes(&error))?;
        let body = serde_json::to_vec(question).expect("plain fields always serialise");
        let request = client.post("http://daemon/ask").header("Content-Type", "application/json");
        let answer = request.body(body).send().await.map_err(|error| causes(&error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| causes(&error))?;
        serde_json::from_slice(&body).map_err(|_| format!("it answers {status}"))
    })
}
