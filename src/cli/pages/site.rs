//! The site: each address as a page, and as the answer of the verb that gives the same.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    agent::{Clock, SystemClock},
    cli::{
        CliError, Context,
        render::json::StatusAnswer,
        verbs::report::{self, Told},
    },
    history::{
        Clearance, Cleared,
        query::{self, Memory},
    },
    model::Tlp,
    page::{self, STYLE},
    store::Store,
    web::{Address, Form, Pages, Reply},
};

use super::{
    asked::{Asked, Seen, json},
    shelf::Shelf,
    wrong::Wrong,
};

/// An overview that is older is made anew, behind the back of whoever looks at the old one.
const FRESH: Duration = Duration::from_secs(10);
/// One that is older is not shown: its ages are those of the moment when it was made.
const STALE: Duration = Duration::from_secs(60);

/// All pages of a store.
#[derive(Clone)]
pub(in crate::cli) struct Site(Arc<Inner>);

struct Inner {
    /// What a verb would have at hand.
    context: Box<dyn Fn() -> Context + Send + Sync>,
    /// Up to which colour things are shown.
    max_tlp: Box<dyn Fn() -> Option<Tlp> + Send + Sync>,
    /// What was opened of a store that nobody else has.
    shelf: Shelf,
    overview: Mutex<Kept>,
    /// What is read again of an event only once it changed.
    memory: Mutex<Memory>,
}

/// The overview in both of its forms.
struct Both {
    html: String,
    json: String,
}

/// The overview as it was made last: it takes a look at every event.
#[derive(Default)]
struct Kept {
    made: Option<(Instant, Clearance, Arc<Both>)>,
    /// What makes it anew.
    being_made: Option<JoinHandle<()>>,
}

impl Pages for Site {
    fn page(&self, address: &Address) -> Reply {
        if address.path == "/style.css" {
            return Reply { status: 200, form: Form::Css, body: STYLE.to_owned() };
        }
        let (path, form) = match address.path.strip_suffix(".json") {
            Some(path) => (path, Form::Json),
            None => (&*address.path, Form::Html),
        };
        match self.answer(path, form, address) {
            Ok(body) => Reply { status: 200, form, body },
            Err(wrong) => wrong.reply(&unknown(self.clearance()), form),
        }
    }
}

impl Site {
    /// The site of whatever store such a context leads to.
    pub(in crate::cli) fn new(
        context: impl Fn() -> Context + Send + Sync + 'static,
        max_tlp: impl Fn() -> Option<Tlp> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            context: Box::new(context),
            max_tlp: Box::new(max_tlp),
            shelf: Shelf::default(),
            overview: Mutex::default(),
            memory: Mutex::default(),
        }))
    }

    /// Makes the overview behind everybody's back, for whoever comes first.
    pub(in crate::cli) fn prepare(&self) {
        let site = self.clone();
        // What went wrong is told to whoever asks.
        let work = move || drop(site.make_overview(site.clearance()));
        self.kept().being_made = Some(thread::spawn(work));
    }

    fn clearance(&self) -> Clearance {
        (self.0.max_tlp)().map_or(Clearance::ALL, Clearance::up_to)
    }

    fn answer(&self, path: &str, form: Form, address: &Address) -> Result<String, Wrong> {
        if matches!(path, "/" | "/status") {
            let both = self.overview()?;
            return Ok(if form == Form::Json { both.json.clone() } else { both.html.clone() });
        }
        self.with_store(|store, _| {
            let clearance = self.clearance();
            let cleared = Cleared::new(store, clearance);
            let seen = Seen {
                ledger: store,
                cleared: &cleared,
                clearance,
                site: page_of(store, clearance, address),
                form,
            };
            Asked::of(path, address)?.answer(&seen)
        })
    }

    /// The overview that is there, made anew behind the back of whoever asks where it is old.
    fn overview(&self) -> Result<Arc<Both>, Wrong> {
        let (now, clearance) = (Instant::now(), self.clearance());
        let mut kept = self.kept();
        if let Some((at, of, answer)) = &kept.made
            && *of == clearance
            && now.duration_since(*at) < STALE
        {
            let answer = answer.clone();
            let is_free = kept.being_made.as_ref().is_none_or(JoinHandle::is_finished);
            if now.duration_since(*at) > FRESH && is_free {
                let site = self.clone();
                // What went wrong is told to whoever asks once there is none.
                let work = move || drop(site.make_overview(clearance));
                kept.being_made = Some(thread::spawn(work));
            }
            return Ok(answer);
        }
        drop(kept);
        self.make_overview(clearance)
    }

    fn make_overview(&self, clearance: Clearance) -> Result<Arc<Both>, Wrong> {
        let at = Instant::now();
        let mut memory = self.0.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let made =
            self.with_store(|store, context| Ok(made(context, store, clearance, &mut memory)?));
        drop(memory);
        let answer = made?;
        let answer = Arc::new(answer);
        self.kept().made = Some((at, clearance, answer.clone()));
        Ok(answer)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.overview.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_store<T>(
        &self,
        work: impl FnOnce(&Store, &Context) -> Result<T, Wrong>,
    ) -> Result<T, Wrong> {
        let mut context = (self.0.context)();
        if context.host.is_some() {
            let store = context.ledger()?;
            return work(&store, &context);
        }
        let opened = self.0.shelf.take(&mut context)?;
        let store = opened.lock().unwrap_or_else(PoisonError::into_inner);
        work(&store, &context)
    }
}

/// What the foot of every page tells: of which store, when, up to which colour.
fn page_of(store: &Store, clearance: Clearance, address: &Address) -> page::Site {
    let twin = page::twin(&address.path, &address.query);
    page::Site {
        store: store.id().to_string(),
        now: SystemClock.now(),
        clearance,
        twin: Some(twin),
    }
}

fn unknown(clearance: Clearance) -> page::Site {
    page::Site { store: String::new(), now: SystemClock.now(), clearance, twin: None }
}

/// The overview, and the answer of `status`.
fn made(
    context: &Context,
    store: &Store,
    clearance: Clearance,
    memory: &mut Memory,
) -> Result<Both, CliError> {
    let Told { view, routes, feeds } = report::view(context, store, (None, 0), clearance, memory)?;
    let html = page::overview_page(&view);
    let json = if clearance.is_whole() {
        let found: Vec<_> = view.overviews.into_iter().map(|overview| overview.status).collect();
        json(&StatusAnswer::new(&found, &routes, &feeds))
    } else {
        let cleared = Cleared::new(store, clearance);
        let names = crate::history::Ledger::destinations(store)?;
        let found = names.iter().map(|name| query::status(&cleared, name));
        json(&StatusAnswer::new(&found.collect::<Result<Vec<_>, _>>()?, &routes, &feeds))
    };
    Ok(Both { html, json })
}
