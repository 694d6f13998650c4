//! Tests of mirrors on folders in memory.

mod compaction;
mod crashes;
mod damage;
mod packs;
mod rules;

use std::{
    collections::BTreeSet,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{memory::MemoryFiles, *};
use crate::{
    format::Format,
    graph::{Coverage, Said},
    model::Tlp,
};

/// The source that all tests are about.
fn source() -> SourceIdentity {
    SourceIdentity::new("taxii2").with("url", "https://taxii.example")
}

fn mirror(files: &MemoryFiles) -> Mirror {
    Mirror::new(Arc::new(files.clone()), source())
}

/// An object of STIX: the last digits of its id, the second of its version, its name and its colour.
fn object(id: u8, second: u8, name: &str, tlp: &str) -> String {
    let labels = if tlp.is_empty() { String::new() } else { format!(r#","labels":["tlp:{tlp}"]"#) };
    format!(
        r#"{{"type":"incident","id":"{}","modified":"2026-01-01T00:00:{second:02}Z","name":"{name}"{labels}}}"#,
        id_of(id)
    )
}

fn id_of(id: u8) -> String {
    format!("incident--00000000-0000-4000-8000-0000000000{id:02x}")
}

/// A bundle of objects.
fn bundle<T: AsRef<str>>(objects: &[T]) -> String {
    let objects: Vec<&str> = objects.iter().map(AsRef::as_ref).collect();
    format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.join(","))
}

/// What a pull does.
enum Act {
    Whole,
    Delta,
    Document(&'static str, String),
    Remove(u8),
    Checkpoint(&'static str),
    End(&'static str),
    /// The link is lost.
    Lost,
}
use Act::{Checkpoint, Delta, Document, End, Lost, Remove, Whole};

/// Objects of a document that has no name of its own.
fn objects<T: AsRef<str>>(objects: &[T]) -> Act {
    Document("page", bundle(objects))
}

/// A source that does as it is told.
struct Told {
    acts: Vec<Act>,
    /// What it was told of what came before.
    since: Option<String>,
    damaged: Vec<Damage>,
    unfinished: Option<String>,
}

#[derive(Debug)]
enum ToldError {
    Lost,
    Mirror(MirrorError),
}

impl From<MirrorError> for ToldError {
    fn from(error: MirrorError) -> Self {
        Self::Mirror(error)
    }
}

impl Source for Told {
    type Error = ToldError;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, ToldError> {
        self.since = since.map(|bookmark| bookmark.as_str().to_owned());
        self.damaged = into.damaged().to_vec();
        self.unfinished = into.unfinished().map(|(_, bookmark)| bookmark.as_str().to_owned());
        let (mut pulled, mut acts) = (Pulled::Unchanged, self.acts.drain(..));
        while let Some(act) = acts.next() {
            let mut pack = match act {
                Whole => into.whole(&source())?,
                Delta => into.delta(&source())?,
                _ => match into.resume()? {
                    Some(pack) => pack,
                    None => return Err(ToldError::Lost),
                },
            };
            for act in acts.by_ref() {
                match act {
                    Document(name, text) => {
                        pack.document(name, Format::Auto, text.as_bytes())?;
                    }
                    Remove(id) => pack.remove(&id_of(id), Format::Stix21)?,
                    Checkpoint(bookmark) => pack.checkpoint(&Bookmark::new(bookmark))?,
                    End(bookmark) => {
                        pulled = pack.end(&Bookmark::new(bookmark))?;
                        break;
                    }
                    Whole | Delta | Lost => return Err(ToldError::Lost),
                }
            }
        }
        Ok(pulled)
    }
}

/// The result of a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// Pulls, and gives what the source was told and what the mirror comes to.
fn pull(files: &MemoryFiles, acts: Vec<Act>) -> (Result<Pulled, ToldError>, Fold, Told) {
    let mut told = Told { acts, since: None, damaged: Vec::new(), unfinished: None };
    let (pulled, fold) = now(mirror(files).pull(&mut told)).unwrap();
    (pulled, fold, told)
}

/// Pulls that all succeed; what the mirror comes to.
fn pulls(files: &MemoryFiles, pulls: Vec<Vec<Act>>) -> Fold {
    let mut last = None;
    for acts in pulls {
        let (pulled, fold, _) = pull(files, acts);
        pulled.unwrap();
        last = Some(fold);
    }
    last.unwrap()
}

/// Names and markings of what stands, sorted.
fn standing(files: &MemoryFiles) -> Vec<(String, Option<Tlp>)> {
    let mirror = mirror(files);
    let mut facts = mirror.facts(&mirror.fold().unwrap()).unwrap();
    facts.settle(&Said::new());
    let found = facts.entities.iter().map(|it| (it.title.to_string(), it.marking().tlp));
    found.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Names of what stands, sorted.
fn names(files: &MemoryFiles) -> Vec<String> {
    standing(files).into_iter().map(|(name, _)| name).collect()
}
