//! Short texts that recur thousands of times (kinds, relation types, file names), stored once.

use std::{borrow::Borrow, collections::BTreeSet, fmt, ops::Deref, sync::Arc};

use super::{as_text, kept_name};

/// A shared text. Equal texts compare equal whether or not they share their storage.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// A symbol with storage of its own, in the form in which names are kept; use an [`Interner`] where the text
    /// recurs.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self((&*kept_name(text)).into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Symbol {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Symbol {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Symbol {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(Symbol, "name", |text| Some(Symbol::new(text)));

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Gives the same storage to equal texts.
#[derive(Debug, Default)]
pub struct Interner(BTreeSet<Symbol>);

impl Interner {
    /// The one symbol of this text, in the form in which names are kept.
    pub fn symbol(&mut self, text: &str) -> Symbol {
        let text = &*kept_name(text);
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new = Symbol::new(text);
        self.0.insert(new.clone());
        new
    }
}
