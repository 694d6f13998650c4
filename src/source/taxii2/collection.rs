//! What a server says of itself and its collections.

use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    model::{Timestamp, shortened},
    source::peer::{Document, PeerError, Rests, Wrong},
};

use super::{Taxii2, TaxiiError};

/// Most collections that an error names.
const NAMED_MAX: usize = 20;

/// A collection that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Collection {
    /// Its name in the configuration.
    pub(super) name: String,
    pub(super) id: String,
    pub(super) title: String,
    /// The server's clock when it said so.
    pub(super) asked: Option<Timestamp>,
}

impl Collection {
    /// The path of something in it.
    pub(super) fn path(&self, below: &str) -> String {
        format!("collections/{}/{below}", segment(&self.id))
    }
}

/// The document of an API root, or of the discovery of a server.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Root {
    pub(super) title: Option<String>,
    pub(super) versions: Vec<String>,
    api_roots: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listed {
    id: String,
    title: Option<String>,
    alias: Option<String>,
    can_read: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct List {
    collections: Vec<Listed>,
}

impl Listed {
    fn shown(&self) -> String {
        let title = self.title.as_deref().unwrap_or_default();
        let name = self.alias.as_deref().unwrap_or(&self.id);
        if title.is_empty() { name.to_owned() } else { format!("{name} ({title})") }
    }
}

/// A text as a part of a path.
pub(super) fn segment(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = text.bytes().map(|byte| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    bytes.collect()
}

impl<T: Rests> Taxii2<T> {
    /// A document, and the server's clock when it was given.
    async fn document<D: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<(D, Option<Timestamp>), TaxiiError> {
        match self.peer.document(path, &[]).await {
            Ok(Document { content, date, .. }) => Ok((content, date)),
            Err(PeerError { url, wrong: Wrong::Strange { what } }) => {
                Err(TaxiiError::Strange { url, what })
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.peer.base())
    }

    /// The document of the API root.
    pub(super) async fn root(&self) -> Result<Root, TaxiiError> {
        let (root, _): (Root, _) = self.document("").await?;
        let Some(roots) = root.api_roots else { return Ok(root) };
        let base = self.peer.base();
        let roots = roots.iter().map(|root| {
            let url = base.join(root).map_or_else(|_| root.clone(), |url| url.to_string());
            shortened(&url).into_owned()
        });
        Err(TaxiiError::Discovery { url: base.to_string(), roots: roots.take(NAMED_MAX).collect() })
    }

    /// A collection of the configuration.
    pub(super) async fn collection(&self, name: &str) -> Result<Collection, TaxiiError> {
        let path = format!("collections/{}/", segment(name));
        let (listed, asked) = match self.document::<Listed>(&path).await {
            Ok(found) => found,
            Err(TaxiiError::Peer(PeerError { wrong: Wrong::Missing { .. }, .. })) => {
                self.listed(name).await?
            }
            Err(error) => return Err(error),
        };
        let url = self.url(&path);
        if listed.id.is_empty() {
            let what = "it is another JSON than TAXII has there: a collection without an id";
            return Err(TaxiiError::Strange { url, what: what.to_owned() });
        }
        if listed.can_read == Some(false) {
            return Err(TaxiiError::NotReadable { collection: name.to_owned(), url });
        }
        let title = shortened(listed.title.as_deref().unwrap_or_default()).into_owned();
        Ok(Collection { name: name.to_owned(), id: listed.id, title, asked })
    }

    /// A collection that has no document by its name: it may be listed with it.
    async fn listed(&self, name: &str) -> Result<(Listed, Option<Timestamp>), TaxiiError> {
        let path = "collections/";
        let (list, date) = match self.document::<List>(path).await {
            Ok(found) => found,
            Err(TaxiiError::Peer(error)) if matches!(error.wrong, Wrong::Missing { .. }) => {
                // Perhaps the URL is that of something else.
                self.root().await?;
                return Err(error.into());
            }
            Err(error) => return Err(error),
        };
        let is_it = |it: &Listed| it.alias.as_deref() == Some(name);
        let known = list.collections.iter().take(NAMED_MAX).map(Listed::shown);
        let known = known.map(|shown| shortened(&shown).into_owned()).collect();
        match list.collections.into_iter().find(is_it) {
            Some(listed) => Ok((listed, date)),
            None => Err(TaxiiError::NoCollection {
                collection: name.to_owned(),
                known,
                url: self.url(path),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_stays_one() {
        assert_eq!(segment("a/b?c#d%é x--1"), "a%2Fb%3Fc%23d%25%C3%A9%20x--1");
        assert_eq!(segment("indicator--1f3d"), "indicator--1f3d");
    }
}
