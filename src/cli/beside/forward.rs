//! Verbs beside a daemon: who has the store answers for it.

use crate::cli::{CliError, Context, Exit, verbs::Verb};

/// Elsewhere there is no daemon.
#[cfg(not(unix))]
pub(in crate::cli) fn forward(_: &Verb, _: &mut Context) -> Result<Option<Exit>, CliError> {
    Ok(None)
}

#[cfg(unix)]
pub(in crate::cli) use unix::{ask_owner, forward};

#[cfg(unix)]
mod unix {
    use std::{
        fs,
        io::{self, Write},
        path::{Path, PathBuf},
        time::Duration,
    };

    use reqwest::{Client, Response, StatusCode};

    use super::{CliError, Context, Exit, Verb};
    use crate::{
        cli::{
            daemon::ask::{Channel, PROTOCOL, Parts, Question},
            live::runtime,
            output::{Output, Rights},
            screen::ReaderText,
            verbs::{Beside, export},
        },
        config::{Config, Holds, SocketPlace, read_text},
        http::causes,
        store::{Socket, Store},
    };

    /// After so long without a sign of life the owner of the store counts as silent.
    const SILENT: Duration = Duration::from_secs(2);

    /// Passes a verb on to the daemon that has the store; `None` if there is none, or it is no matter of the daemon.
    pub(in crate::cli) fn forward(
        verb: &Verb,
        context: &mut Context,
    ) -> Result<Option<Exit>, CliError> {
        let beside = verb.beside();
        if context.host.is_some() || beside == Beside::Apart {
            return Ok(None);
        }
        let store = context.store_path()?;
        let advertised = Store::advertised(&store).map(Owner::of).transpose()?;
        let Some(owner) = advertised.or_else(|| unseen(context, &store)) else { return Ok(None) };
        if beside == Beside::Alone {
            let what = "it has the store, which this verb needs for itself";
            return Err(CliError::AskedTooMuch { what });
        }
        let read = |path: &Path| {
            read_text(path, Holds::Data).map_err(|cause| CliError::read(path, &cause))
        };
        let input = verb.input().map(read).transpose()?;
        let mut file = Pending { named: verb.output(), output: None };
        let args = context.asked();
        let is_raw = context.global.json || matches!(verb, Verb::Export(_));
        let mut heard = Heard::default();
        let reader = Some(ReaderText::from(&context.reader));
        let asked = Asked { args, input, reader };
        let exit = ask(&owner, asked, &mut |channel, part| match channel {
            Channel::Data if is_raw => context.ui.pass_on(part).map_err(|cause| match verb {
                Verb::Export(_) => export::half(cause),
                _ => cause.into(),
            }),
            Channel::Data => {
                heard.data.extend_from_slice(part);
                Ok(())
            }
            Channel::Talk => {
                heard.talk(part, context);
                Ok(())
            }
            Channel::File => file.write(part),
            Channel::End => Ok(()),
        });
        // A pager waits for its reader: not while the answer is on its way.
        heard.end(context)?;
        let exit = exit?;
        if exit == Exit::Done {
            file.end()?;
        }
        Ok(Some(exit))
    }

    /// What the daemon that has a store answers to a command line without the program's name; `None` if there is none.
    pub(in crate::cli) fn ask_owner(
        store: &Path,
        args: Vec<String>,
    ) -> Result<Option<(Exit, String)>, CliError> {
        let Some(socket) = Store::advertised(store) else { return Ok(None) };
        let mut data = Vec::new();
        let asked = Asked { args, input: None, reader: None };
        let exit = ask(&Owner::of(socket)?, asked, &mut |channel, part| {
            data.extend_from_slice(if channel == Channel::Data { part } else { b"" });
            Ok(())
        })?;
        Ok(Some((exit, String::from_utf8_lossy(&data).into_owned())))
    }

    /// What is asked, beside whom.
    struct Asked {
        args: Vec<String>,
        input: Option<String>,
        reader: Option<ReaderText>,
    }

    /// A daemon that has a store.
    struct Owner {
        socket: PathBuf,
        /// The random name of the store; none where this user may not look into it.
        store: Option<String>,
    }

    impl Owner {
        fn of(socket: Socket) -> Result<Self, CliError> {
            let owner = Self { socket: socket.path, store: Some(socket.store) };
            match socket.protocol {
                PROTOCOL => Ok(owner),
                _ => Err(owner.silent("it is another version of misp-trickle".to_owned())),
            }
        }

        fn busy(&self) -> CliError {
            CliError::OwnerBusy { socket: self.socket.display().to_string() }
        }

        fn silent(&self, cause: String) -> CliError {
            CliError::OwnerSilent { socket: self.socket.display().to_string(), cause }
        }
    }

