//! Pages over HTTP: who is let in, what is refused, and what every answer says beside its content.
//!
//! What the pages are stands behind the port [`Pages`]. Nothing is changed by a request: `GET` and `HEAD` are all there is.
//! On a Unix socket the rights of its file decide who asks. On a loopback port a browser brings a cookie, for which a
//! link is exchanged that works once ([`Door`]).

mod door;
mod guard;
mod serve;
#[cfg(test)]
mod tests;

pub use door::Door;
pub use guard::is_loopback;
pub use serve::{routes, serve_port};

/// What there is to see; each page is made on a thread that may wait.
pub trait Pages: Send + Sync + 'static {
    /// The page at an address.
    fn page(&self, address: &Address) -> Reply;
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The path, decoded nowhere.
    pub path: String,
    /// What stands behind the question mark, decoded.
    pub query: Vec<(String, String)>,
}

impl Address {
    /// The first value of a key that is not empty.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, value)| known == key && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

/// What a page is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Html,
    /// For programs.
    Json,
    /// How pages look.
    Css,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP's word for how it went.
    pub status: u16,
    /// What it is made of.
    pub form: Form,
    /// It.
    pub body: String,
}
