//! The list of a feed's content blocks.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use crate::model::shortened;

use super::FeedError;

/// The list as a platform gives it.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    content_blocks: Vec<String>,
}

/// A content block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Its number, by which blocks are in order.
    pub(super) id: u64,
    /// Its path below the base URL.
    pub(super) path: String,
}

/// The blocks of a list, in the order of their numbers. Wherever a link leads, only its path counts, which is asked
/// for at the base URL.
pub(super) fn blocks(list: List, base: &Url) -> Result<Vec<Block>, FeedError> {
    let mut found: BTreeMap<u64, String> = BTreeMap::new();
    for link in list.content_blocks {
        let path = path_below(&link, base);
        let id = path.as_deref().and_then(|path| path.rsplit('/').next()?.parse().ok());
        let (Some(id), Some(path)) = (id, path) else {
            return Err(FeedError::Listing {
                what: format!("{:?} is no link to a content block", shortened(&link)),
            });
        };
        if let Some(other) = found.insert(id, path.clone())
            && other != path
        {
            return Err(FeedError::Listing {
                what: format!("two content blocks have the number {id}"),
            });
        }
    }
    Ok(found.into_iter().map(|(id, path)| Block { id, path }).collect())
}

/// The path of a link, without the prefix that the base URL has already.
fn path_below(link: &str, base: &Url) -> Option<String> {
    let url = base.join(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let path = url.path();
    let below = path.strip_prefix(base.path()).or_else(|| path.strip_prefix('/'))?;
    Some(below.trim_end_matches('/').to_owned())
}

/// Changes whenever the list does.
pub(super) fn digest(blocks: &[Block]) -> String {
    let mut hasher = blake3::Hasher::new();
    for block in blocks {
        hasher.update(block.path.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(links: &[&str], base: &str) -> Result<Vec<(u64, String)>, FeedError> {
        let content_blocks = links.iter().map(|link| (*link).to_owned()).collect();
        let blocks = blocks(List { content_blocks }, &base.parse().unwrap())?;
        Ok(blocks.into_iter().map(|block| (block.id, block.path)).collect())
    }

    #[test]
    fn numbers_are_numbers_and_links_lead_to_the_base_url() {
        let expected = |numbers: &[u64]| -> Vec<(u64, String)> {
            numbers
                .iter()
                .map(|id| (*id, format!("private/x/runs/1/content-blocks/{id}")))
                .collect()
        };
        let link = |before: &str, id: u64| format!("{before}/private/x/runs/1/content-blocks/{id}");
        let links = [link("", 10), link("https://ic.internal:8443", 9), link("", 9), link("", 100)];
        let links = links.each_ref().map(String::as_str);
        assert_eq!(listed(&links, "https://ic.example/").unwrap(), expected(&[9, 10, 100]));
        // Behind a prefix, with which the platform knows of it or not.
        let links = [link("/eiq", 1), link("", 2), link("https://elsewhere.example/eiq", 3)];
        let links = links.each_ref().map(String::as_str);
        assert_eq!(listed(&links, "https://proxy.example/eiq/").unwrap(), expected(&[1, 2, 3]));
    }

    #[test]
    fn what_cannot_be_put_in_order_is_refused() {
        for links in [&["/x/content-blocks/latest"][..], &["file:///x/1"], &["/a/1", "/b/1"], &[""]]
        {
            let refused = listed(links, "https://ic.example/");
            assert!(matches!(refused, Err(FeedError::Listing { .. })), "{links:?}: {refused:?}");
        }
    }
}