    /// The daemon of a store that this user may not look into, by the socket that the configuration names.
    fn unseen(context: &Context, store: &Path) -> Option<Owner> {
        let error = fs::read_dir(store).err()?;
        let config = Config::load(&context.global.config).ok()?;
        match config.serve.socket {
            SocketPlace::At(socket)
                if error.kind() == io::ErrorKind::PermissionDenied && socket.exists() =>
            {
                Some(Owner { socket, store: None })
            }
            _ => None,
        }
    }

    /// What the daemon printed for people and is not shown yet: what it looks like is decided here.
    #[derive(Default)]
    struct Heard {
        data: Vec<u8>,
        talk: Vec<u8>,
    }

    impl Heard {
        /// Says the lines that are whole, those aside that follow data.
        fn talk(&mut self, part: &[u8], context: &mut Context) {
            self.talk.extend_from_slice(part);
            let end = self.talk.iter().rposition(|byte| *byte == b'\n');
            if let Some(end) = end.filter(|_| self.data.is_empty()) {
                let lines: Vec<u8> = self.talk.drain(..=end).collect();
                context.ui.pass_on_talk(&String::from_utf8_lossy(&lines));
            }
        }

        fn end(self, context: &mut Context) -> Result<(), CliError> {
            if !self.data.is_empty() {
                context.ui.text(&String::from_utf8_lossy(&self.data))?;
            }
            context.ui.pass_on_talk(&String::from_utf8_lossy(&self.talk));
            Ok(())
        }
    }

    /// The file that a verb writes, from the first part of it on.
    struct Pending<'v> {
        named: Option<(&'v Path, Rights)>,
        output: Option<Output>,
    }

    impl Pending<'_> {
        fn write(&mut self, part: &[u8]) -> Result<(), CliError> {
            let Some((path, rights)) = self.named else { return Ok(()) };
            let mut write = || {
                let output = match self.output.take() {
                    Some(output) => output,
                    None => Output::begin(path, rights)?,
                };
                self.output.insert(output).write_all(part)
            };
            write().map_err(|cause| self.failed(cause))
        }

        fn end(mut self) -> Result<(), CliError> {
            let ended = self.output.take().map_or(Ok(()), Output::end);
            ended.map_err(|cause| self.failed(cause))
        }

        fn failed(&self, cause: io::Error) -> CliError {
            let path = self.named.map_or(Path::new(""), |(path, _)| path).to_owned();
            CliError::Write { path, cause, cure: "make room or the folder, or name another file" }
        }
    }

    /// Takes the parts of an answer as they come.
    type Taker<'t> = dyn FnMut(Channel, &[u8]) -> Result<(), CliError> + 't;

    /// One question over a socket, without a limit on time once somebody showed to be there.
    fn ask(
        owner: &Owner,
        Asked { args, input, reader }: Asked,
        take: &mut Taker<'_>,
    ) -> Result<Exit, CliError> {
        let silent = |cause| owner.silent(cause);
        let question =
            Question { protocol: PROTOCOL, store: owner.store.clone(), args, input, reader };
        let runtime = runtime(&mut tokio::runtime::Builder::new_current_thread());
        runtime.map_err(CliError::System)?.block_on(async {
            let mut answer = send(&owner.socket, &question).await.map_err(silent)?;
            match answer.status() {
                StatusCode::SERVICE_UNAVAILABLE => return Err(owner.busy()),
                status if status.is_success() => {}
                status => return Err(silent(format!("it answers {status}"))),
            }
            let mut parts = Parts::default();
            while let Some(bytes) = answer.chunk().await.map_err(|error| silent(causes(&error)))? {
                parts.push(&bytes);
                while let Some((channel, part)) = parts.next().map_err(silent)? {
                    if let (Channel::End, [code]) = (channel, &part[..]) {
                        take(channel, &part)?;
                        return Ok(Exit::of_code(*code));
                    }
                    take(channel, &part)?;
                }
            }
            Err(silent("it ended before it had answered".to_owned()))
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the daemon is no stranger, and no secret goes to it"
    )]
    async fn send(socket: &Path, question: &Question) -> Result<Response, String> {
        // No TLS goes over a socket, so it does not matter whether the machine has any certificates.
        let client = Client::builder().unix_socket(socket).no_proxy().tls_certs_only([]).build();
        let client = client.map_err(|error| causes(&error))?;
        let alive = client.get("http://daemon/healthz").timeout(SILENT).send().await;
        alive.map_err(|error| causes(&error))?;
        let body = serde_json::to_vec(question).expect("plain fields always serialise");
        let request = client.post("http://daemon/ask").header("Content-Type", "application/json");
        request.body(body).send().await.map_err(|error| causes(&error))
    }
}
