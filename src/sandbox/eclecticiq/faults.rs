//! What goes wrong between a platform and its clients.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sandbox::Reply;

use super::answer::{self, Answer, Pace};

/// Something that goes wrong with some requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// A part of the path and query of the requests that it befalls; empty for all.
    #[serde(default)]
    pub path: String,
    /// So many of them go well before.
    #[serde(default)]
    pub after: u32,
    /// So many it befalls.
    #[serde(default = "once")]
    pub times: u32,
    /// What it is.
    pub trouble: Trouble,
}

const fn once() -> u32 {
    1
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Another status.
    Status(u16),
    /// 429, with this text as `Retry-After`.
    Busy(String),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The body comes with so many bytes a second.
    Slow(usize),
    /// No answer ever comes.
    Silent,
    /// Another place, which may be on another host.
    Redirect(String),
    /// This text, as a page for people, with the status 200.
    Page(String),
    /// None that shows: once the answer is out, the feed runs.
    Run,
    /// The first of the rows that were asked for is saved anew, as it is, once they are out. So whoever pages by
    /// the time of the last change finds all others one place earlier.
    Shift,
}

/// Faults that are still to come.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn list(&self) -> Value {
        serde_json::to_value(&self.0).expect("faults are plain values")
    }

    /// What befalls a request, if anything does.
    pub(super) fn strike(&mut self, path: &str) -> Option<Trouble> {
        let place = self.0.iter_mut().position(|fault| {
            let is_meant = path.contains(&*fault.path);
            let goes_well = fault.after > 0;
            fault.after -= u32::from(is_meant && goes_well);
            is_meant && !goes_well && fault.times > 0
        })?;
        let fault = &mut self.0[place];
        fault.times -= 1;
        let trouble = fault.trouble.clone();
        if fault.times == 0 {
            self.0.remove(place);
        }
        Some(trouble)
    }
}

impl Trouble {
    /// What takes the place of an answer.
    pub(super) fn spoil(self, good: Reply) -> Answer {
        let (reply, pace) = match self {
            Self::Status(status) => (answer::error(status, "This was asked for"), Pace::Whole),
            Self::Busy(wait) => {
                let mut reply = answer::error(429, "Too many requests");
                reply.headers.push(("Retry-After".to_owned(), wait));
                (reply, Pace::Whole)
            }
            Self::Cut(bytes) => (good, Pace::Cut(bytes)),
            Self::Slow(bytes) => (good, Pace::Slow(bytes)),
            Self::Silent => (good, Pace::Silent),
            Self::Redirect(to) => {
                let mut reply = answer::plain(302, String::new());
                reply.headers.push(("Location".to_owned(), to));
                (reply, Pace::Whole)
            }
            Self::Page(text) => {
                (answer::content("text/html; charset=utf-8", text.into_bytes()), Pace::Whole)
            }
            Self::Run | Self::Shift => (good, Pace::Whole),
        };
        Answer { reply, pace }
    }
}
