//! The MISP that a run speaks to: who it is, whether it is the one that the ledger knows, and what time it has.

use std::{sync::Arc, time::Duration};

use crate::{
    delivery::{Call, Reply, Session, Wire},
    history::{Commit, EventUpdate, Ledger},
    model::{EventUuid, Timestamp},
    plan::{Awaits, DestinationRecord, EventPlan, Publish, Refusal},
};

use super::{
    super::{
        Asking, Careful, Ending, Job, Phase,
        allowance::Allowance,
        asking::{Limit, long_wait},
        learn::{LearnError, WantedTags},
        lost::{self, Finding, Gone},
        planner::Planner,
        which::{has_moved, holds_anything, is_at_new_url, whose},
    },
    Halt, Mode, Run,
};

/// A run that sends at least so many attributes asks MISP anew who it is, once a day.
const ASK_AGAIN_ATTRIBUTES: usize = 100;
const ASK_AGAIN_SECONDS: i64 = 24 * 3_600;
/// Once a week a run that sends anything asks whether MISP takes by now what it refused of tags that nothing waits
/// for.
const ASK_ABOUT_TAGS_SECONDS: i64 = 7 * ASK_AGAIN_SECONDS;
/// So long what was heard of MISP's clock is relied on.
const HEARD_HOLDS: Duration = Duration::from_secs(3_600);

/// Whether what was heard of MISP's clock still holds.
pub(in super::super) fn is_heard(record: &DestinationRecord, now: Timestamp) -> bool {
    record.heard.is_some_and(|at| at <= now && now <= at.after(HEARD_HOLDS))
}

/// What a run knows of whom it speaks to, the destination's record aside.
pub(super) struct Contact<W> {
    pub(super) wire: Arc<Careful<Arc<W>>>,
    identity: Identity,
    /// Its clock was asked for in this run.
    heard: bool,
    /// The store knew of no event there when the run began.
    pub(super) knows_nothing: bool,
    /// Whether it was looked at what it holds.
    pub(super) verified: Verified,
    /// What became known of events that it does not know.
    gone: Gone,
    /// Until then it rests, and somebody was told.
    told_until: Timestamp,
}

/// Whether it is known who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// Not by this key at this address.
    Unknown,
    Known,
    /// It was asked since the session was last told.
    Renewed,
}

/// Whether it was looked at in this run what MISP holds of what was sent before. Once is enough: a run only gets less of
/// what it may transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verified {
    NotYet,
    /// It would have taken more than is left, or no answer came.
    PassedOver,
    Yes,
}

impl<W: Wire + Send + Sync + 'static> Contact<W> {
    pub(super) fn new(job: &Job, wire: Arc<W>, planner: &Planner<'_>) -> Self {
        let is_known = is_known(job, &planner.record, wire.key_mark());
        Self {
            wire: Arc::new(Careful::new(wire)),
            identity: if is_known { Identity::Known } else { Identity::Unknown },
            heard: false,
            knows_nothing: planner.knows_nothing(),
            verified: Verified::NotYet,
            gone: Gone::default(),
            told_until: Timestamp::from_seconds(0),
        }
    }

    pub(super) fn allowance(&self) -> &Allowance {
        &self.wire.allowance
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.identity == Identity::Unknown
    }

    /// What the session learns of tags decides about the next plans, and what the run learns about the session.
    pub(super) fn share(&mut self, record: &mut DestinationRecord, session: &mut Session) {
        if self.identity == Identity::Renewed {
            self.identity = Identity::Known;
            session.learned(record);
        }
        record.take_lessons(session.book());
    }

    /// Why nothing happens until then, once for each long wait.
    pub(super) fn wait_note(
        &mut self,
        session: &Session,
        now: Timestamp,
        until: Option<Timestamp>,
    ) -> Option<String> {
        let until = until.filter(|until| *until > self.told_until)?;
        let rest = long_wait(now, until)?;
        self.told_until = until;
        Some(format!("{rest}: {}", session.last_trouble()))
    }
}

