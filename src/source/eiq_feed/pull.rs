//! One pull of a feed into its mirror.

use crate::{
    format::{Format, FormatError},
    mirror::{Bookmark, MirrorError, Pack, PackWriter, Pulled},
    model::limits::DOWNLOAD_BYTES_MAX,
    source::{
        count::count,
        peer::{PeerError, Rests, Wrong},
        unpack::TooLarge,
    },
};

use super::{
    EiqFeed, FeedError, Strategy,
    listing::{self, Block},
    mark::{Mark, UNREADABLE_MAX},
    standing::{Said, Standing},
};

/// How often a pull begins where something goes away under it.
const ROUNDS: usize = 3;

/// How a round ended.
enum Round {
    Done(Pulled),
    /// Something moved, or was gone, while it was read.
    Moved(String),
}

/// What became of a content block.
enum Taken {
    Sound,
    /// It cannot be read, in words.
    Unreadable(String),
    /// It cannot be had any more.
    Gone(String),
}

/// What is listed, and how the feed stood then.
struct Listed {
    standing: Standing,
    blocks: Vec<Block>,
    /// What the list comes to.
    digest: String,
}

impl Listed {
    fn has(&self, id: u64) -> bool {
        self.blocks.binary_search_by_key(&id, |block| block.id).is_ok()
    }

    /// The mark of somebody who took all of it.
    fn all(&self, unreadable: Vec<u64>) -> Mark {
        Mark {
            last_run_at: self.standing.last_run_at.clone(),
            list: Some(self.digest.clone()),
            last: self.blocks.last().map(|block| block.id),
            unreadable,
            ..self.standing.fresh()
        }
    }
}

pub(super) async fn pull<T: Rests>(
    feed: &mut EiqFeed<T>,
    since: Option<&Bookmark>,
    into: &mut PackWriter<'_>,
) -> Result<Pulled, FeedError> {
    let mut pulling = Pulling { feed, mark: since.and_then(Mark::read), pulled: Pulled::Unchanged };
    let mut moved = String::new();
    for round in 1..=ROUNDS {
        match pulling.round(into, round == ROUNDS).await? {
            Round::Done(pulled) => return Ok(pulled),
            Round::Moved(what) => moved = what,
        }
    }
    Err(FeedError::Restless { what: moved })
}

/// A pull under way.
struct Pulling<'f, T> {
    feed: &'f mut EiqFeed<T>,
    /// Where the mirror stands.
    mark: Option<Mark>,
    /// What came so far.
    pulled: Pulled,
}

