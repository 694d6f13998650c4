//! Whether collections can be pulled, step by step, and what is wrong where they cannot.

use crate::{
    format::Format,
    model::shortened,
    source::{
        count::count,
        peer::{Rests, Wrong},
    },
};

use super::{Taxii2, TaxiiError, collection::Root, page::List};

type Look = crate::source::Look<TaxiiError>;

/// What an API root calls this version.
const VERSIONS: [&str; 3] = ["application/taxii+json;version=2.1", "taxii-2.1", "2.1"];

impl<T: Rests> Taxii2<T> {
    /// Asks for all that a pull needs, and takes nothing. The first fault ends it.
    pub async fn examine(&mut self) -> Vec<Look> {
        let mut looks = Vec::new();
        if let Err(error) = self.examine_into(&mut looks).await {
            looks.push(Look::Bad(error));
        }
        looks
    }

    async fn examine_into(&mut self, looks: &mut Vec<Look>) -> Result<(), TaxiiError> {
        let base = self.peer.base().to_string();
        let root = match self.root().await {
            Ok(root) => root,
            Err(error) => {
                // Who refuses is there.
                if let TaxiiError::Peer(error) = &error
                    && matches!(
                        error.wrong,
                        Wrong::Token { .. } | Wrong::Right { .. } | Wrong::Missing { .. }
                    )
                {
                    looks.push(Look::Good(format!("{base} answers")));
                }
                return Err(error);
            }
        };
        let Root { title, versions, .. } = root;
        looks.push(Look::Good(format!("{base} answers")));
        let plain = |text: &String| text.replace(' ', "").to_ascii_lowercase();
        if !versions.iter().any(|version| VERSIONS.contains(&&*plain(version))) {
            let found = match versions.is_empty() {
                true => "names no version".to_owned(),
                false => shortened(&versions.join(", ")).into_owned(),
            };
            return Err(TaxiiError::Version { url: base, found });
        }
        let title = title.map(|title| format!(" {:?}", shortened(&title))).unwrap_or_default();
        looks.push(Look::Good(format!("the API root{title} speaks TAXII 2.1")));
        for name in self.settings.collections.clone() {
            let collection = self.collection(&name).await?;
            let title = match &*collection.title {
                "" => String::new(),
                title => format!(" {title:?}"),
            };
            looks.push(Look::Good(format!("collection {name}{title} may be read")));
            let page = self.page(&collection, List::Objects, None, None, 100).await;
            let page = page.map_err(|broken| broken.error)?;
            looks.push(look(&name, &page.bytes));
        }
        Ok(())
    }
}

fn look(name: &str, page: &[u8]) -> Look {
    match count(name, Format::Stix21, page) {
        Ok((0, 0)) => Look::Odd(
            format!("collection {name} is empty"),
            "nothing comes of it until somebody adds objects to it",
        ),
        Ok((objects, 0)) => Look::Good(format!("the first page of {name} has {objects} objects")),
        Ok((objects, damaged)) => Look::Odd(
            format!("the first page of {name} has {objects} objects, and {damaged} damaged ones"),
            "mend them on the server; until then, nothing counts as gone",
        ),
        Err(error) => Look::Odd(
            format!("the first page of {name} cannot be read: {}", error.fault().cause),
            "ask who runs the server; until it can be, nothing comes of the collection",
        ),
    }
}
