//! One pull of the entities of a feed into its mirror.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    format::{self, Format},
    mirror::{Bookmark, Pack, PackWriter, Pulled},
    model::Timestamp,
    source::peer::{PeerError, Rests, Wrong},
};

use super::{
    ApiError, EiqApi, OVERLAP_SECONDS, element,
    links::{self, End, Links},
    list::{Row, Walk},
    mark::Mark,
};

/// Entities of the mirror by id, in the form of the mirror, and when each last changed.
type Mirrored = BTreeMap<Box<str>, Timestamp>;

pub(super) async fn pull<T: Rests>(
    api: &EiqApi<T>,
    since: Option<&Bookmark>,
    into: &mut PackWriter<'_>,
) -> Result<Pulled, ApiError> {
    let mirrored = mirrored(into)?;
    let Some(mark) = since.and_then(Mark::read) else {
        return api.whole(&mirrored, into).await;
    };
    // Changes first: a platform that cannot be read as a whole for long can still be followed.
    let (changes, now) = api.changes(&mark, &mirrored, into).await?;
    if mark.wants_whole(now) { api.whole(&mirrored, into).await } else { Ok(changes) }
}

/// What a mirror holds of entities.
fn mirrored(into: &PackWriter<'_>) -> Result<Mirrored, ApiError> {
    #[derive(Deserialize)]
    struct Entity<'a> {
        #[serde(borrow)]
        last_updated_at: std::borrow::Cow<'a, str>,
        /// What a relationship has not.
        #[serde(rename = "observables")]
        _observables: serde::de::IgnoredAny,
    }
    let mut mirrored = Mirrored::new();
    into.objects(|object| {
        let entity: Option<Entity<'_>> = serde_json::from_slice(object.piece.raw).ok();
        let updated = entity.and_then(|it| Timestamp::parse(&it.last_updated_at).ok());
        if let Some(updated) = updated {
            mirrored.insert(object.id.into(), updated);
        }
    })?;
    Ok(mirrored)
}

/// Where all entities are asked about, each relationship begins at one of them.
pub(super) const BEGINNINGS: &[End] = &[End::Source];
const BOTH_ENDS: &[End] = &[End::Source, End::Target];

impl<T: Rests> EiqApi<T> {
    /// All entities. Those that are in the mirror and were not listed are asked for one by one.
    async fn whole(
        &self,
        mirrored: &Mirrored,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, ApiError> {
        let mut pack = into.whole(&self.identity())?;
        let mut listed = BTreeSet::new();
        let mut newest = None;
        let mut walk = self.entities(None);
        while let Some(rows) = walk.next().await? {
            for row in rows {
                self.take(&row, BEGINNINGS, &mut pack).await?;
                newest = newest.max(Some(row.updated));
                listed.insert(format::name_of(&row.id, Format::EclecticIq));
            }
        }
        for id in mirrored.keys().filter(|id| !listed.contains(*id)) {
            if let Some(row) = self.entity(id).await?.filter(|row| self.is_ours(row)) {
                self.take(&row, BEGINNINGS, &mut pack).await?;
            }
        }
        Ok(pack.end(&Mark::new(up_to(newest, walk.begun), walk.begun).bookmark())?)
    }

    /// Entities that changed, and what time the platform says it is.
    async fn changes(
        &self,
        mark: &Mark,
        mirrored: &Mirrored,
        into: &mut PackWriter<'_>,
    ) -> Result<(Pulled, Option<Timestamp>), ApiError> {
        let mut pack = into.delta(&self.identity())?;
        let after = mark.until.map(|until| until.plus_seconds(-OVERLAP_SECONDS));
        let mut newest = mark.until;
        let mut walk = self.entities(after);
        while let Some(rows) = walk.next().await? {
            for row in rows {
                newest = newest.max(Some(row.updated));
                let id = format::name_of(&row.id, Format::EclecticIq);
                if mirrored.get(&id) != Some(&row.updated) {
                    self.take(&row, BOTH_ENDS, &mut pack).await?;
                }
            }
        }
        let until = up_to(newest, walk.begun).max(mark.until);
        let pulled = pack.end(&Mark::new(until, mark.whole_at).bookmark())?;
        Ok((pulled, walk.begun))
    }

    fn entities(&self, after: Option<Timestamp>) -> Walk<'_, T> {
        let filter = ("filter[outgoing_feeds]", self.feed.to_string());
        Walk::new(&self.peer, "api/v2/entities", filter, after)
    }

