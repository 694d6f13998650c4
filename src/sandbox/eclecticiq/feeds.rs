//! The document of the feed, its lists of content blocks, and their download.

use serde_json::{Value, json};

use crate::sandbox::Reply;

use super::{
    Platform,
    answer::{self, Refusal, json_of, time},
    packaging::Which,
    setup::{Links, Strategy},
};

const TRANSPORT: &str = "eiq.outgoing-transports.http-download";

/// Which family of paths was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Public,
    Private,
}

impl Platform {
    /// The feed as its document has it. That of the private paths lacks what no client reads there, such as when
    /// the last run was.
    pub(super) fn feed_document(&self, family: Family) -> Value {
        let (feed, setup) = (&self.feed, &self.setup);
        let mut document = json!({
            "content_type": self.dataset.content().urn(),
            "created_at": time(feed.created_at),
            "id": setup.feed,
            "is_active": true,
            "name": format!("Outgoing feed {}", setup.feed),
            "packaging_status": feed.status.word(),
            "transport_type": TRANSPORT,
            "update_strategy": match setup.strategy {
                Strategy::Replace => "REPLACE",
                Strategy::Append => "APPEND",
                Strategy::Diff => "DIFF",
            },
        });
        if family == Family::Public {
            document["id"] = json!(setup.feed.to_string());
            document["last_triggered_at"] = json!(feed.last_run_at.map(time));
            document["last_updated_at"] = json!(time(feed.created_at));
            document["packaging_last_run_at"] = json!(feed.last_run_at.map(time));
            document["update_task"] = json!(format!("{}/api/v2/tasks/195", self.base_url));
        }
        document
    }

    /// The document of a feed by the number in a path.
    pub(super) fn feed_by_number(&self, number: &str, family: Family) -> Result<Reply, Refusal> {
        self.is_feed(number)?;
        Ok(json_of(&json!({"data": self.feed_document(family)})))
    }

    fn is_feed(&self, number: &str) -> Result<(), Refusal> {
        let is_it = number.parse() == Ok(self.setup.feed);
        is_it.then_some(()).ok_or_else(|| Refusal::not_found(format!("No outgoing feed {number}")))
    }

    /// What stands below the number of a feed in a download path. `place` is the path up to the number.
    pub(super) fn download(
        &self,
        place: &str,
        parts: &[&str],
        has_slash: bool,
    ) -> Result<Reply, Refusal> {
        let Some((number, parts)) = parts.split_first() else {
            return Err(Refusal::NotHere("the list of downloads".to_owned()));
        };
        self.is_feed(number)?;
        match parts {
            [] if !has_slash => Err(Refusal::Moved(format!("{place}/{number}/"))),
            [] => Ok(self.block_list(place, Which::All)),
            ["runs", "latest"] => Ok(self.block_list(place, Which::Latest)),
            ["runs", run, "content-blocks", block] => {
                let numbers = run.parse().ok().zip(block.parse().ok());
                let found = numbers.and_then(|(run, block)| self.feed.block(run, block));
                let found =
                    found.ok_or_else(|| Refusal::not_found(format!("No content block {block}")))?;
                Ok(answer::content("application/json", found.to_vec()))
            }
            _ => Err(Refusal::NotHere(format!("{place}/{number}/{}", parts.join("/")))),
        }
    }

    fn block_list(&self, place: &str, which: Which) -> Reply {
        let feed = self.setup.feed;
        let base = match self.setup.links {
            Links::Paths => "",
            Links::Urls => &self.base_url,
        };
        let blocks = self.feed.listed(which).into_iter();
        let mut links: Vec<String> = blocks
            .map(|(run, block)| format!("{base}{place}/{feed}/runs/{run}/content-blocks/{block}"))
            .collect();
        if self.setup.links == Links::Urls {
            links.sort();
        }
        json_of(&json!({"data": {"content_blocks": links}}))
    }
}