/// Whether it is known who answers this key, as far as it can be told from another, at this address.
pub(in super::super) fn is_known(job: &Job, record: &DestinationRecord, key: Option<u64>) -> bool {
    record.url == job.url
        && record.key_mark.zip(key).is_none_or(|(known, now)| known == now)
        && record.asked.is_some()
        && record.user.is_some()
}

/// Whether it is asked anew who this key is, where something depends on it.
pub(super) fn is_asked_long_ago(record: &DestinationRecord, now: Timestamp) -> bool {
    is_older(record, now, ASK_AGAIN_SECONDS)
}

fn is_older(record: &DestinationRecord, now: Timestamp, holds: i64) -> bool {
    let age = now.seconds() - record.asked.map_or(0, Timestamp::seconds);
    // What seems to be of the future is of a clock that was set back, and of any age.
    !(0..=holds).contains(&age)
}

/// What has to be known of MISP before a plan is carried out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Before {
    /// Who it is, and which tags it has.
    Identity,
    /// What time it has.
    Clock,
    /// Whether it still holds what was sent.
    Holdings,
}

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Questions to MISP, counted as this run's.
    pub(super) fn asking(&mut self) -> Asking<'_, Careful<Arc<W>>> {
        Asking {
            wire: &self.contact.wire,
            record: &mut self.planner.record,
            clock: self.world.clock,
            backoff: self.job.backoff,
            tally: &mut self.totals.record.tally,
            limit: Limit::Weighed(self.contact.allowance()),
        }
    }

    /// The same of what nothing can go without: who MISP is, and what time it has.
    fn asking_first(&mut self) -> Asking<'_, Careful<Arc<W>>> {
        let asking = self.asking();
        Asking { limit: Limit::Once(&asking.wire.allowance), ..asking }
    }

    /// Asks one question, if there is time.
    pub(super) async fn ask(&mut self, call: &Call) -> Result<Reply, Ending> {
        let world = self.world;
        world.before_deadline(self.asking().ask(call)).await
    }

    /// Asks first what a plan rests on, where it is not known. Whether anything new is known: the plan may be
    /// another then.
    pub(super) async fn ask_before(
        &mut self,
        what: Before,
        plan: &EventPlan,
    ) -> Result<bool, Halt> {
        let world = self.world;
        match what {
            Before::Identity if self.has_to_learn(plan) => self.learn().await?,
            Before::Clock if self.has_to_hear(plan) => {
                self.contact.heard = true;
                world.before_deadline(self.asking_first().greet()).await??;
            }
            Before::Holdings if plan.needs_misp() => {
                return self.verify_if_due(plan.event.head.uuid).await;
            }
            Before::Identity | Before::Clock | Before::Holdings => return Ok(false),
        }
        Ok(true)
    }

    /// Whether MISP has to be asked who it is before a plan is carried out. What waits for a tag is a
    /// reason to ask, too: the tag may be there by now.
    fn has_to_learn(&self, plan: &EventPlan) -> bool {
        // Whose an event is may be right for another key, or other rights, and so who may see it.
        let kept =
            matches!(&plan.refusal, Some(Refusal::Blocked(why)) if why.awaits() == Awaits::Misp);
        let waits_for_right = plan.event.head.publishing.waits_for_right(self.job.settings.publish);
        let unpublished = waits_for_right || self.would_stay_unpublished(plan);
        let waits = plan.lacks_a_tag() || unpublished || kept;
        let (record, now) = (&self.planner.record, self.world.clock.now());
        let again = (is_asked_long_ago(record, now)
            && (waits || plan.send.len() >= ASK_AGAIN_ATTRIBUTES))
            || (is_older(record, now, ASK_ABOUT_TAGS_SECONDS) && self.planner.has_refused_tags());
        (waits || plan.needs_misp()) && (self.contact.is_unknown() || again)
    }

    /// Whether the event would not be published after this for lack of a right, which the key may have by now.
    fn would_stay_unpublished(&self, plan: &EventPlan) -> bool {
        let publishes = self.job.settings.publish != Publish::Never && plan.needs_misp();
        publishes && !self.planner.record.may("perm_publish")
    }

    /// Whether MISP's clock has to be asked for before a plan is carried out, as its attributes get their
    /// timestamps by it: what was heard of it an hour ago says nothing where a clock was set since.
    fn has_to_hear(&self, plan: &EventPlan) -> bool {
        let now = self.world.clock.now();
        plan.needs_misp() && !is_heard(&self.planner.record, now) && !self.contact.heard
    }

    /// Asks MISP who it is, and takes over what it says once it is known to be the one that the ledger knows.
    pub(super) async fn learn(&mut self) -> Result<(), Halt> {
        self.totals.tell_progress(Phase::Asking);
        let before = self.planner.record.clone();
        let mut shown = match self.learn_beside(&before).await {
            Ok(shown) => shown,
            Err(halt) => {
                // Whose answers these are is not known, or is known to be a stranger.
                self.planner.record = before;
                return Err(halt);
            }
        };
        self.contact.identity = Identity::Renewed;
        let record = &self.planner.record;
        // Events that were passed over before this may hold refusals of the version or the rights before.
        let as_before =
            before.version == record.version && before.all_tag_terms() == record.all_tag_terms();
        self.remains.settle(before.version.is_empty() || as_before);
        self.journal.gather_destination(record.clone());
        let is_admin = record.may("perm_site_admin");
        // In the same step: who is known by then is not asked again for this.
        if !shown.is_empty() {
            for EventUpdate { head, .. } in &mut shown {
                self.stir(head)?;
                self.planner.learn_head(head.clone());
            }
            self.commit(Commit { events: shown, ..Commit::default() })?;
        }
        if is_admin {
            self.totals.note(
                "the key is a site administrator's: a key with the role Sync user or User is enough",
            );
        }
        Ok(())
    }

    /// Gives the events that it shows by now.
    async fn learn_beside(&mut self, before: &DestinationRecord) -> Result<Vec<EventUpdate>, Halt> {
        let (job, world) = (self.job, self.world);
        self.planner.record.url.clone_from(&job.url);
        let wanted = WantedTags { always: &job.settings.tags, of_events: &[] };
        world.before_deadline(self.asking_first().learn(wanted)).await??;
        // Whoever has the store learn what MISP holds says with it that it is this MISP.
        if has_moved(before, &self.planner.record) && self.mode == Mode::Deliver {
            self.is_the_known_one(before).await?;
        }
        match self.planner.record.may_see_more_than(before) {
            true => self.look_for_hidden().await,
            false => Ok(Vec::new()),
        }
    }

    /// An address at which MISP was not asked yet proves nothing of what was sent, even where nothing is to be sent.
    pub(super) async fn ask_at_new_url(&mut self) -> Result<(), Halt> {
        match is_at_new_url(&self.planner.record, &self.job.url) {
            true => self.learn().await,
            false => Ok(()),
        }
    }

    /// Refuses a MISP that is not the one to which the ledger says that something was sent.
    async fn is_the_known_one(&mut self, before: &DestinationRecord) -> Result<(), Halt> {
        let ledger = &*self.journal.ledger;
        if !holds_anything(ledger, &self.job.destination)? {
            return Ok(());
        }
        if let Some(other) = whose(ledger, &self.job.destination, before, &self.planner.record)? {
            return Err(Ending::MispOf(other).into());
        }
        match self.is_stranger().await? {
            true => Err(Ending::AnotherMisp.into()),
            false => Ok(()),
        }
    }

    /// Whether the MISP behind a new address, or for a key of another organisation, is not the one that
    /// the ledger knows.
    async fn is_stranger(&mut self) -> Result<bool, Halt> {
        let is_another = |call: &Call, reply: &Reply| lost::is_stranger(call, reply) == Some(true);
        let asked = self.which_are_there(is_another).await?;
        let Some((call, reply)) = asked else { return Ok(false) };
        lost::is_stranger(&call, &reply).ok_or_else(|| {
            let why = "it does not say which of the events delivered before it holds".into();
            LearnError::Unreachable { url: self.job.url.clone(), why }.into()
        })
    }

    /// Asks which events MISP shows by now that it hid. Where no answer came they stay as they are until the next time.
    async fn look_for_hidden(&mut self) -> Result<Vec<EventUpdate>, Halt> {
        let hidden = self.planner.heads().filter(|head| head.is_hidden());
        let mut hidden: Vec<EventUuid> = hidden.map(|head| head.uuid).collect();
        // Where not all are looked for, others are the next time.
        hidden.sort_by_cached_key(|event| self.planner.rank(*event));
        // What is to be sent has its part of the limit.
        let kept = self.contact.allowance().spare().map_or(0, |spare| spare / 2);
        let (mut updates, mut left) = (Vec::new(), &hidden[..]);
        while !left.is_empty() {
            let fits = self.contact.allowance().events_that_fit(kept);
            let (asked, later) = left.split_at(fits.min(left.len()));
            if asked.is_empty() {
                let count = left.len();
                self.totals.note(&format!(
                    "{count} events that MISP hides were not looked for, as that may take more than max_transfer \
                     leaves: others are the next time"
                ));
                self.look_again_next_time();
                break;
            }
            left = later;
            let reply = self.ask(&Call::WhichEvents(asked.to_vec())).await?;
            let Reply::WhichEvents(shown) = reply else {
                self.look_again_next_time();
                break;
            };
            for found in shown.iter().filter(|found| asked.contains(&found.event)) {
                let Some(mut head) = self.planner.head(found.event).cloned() else { continue };
                head.show(found.orgc, &self.job.settings, &self.planner.record);
                updates.push(EventUpdate::of(head));
            }
        }
        Ok(updates)
    }

    /// Who asks is learned anew by the next run, and with it what is shown is asked again.
    const fn look_again_next_time(&mut self) {
        self.planner.record.user = None;
    }

    /// MISP does not know an event of ours: one question decides whether the event alone is lost. `false`: it was
    /// not answered. Of very many such events it is asked for the first, the second, the fourth, and so on.
    ///
    /// # Errors
    /// Also if most of what we know is not there: it is another MISP.
    pub(super) async fn is_lost_alone(&mut self) -> Result<bool, Halt> {
        if !self.contact.gone.is_to_be_asked() {
            return Ok(true);
        }
        let is_another =
            |call: &Call, reply: &Reply| lost::finding(call, reply) == Some(Finding::AnotherMisp);
        let finding = match self.which_are_there(is_another).await? {
            Some((call, reply)) => lost::finding(&call, &reply),
            None => Some(Finding::SameMisp),
        };
        match finding {
            Some(Finding::SameMisp) => self.contact.gone.are_lost_alone(),
            Some(Finding::AnotherMisp) => return Err(Ending::AnotherMisp.into()),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Asks which of the events we know are there, of as many as there is room for, and of some always; `None` if we know
    /// none. A few may be gone by accident: what looks like another MISP then is asked of all that go into one question.
    async fn which_are_there(
        &mut self,
        is_another: impl Fn(&Call, &Reply) -> bool,
    ) -> Result<Option<(Call, Reply)>, Halt> {
        let heads = self.journal.ledger.heads(&self.job.destination)?;
        let fits = self.contact.allowance().events_that_fit(0);
        let Some(call) = lost::question(heads.iter(), fits) else { return Ok(None) };
        let world = self.world;
        let reply = world.before_deadline(self.asking_first().ask(&call)).await?;
        if !is_another(&call, &reply) {
            return Ok(Some((call, reply)));
        }
        let whole = lost::question(heads.iter(), usize::MAX).filter(|whole| *whole != call);
        let Some(whole) = whole else { return Ok(Some((call, reply))) };
        let reply = world.before_deadline(self.asking_first().ask(&whole)).await?;
        Ok(Some((whole, reply)))
    }
}
