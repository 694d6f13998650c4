//! Colours: whether what has a TLP tag, as the ledger says, still has it in MISP.
//!
//! The tags of attributes are proven with their rows where they can be foreseen. Everywhere else MISP counts how many
//! of those that are named carry a tag; where fewer do, they are halved until each that does not is found.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    delivery::{Call, RefusedWhy, Reply, Tagged, rows},
    model::{AttributeUuid, Tlp},
    plan::{DestinationRecord, KnownAttribute, KnownEvent, strictest_of},
};

use super::{Drift, Question, Stage, Subject, There, Verification};

/// Most attributes that one question names, 40 bytes each.
const NAMED_MAX: usize = 1_000;

/// What of an event has a colour in MISP, as the ledger says.
#[derive(Debug)]
pub(super) struct Colours {
    /// The strictest colour of the event itself, as MISP spells it.
    pub(super) event: Option<Box<str>>,
    /// Attributes with a colour of their own, and the colour.
    pub(super) own: Vec<(AttributeUuid, Box<str>)>,
    /// The tags of its attributes in MISP's list, where they can be foreseen and one of them is a colour.
    pub(super) cells: Option<BTreeMap<AttributeUuid, Box<str>>>,
}

impl Colours {
    pub(super) fn of(event: &KnownEvent, book: &DestinationRecord) -> Self {
        let there = event.attributes.iter().filter(|(_, known)| known.standing.is_in_misp());
        let is_ours =
            |(key, known): &(&AttributeUuid, &KnownAttribute)| known.attribute.uuid == **key;
        // What stands there under a UUID of others has the tags that they gave it.
        let own = there.clone().filter(is_ours).filter_map(|(key, known)| {
            let colour = strictest_of(&known.attribute.tags)?;
            Some((*key, book.spelling(colour).into()))
        });
        let own: Vec<(AttributeUuid, Box<str>)> = own.collect();
        let foreseen = !own.is_empty()
            && rows::foresees_tags(event, book.reorders())
            && there.clone().all(|each| is_ours(&each));
        Self {
            event: event.head.tags.strictest().map(|tag| tag.name.clone()),
            own,
            cells: foreseen.then(|| rows::cells(event, book)),
        }
    }
}

/// Who is asked whether they carry a tag.
#[derive(Debug)]
pub(super) enum Carriers {
    /// Attributes, each with the place of its event.
    Attributes(Vec<(usize, AttributeUuid)>),
    /// Events by their place, whose own tags count.
    Events(Vec<usize>),
}

impl Carriers {
    fn len(&self) -> usize {
        match self {
            Self::Attributes(them) => them.len(),
            Self::Events(them) => them.len(),
        }
    }

    fn parts(self, size: usize) -> Vec<Self> {
        match self {
            Self::Attributes(them) => {
                them.chunks(size).map(|some| Self::Attributes(some.to_vec())).collect()
            }
            Self::Events(them) => {
                them.chunks(size).map(|some| Self::Events(some.to_vec())).collect()
            }
        }
    }
}

impl Subject {
    fn is_there(&self) -> bool {
        self.finding.as_ref().is_some_and(|finding| finding.there == There::Yes)
    }

    /// The attributes with a colour of their own that are there, by colour.
    fn colours_there(&self) -> impl Iterator<Item = &(AttributeUuid, Box<str>)> {
        let differences = self.finding.iter().flat_map(|finding| &finding.differences);
        let gone: BTreeSet<AttributeUuid> = differences
            .filter(|one| matches!(one.drift, Drift::Deleted | Drift::Missing))
            .map(|one| one.attribute)
            .collect();
        self.colours.own.iter().filter(move |(attribute, _)| !gone.contains(attribute))
    }

    /// Compares the tags that MISP shows on the event with the colour that it is to have.
    pub(super) fn see_tags(&mut self, shown: &[Box<str>]) {
        let Some(colour) = self.colours.event.take() else { return };
        let strictest = shown.iter().filter_map(|tag| Tlp::of_tag(tag)).max();
        if let Some(finding) = &mut self.finding
            && strictest < Tlp::of_tag(&colour)
        {
            finding.lose_colour(&self.event, colour);
        }
    }
}

impl Verification {
    /// Asks how many events carry their colours. This comes first, as its answer also shows whether a 304 counts.
    pub(super) fn count_colours(&mut self) {
        let mut events: BTreeMap<Box<str>, Vec<usize>> = BTreeMap::new();
        for place in self.numbered() {
            if let Some(colour) = &self.subjects[place].colours.event {
                events.entry(colour.clone()).or_default().push(place);
            }
        }
        for (tag, them) in events {
            self.ask_who_carries(tag, Carriers::Events(them));
        }
    }