    /// Puts an entity with its observables and relationships into a pack. One that is gone by now is left out.
    async fn take(&self, row: &Row, ends: &[End], pack: &mut Pack<'_, '_>) -> Result<(), ApiError> {
        if !self.is_ours(row) {
            return Err(ApiError::OtherFeed { feed: self.feed, entity: row.id.clone() });
        }
        let (observables, relationships) = match self.around(row, ends).await {
            Ok(around) => around,
            Err(error) if is_missing(&error) && self.entity(&row.id).await?.is_none() => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let text = element::package(&row.raw, &observables, &relationships)
            .expect("a row that has an id is an object");
        let name = format!("feed {} entity {}", self.feed, row.id);
        pack.document(&name, Format::EclecticIq, text.as_bytes())?;
        Ok(())
    }

    /// The observables and relationships of an entity.
    pub(super) async fn around(
        &self,
        entity: &Row,
        ends: &[End],
    ) -> Result<(Vec<Box<RawValue>>, Vec<Box<RawValue>>), ApiError> {
        tokio::try_join!(self.observables(entity), self.relationships(entity, ends))
    }

    /// The observables of an entity: what is listed for it, and what it names beside.
    async fn observables(&self, entity: &Row) -> Result<Vec<Box<RawValue>>, ApiError> {
        const PATH: &str = "api/v2/observables";
        let links = Links::of(entity);
        let is_its = |row: &Row| links::has(entity, &links, row);
        let listed = self.listed(PATH, "filter[entities]", entity, is_its).await?;
        // Of one that changed on the way, the last.
        let mut by_id: BTreeMap<Box<str>, Box<RawValue>> =
            listed.into_iter().map(|row| (row.id, row.raw)).collect();
        for id in &links.observables {
            if !by_id.contains_key(id)
                && let Some(raw) = self.one(PATH, id).await?
            {
                by_id.insert(id.clone(), raw);
            }
        }
        Ok(by_id.into_values().collect())
    }

    async fn relationships(
        &self,
        entity: &Row,
        ends: &[End],
    ) -> Result<Vec<Box<RawValue>>, ApiError> {
        let mut all = Vec::new();
        for end in ends {
            let is_its = |row: &Row| links::is_at(row, *end, entity);
            all.extend(self.listed("api/v2/relationships", end.filter(), entity, is_its).await?);
        }
        Ok(all.into_iter().map(|row| row.raw).collect())
    }

    /// The rows of a list that belong to an entity. One that does not say so itself may be meant for others.
    async fn listed(
        &self,
        path: &'static str,
        filter: &'static str,
        entity: &Row,
        is_its: impl Fn(&Row) -> bool,
    ) -> Result<Vec<Row>, ApiError> {
        let rows = Walk::new(&self.peer, path, (filter, entity.id.to_string()), None).all().await?;
        match rows.iter().find(|row| !is_its(row)) {
            None => Ok(rows),
            Some(row) => Err(ApiError::Listing {
                url: format!("{}{path}?{filter}={}", self.peer.base(), entity.id),
                what: format!("row {} is listed, and does not say that it belongs there", row.id),
            }),
        }
    }

    /// An entity, whether it is in the feed or not; none if there is none.
    async fn entity(&self, id: &str) -> Result<Option<Row>, ApiError> {
        let Some(raw) = self.one("api/v2/entities", id).await? else { return Ok(None) };
        let url = format!("{}api/v2/entities/{id}", self.peer.base());
        Row::read(raw).map(Some).map_err(|what| ApiError::Listing { url, what })
    }

    async fn one(&self, list: &str, id: &str) -> Result<Option<Box<RawValue>>, ApiError> {
        #[derive(Deserialize)]
        struct Envelope {
            data: Box<RawValue>,
        }
        match self.peer.document::<Envelope>(&format!("{list}/{id}"), &[]).await {
            Ok(answer) => Ok(Some(answer.content.data)),
            Err(PeerError { wrong: Wrong::Missing { .. }, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether an entity says that it is in the feed.
    pub(super) fn is_ours(&self, entity: &Row) -> bool {
        let feed = self.feed.to_string();
        Links::of(entity).feeds.iter().any(|id| **id == feed)
    }
}

/// Up to when all changes are known: the newest that came, but not beyond when the reading began.
fn up_to(newest: Option<Timestamp>, begun: Option<Timestamp>) -> Option<Timestamp> {
    match (newest, begun) {
        (Some(newest), Some(begun)) => Some(newest.min(begun)),
        _ => None,
    }
}

fn is_missing(error: &ApiError) -> bool {
    matches!(error, ApiError::Peer(PeerError { wrong: Wrong::Missing { .. }, .. }))
}
