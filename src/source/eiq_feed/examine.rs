//! Whether a feed can be pulled, step by step, and what is wrong where it cannot.

use crate::{
    model::limits::DOWNLOAD_BYTES_MAX,
    source::{
        count::count,
        peer::{Rests, Wrong},
    },
};

use super::{EiqFeed, FeedError, Reach, Strategy, document::Document, listing::Block};

type Look = crate::source::Look<FeedError>;

impl<T: Rests> EiqFeed<T> {
    /// Asks for all that a pull needs, and takes nothing. The first fault ends it.
    pub async fn examine(&mut self) -> Vec<Look> {
        let mut looks = Vec::new();
        if let Err(error) = self.examine_into(&mut looks).await {
            looks.push(Look::Bad(error));
        }
        looks
    }

    async fn examine_into(&mut self, looks: &mut Vec<Look>) -> Result<(), FeedError> {
        let strategy = match self.reach {
            Reach::Token(configured) => self.examine_document(configured, looks).await?,
            Reach::Public(strategy) => strategy,
        };
        let blocks = self.list(strategy).await?;
        if matches!(self.reach, Reach::Public(_)) {
            let base = self.peer.base();
            looks.push(Look::Good(format!("{base} answers")));
            looks.push(Look::Good(format!("feed {} may be read by everybody", self.feed)));
        }
        self.examine_block(&blocks, looks).await
    }

    async fn examine_document(
        &mut self,
        configured: Option<Strategy>,
        looks: &mut Vec<Look>,
    ) -> Result<Strategy, FeedError> {
        let base = self.peer.base().to_string();
        let reachable = || Look::Good(format!("{base} answers"));
        let document = match self.document().await {
            Ok(document) => document,
            Err(error) => {
                let wrong = match &error {
                    FeedError::Peer(error) | FeedError::NoFeed { error, .. } => Some(&error.wrong),
                    _ => None,
                };
                // Who refuses is there, and who misses something took the token.
                match wrong {
                    Some(Wrong::Token { .. }) => looks.push(reachable()),
                    Some(Wrong::Right { .. } | Wrong::Missing { .. }) => {
                        looks.extend([reachable(), Look::Good("the token is taken".to_owned())]);
                    }
                    _ => {}
                }
                return Err(error);
            }
        };
        let Document { name, content_type, .. } = &document;
        let name = name.as_deref().map(|name| format!(" {name:?}")).unwrap_or_default();
        looks.push(reachable());
        looks.push(Look::Good("the token is taken".to_owned()));
        looks.push(Look::Good(format!("feed {}{name} may be read", self.feed)));
        let strategy = document.strategy(configured)?;
        document.format()?;
        let content = content_type.as_deref().unwrap_or_default();
        looks.push(Look::Good(format!("its content type is {content}")));
        looks.push(packaging(&document));
        if document.is_active == Some(false) {
            let what = "the feed is not active, so nothing new comes of it".to_owned();
            looks.push(Look::Odd(what, "switch it on, on its page on the platform"));
        }
        Ok(strategy)
    }

    async fn examine_block(
        &mut self,
        blocks: &[Block],
        looks: &mut Vec<Look>,
    ) -> Result<(), FeedError> {
        let Some(last) = blocks.last() else {
            let what = "it has no content block".to_owned();
            looks.push(Look::Odd(what, "run the feed once, on its page on the platform"));
            return Ok(());
        };
        let (listed, id) = (blocks.len(), last.id);
        let body = self.peer.get(&last.path, DOWNLOAD_BYTES_MAX).await?;
        let bytes = body.bytes();
        let name = format!("feed {} block {id}", self.feed);
        let read = body.reader().map_err(|error| error.to_string()).and_then(|reader| {
            let format = crate::format::Format::Auto;
            count(&name, format, reader).map_err(|error| error.fault().cause)
        });
        let listed =
            format!("{listed} content block{} listed", if listed == 1 { " is" } else { "s are" });
        looks.push(match read {
            Ok((objects, 0)) => {
                Look::Good(format!("{listed}; number {id} has {bytes} bytes and {objects} objects"))
            }
            Ok((objects, damaged)) => Look::Odd(
                format!("{listed}; number {id} has {objects} objects, and {damaged} damaged ones"),
                "mend them on the platform; until then, nothing counts as gone",
            ),
            Err(why) => Look::Odd(
                format!("{listed}; number {id} cannot be read: {}", self.peer.clean(&why)),
                "run the feed again; until then, nothing counts as gone",
            ),
        });
        Ok(())
    }
}

fn packaging(document: &Document) -> Look {
    let last = document.packaging_last_run_at.as_deref().unwrap_or("at a time that is not told");
    let what = format!("its packaging status is {}, its last run was {last}", document.status());
    if document.is_settled() {
        return Look::Good(what);
    }
    let cure = "nothing is taken until it is SUCCESS: wait for its run to end, or see on its page why it failed";
    Look::Odd(what, cure)
}