    /// Asks about all colours that are not proven yet, of the events that are there.
    pub(super) fn ask_for_colours(&mut self) {
        let mut attributes: BTreeMap<Box<str>, Vec<(usize, AttributeUuid)>> = BTreeMap::new();
        for (place, subject) in self.subjects.iter().enumerate().filter(|(_, it)| it.is_there()) {
            for (attribute, colour) in subject.colours_there() {
                attributes.entry(colour.clone()).or_default().push((place, *attribute));
            }
            if subject.colours.event.is_some() && subject.event.head.misp_id.is_none() {
                self.questions.push_back(Question::Tags(place));
            }
        }
        for (tag, them) in attributes {
            for part in Carriers::Attributes(them).parts(NAMED_MAX) {
                self.ask_who_carries(tag.clone(), part);
            }
        }
        for (tag, mut them, count) in std::mem::take(&mut self.short) {
            them.retain(|place| self.subjects[*place].is_there());
            if count < them.len() as u64 {
                self.look_closer(&tag, Carriers::Events(them), count);
            }
        }
    }

    fn ask_who_carries(&mut self, tag: Box<str>, who: Carriers) {
        self.questions.push_back(Question::Carry { tag, who });
    }

    /// How many of them carry a tag. Events go by MISP's numbers: their rows were proven by UUID, and in this order.
    pub(super) fn carry(&self, tag: &str, who: &Carriers) -> Call {
        let of = match who {
            Carriers::Attributes(them) => {
                Tagged::Attributes(them.iter().map(|(_, attribute)| *attribute).collect())
            }
            Carriers::Events(them) => {
                let number = |place: &usize| self.subjects[*place].event.head.misp_id;
                Tagged::Events(them.iter().filter_map(number).collect())
            }
        };
        Call::CountTagged { of, tag: tag.into() }
    }

    /// Takes in how many of them carry a tag.
    ///
    /// # Errors
    /// Gives an answer back that ends everything.
    pub(super) fn on_carried(
        &mut self,
        tag: Box<str>,
        who: Carriers,
        reply: Reply,
    ) -> Result<(), Reply> {
        match reply {
            Reply::Count(count) if count >= who.len() as u64 => {}
            Reply::Count(count) => match who {
                // Which of them are there is not known yet.
                Carriers::Events(them) if self.stage == Stage::Looking => {
                    self.short.push((tag, them, count));
                }
                who => self.look_closer(&tag, who, count),
            },
            // A limit of the server, perhaps.
            Reply::Refused { why, .. } if why != RefusedWhy::Key && who.len() > 1 => {
                self.look_closer(&tag, who, u64::MAX);
            }
            Reply::Refused { why, words } if why != RefusedWhy::Key => {
                self.on_silence(tag, who, &words);
            }
            Reply::Trouble(trouble) => self.on_silence(tag, who, trouble.why()),
            reply => return Err(reply),
        }
        Ok(())
    }

    /// Fewer than all of them carry the tag. A limit of the server may have cut the number: no part is larger than what
    /// was counted.
    fn look_closer(&mut self, tag: &str, who: Carriers, count: u64) {
        let size = usize::try_from(count).unwrap_or(usize::MAX).min(who.len() / 2);
        if size == 0 {
            return self.on_bare(tag, who);
        }
        for part in who.parts(size) {
            self.ask_who_carries(tag.into(), part);
        }
    }

    /// None of them carries the tag. An event may have a stricter one instead.
    fn on_bare(&mut self, tag: &str, who: Carriers) {
        match who {
            Carriers::Attributes(them) => {
                for (place, attribute) in them {
                    let Subject { event, finding, .. } = &mut self.subjects[place];
                    if let Some(finding) = finding {
                        finding.expose(event, attribute, tag);
                    }
                }
            }
            Carriers::Events(them) => {
                self.questions.extend(them.into_iter().map(Question::Tags));
            }
        }
    }

    /// MISP does not say. Events are then asked about one by one; attributes by halves, and nothing is known of an event
    /// of one of which it does not.
    fn on_silence(&mut self, tag: Box<str>, who: Carriers, why: &str) {
        match who {
            Carriers::Events(them) if self.stage == Stage::Looking => {
                self.short.push((tag, them, 0));
            }
            Carriers::Attributes(them) if them.len() == 1 => {
                them.into_iter().for_each(|(place, _)| self.leave(place, why));
            }
            Carriers::Events(_) => self.on_bare(&tag, who),
            Carriers::Attributes(_) => self.look_closer(&tag, who, u64::MAX),
        }
    }
}