impl<T: Rests> Pulling<'_, T> {
    async fn round(
        &mut self,
        into: &mut PackWriter<'_>,
        is_last: bool,
    ) -> Result<Round, FeedError> {
        let standing = match self.feed.said().await? {
            Said::Settled(standing) => standing,
            Said::Unsettled(status) => {
                self.feed.note(&format!(
                    "its packaging status is {status}, not SUCCESS: nothing is taken of it for now"
                ));
                return Ok(Round::Done(self.pulled));
            }
        };
        let mark = self.mark.clone().filter(|mark| standing.is_of(mark));
        let knows =
            |mark: &Mark| mark.last_run_at.is_some() && mark.last_run_at == standing.last_run_at;
        if mark.as_ref().is_some_and(|mark| knows(mark) && mark.unreadable.is_empty()) {
            return Ok(Round::Done(self.pulled));
        }
        let blocks = match self.feed.list(standing.strategy).await {
            Ok(blocks) => blocks,
            Err(FeedError::Peer(error))
                if matches!(error.wrong, Wrong::Missing { .. }) && !is_last =>
            {
                return Ok(Round::Moved(error.to_string()));
            }
            Err(error) => return Err(error),
        };
        if blocks.is_empty() {
            self.feed.note("no content block is listed, which says nothing of what there is: nothing is taken of it");
            return Ok(Round::Done(self.pulled));
        }
        let listed = Listed { digest: listing::digest(&blocks), standing, blocks };
        // A list of which all is known need not stand still.
        let is_known = mark.as_ref().is_some_and(|mark| {
            mark.list.as_ref() == Some(&listed.digest) && mark.unreadable.is_empty()
        });
        if is_known {
            return Ok(Round::Done(self.pulled));
        }
        if !self.feed.stands(&listed.standing, &listed.blocks).await? {
            return Ok(Round::Moved("a run of it began or ended".to_owned()));
        }
        match listed.standing.strategy {
            Strategy::Replace => self.replace(&listed, mark, into).await,
            Strategy::Append => self.append(&listed, mark, into, is_last).await,
        }
    }

    /// All blocks of the latest run, as one pack that forgets what came before.
    async fn replace(
        &mut self,
        listed: &Listed,
        mark: Option<Mark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Round, FeedError> {
        if let Some(mark) = mark.filter(|mark| mark.list.as_ref() == Some(&listed.digest))
            && !self.is_any_sound(listed, &mark).await?
        {
            return Ok(Round::Done(self.pulled));
        }
        let identity = self.feed.full_identity(&listed.standing);
        let goes_on = into.unfinished().and_then(|(source, bookmark)| {
            let mark = Mark::read(bookmark).filter(|_| *source == identity)?;
            let is_it = listed.standing.is_of(&mark) && mark.list.as_ref() == Some(&listed.digest);
            is_it.then_some(mark.last)?
        });
        let mut pack = match goes_on {
            Some(_) => into.resume()?.expect("there is one to go on with"),
            None => into.whole(&identity)?,
        };
        let rest = listed.blocks.iter().filter(|block| goes_on.is_none_or(|last| block.id > last));
        for block in rest {
            match self.take(block, listed.standing.format, &mut pack).await? {
                Taken::Sound => {}
                Taken::Gone(why) => return Ok(Round::Moved(why)),
                // The others are taken once more, as changes: what only this one holds must not count as gone.
                Taken::Unreadable(_) => {
                    drop(pack);
                    return self.replace_in_part(listed, into).await;
                }
            }
            pack.checkpoint(&Mark { last: Some(block.id), ..listed.all(Vec::new()) }.bookmark())?;
        }
        self.end(pack, listed.all(Vec::new()))
    }

    /// All blocks of the latest run but those that cannot be read, as changes.
    async fn replace_in_part(
        &mut self,
        listed: &Listed,
        into: &mut PackWriter<'_>,
    ) -> Result<Round, FeedError> {
        let mut pack = into.delta(&self.feed.full_identity(&listed.standing))?;
        let mut unreadable = Vec::new();
        for block in &listed.blocks {
            match self.take(block, listed.standing.format, &mut pack).await? {
                Taken::Sound => {}
                Taken::Gone(why) => return Ok(Round::Moved(why)),
                Taken::Unreadable(why) => {
                    self.unreadable(
                        block,
                        &why,
                        listed.standing.format,
                        &mut pack,
                        &mut unreadable,
                    )?;
                }
            }
        }
        self.end(pack, listed.all(unreadable))
    }

    /// The blocks after the last one known, each as a pack of its own.
    async fn append(
        &mut self,
        listed: &Listed,
        mark: Option<Mark>,
        into: &mut PackWriter<'_>,
        is_last: bool,
    ) -> Result<Round, FeedError> {
        let mut mark = match mark {
            Some(mark) if mark.last.is_some_and(|last| listed.has(last)) => mark,
            Some(_) => {
                self.feed.note(
                    "the last content block known is in its list no more: all are read again",
                );
                listed.standing.fresh()
            }
            None => listed.standing.fresh(),
        };
        mark.unreadable.retain(|id| listed.has(*id));
        // What comes late must not come after what is newer.
        for id in mark.unreadable.clone() {
            let place = listed.blocks.iter().find(|block| block.id == id);
            if let Some(block) = place
                && self.is_sound(block, listed.standing.format).await?
            {
                mark.last =
                    listed.blocks.iter().map(|block| block.id).take_while(|it| *it < id).last();
                mark.unreadable.retain(|it| *it < id);
                break;
            }
        }
        // Until the last of them, nobody may take the list for known.
        (mark.list, mark.last_run_at) = (None, None);
        let (identity, from) = (self.feed.full_identity(&listed.standing), mark.last);
        for block in listed.blocks.iter().filter(|block| from.is_none_or(|last| block.id > last)) {
            let mut pack = into.delta(&identity)?;
            match self.take(block, listed.standing.format, &mut pack).await? {
                Taken::Sound => {}
                Taken::Gone(why) if !is_last => return Ok(Round::Moved(why)),
                Taken::Gone(why) | Taken::Unreadable(why) => {
                    let format = listed.standing.format;
                    self.unreadable(block, &why, format, &mut pack, &mut mark.unreadable)?;
                }
            }
            mark.last = Some(block.id);
            if Some(block) == listed.blocks.last() {
                mark = listed.all(std::mem::take(&mut mark.unreadable));
            }
            self.end(pack, mark.clone())?;
        }
        Ok(Round::Done(self.pulled))
    }

    fn end(&mut self, pack: Pack<'_, '_>, mark: Mark) -> Result<Round, FeedError> {
        let pulled = pack.end(&mark.bookmark())?;
        if pulled != Pulled::Unchanged {
            self.pulled = pulled;
        }
        self.mark = Some(mark);
        Ok(Round::Done(self.pulled))
    }

    /// Downloads a block and puts it into a pack.
    async fn take(
        &self,
        block: &Block,
        format: Format,
        pack: &mut Pack<'_, '_>,
    ) -> Result<Taken, FeedError> {
        let body = match self.feed.peer.get(&block.path, DOWNLOAD_BYTES_MAX).await {
            Ok(body) => body,
            Err(error) => return gone(error),
        };
        let taken = match body.reader() {
            Ok(reader) => pack.document(&self.name(block), format, reader),
            Err(error) => return Ok(Taken::Unreadable(error.to_string())),
        };
        match taken {
            Ok(_) => Ok(Taken::Sound),
            Err(MirrorError::Format(error)) => unreadable(block, &error),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether one of the blocks that could not be read can be read by now.
    async fn is_any_sound(&mut self, listed: &Listed, mark: &Mark) -> Result<bool, FeedError> {
        for block in listed.blocks.iter().filter(|block| mark.unreadable.contains(&block.id)) {
            if self.is_sound(block, listed.standing.format).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a block that could not be read can be read by now; says so if not.
    async fn is_sound(&mut self, block: &Block, format: Format) -> Result<bool, FeedError> {
        let taken = match self.feed.peer.get(&block.path, DOWNLOAD_BYTES_MAX).await {
            Ok(body) => match body.reader() {
                Ok(reader) => count(&self.name(block), format, reader)
                    .map_or_else(|error| unreadable(block, &error), |_| Ok(Taken::Sound))?,
                Err(error) => Taken::Unreadable(error.to_string()),
            },
            Err(error) => gone(error)?,
        };
        match taken {
            Taken::Sound => Ok(true),
            Taken::Unreadable(why) | Taken::Gone(why) => {
                self.feed.note(&format!("content block {} still cannot be read: {why}", block.id));
                Ok(false)
            }
        }
    }

    /// Says that a block cannot be read, and has the mirror remember it.
    fn unreadable(
        &mut self,
        block: &Block,
        why: &str,
        format: Format,
        pack: &mut Pack<'_, '_>,
        all: &mut Vec<u64>,
    ) -> Result<(), FeedError> {
        self.feed.note(&format!(
            "content block {} cannot be read: {why}; the others are taken, and nothing counts as gone",
            block.id
        ));
        all.push(block.id);
        if all.len() > UNREADABLE_MAX {
            return Err(FeedError::Unreadable { count: all.len() });
        }
        // Something in its place that is no object either.
        let stand_in: &[u8] = match format {
            Format::Stix21 => br#"{"type":"bundle","objects":[0]}"#,
            Format::EclecticIq | Format::Auto => {
                br#"{"content-type":"urn:eclecticiq.com:json:2.0","entities":[0]}"#
            }
        };
        pack.document(&self.name(block), format, stand_in)?;
        Ok(())
    }

    /// What a block is called in the mirror; the same whenever it is read.
    fn name(&self, block: &Block) -> String {
        format!("feed {} block {}", self.feed.feed, block.id)
    }
}

fn gone(error: PeerError) -> Result<Taken, FeedError> {
    match error.wrong {
        Wrong::Missing { .. } => Ok(Taken::Gone(error.to_string())),
        _ => Err(error.into()),
    }
}

fn unreadable(block: &Block, error: &FormatError) -> Result<Taken, FeedError> {
    if let FormatError::Unreadable { error, .. } = error
        && error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<TooLarge>)
    {
        return Err(FeedError::BlockTooLarge { block: block.id });
    }
    Ok(Taken::Unreadable(error.fault().cause))
}
