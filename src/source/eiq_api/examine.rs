//! Whether the entities of a feed can be pulled, step by step, and what is wrong where they cannot.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::source::{
    Look,
    peer::{PeerError, Rests, Wrong},
};

use super::{ApiError, EiqApi, list::Row, pull::BEGINNINGS};

#[derive(Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    #[serde(default)]
    total_count: Option<usize>,
}

impl<T: Rests> EiqApi<T> {
    /// Asks for all that a pull needs, and takes nothing. The first fault ends it.
    pub async fn examine(&self) -> Vec<Look<ApiError>> {
        let mut looks = Vec::new();
        if let Err(error) = self.examine_into(&mut looks).await {
            looks.push(Look::Bad(error));
        }
        looks
    }

    async fn examine_into(&self, looks: &mut Vec<Look<ApiError>>) -> Result<(), ApiError> {
        let what =
            "kind = \"eiq-api\" is experimental: nobody has tried it on a platform yet".to_owned();
        looks
            .push(Look::Odd(what, "use kind = \"eiq-feed\" where the platform can package a feed"));
        let reachable = || Look::Good(format!("{} answers", self.peer.base()));
        let feed = self.feed.to_string();
        let found = match self.first("api/v2/entities", ("filter[outgoing_feeds]", &feed)).await {
            Ok(found) => found,
            Err(error) => {
                // Who refuses is there, and who misses something took the token.
                match &error {
                    ApiError::Peer(PeerError { wrong: Wrong::Token { .. }, .. }) => {
                        looks.push(reachable());
                    }
                    ApiError::Peer(PeerError {
                        wrong: Wrong::Right { .. } | Wrong::Missing { .. },
                        ..
                    }) => looks.extend([reachable(), Look::Good("the token is taken".to_owned())]),
                    _ => {}
                }
                return Err(error);
            }
        };
        looks.extend([reachable(), Look::Good("the token is taken".to_owned())]);
        let count = found.total_count.map_or_else(|| "its".to_owned(), |count| count.to_string());
        let Some(raw) = found.data.into_iter().next() else {
            let what = format!("the platform lists no entity that is in outgoing feed {feed}");
            looks.push(Look::Odd(what, "check `feed`, and that the feed has run"));
            return Ok(());
        };
        let url = format!("{}api/v2/entities", self.peer.base());
        let entity = Row::read(raw).map_err(|what| ApiError::Listing { url, what })?;
        if !self.is_ours(&entity) {
            return Err(ApiError::OtherFeed { feed: self.feed, entity: entity.id });
        }
        looks.push(Look::Good(format!("{count} entities of feed {feed} may be read")));
        self.around(&entity, BEGINNINGS).await?;
        looks.push(Look::Good("so may observables and relationships".to_owned()));
        Ok(())
    }

    /// The first row of a list.
    async fn first(&self, path: &str, filter: (&str, &str)) -> Result<Page, ApiError> {
        Ok(self.peer.document(path, &[filter, ("limit", "1")]).await?.content)
    }
}
