//! Every answer that a ledger gives about random commits.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use crate::{
    history::{Ledger, LedgerError, LossOf, LossPlace},
    model::{Context, Digest, Encoder, RunNumber},
};

use super::script::{destinations, events, feeds};

/// Every answer that a ledger gives, as text, in a fixed order; an error is one of its own.
pub(in super::super) fn answers(ledger: &dyn Ledger) -> Vec<Result<String, LedgerError>> {
    let mut answers = vec![
        shown(ledger.aliases()),
        shown(ledger.runs()),
        shown(ledger.last_run()),
        shown(ledger.destinations()),
    ];
    for name in destinations() {
        answers.push(shown(ledger.destination(&name)));
        answers.push(shown(ledger.heads(&name)));
        for event in events() {
            answers.push(shown(ledger.head(&name, event)));
            answers.push(shown(ledger.event(&name, event)));
        }
        answers.extend(feeds().iter().map(|feed| shown(ledger.cursor(feed, &name))));
        for feed in 0..2 {
            answers.push(shown(ledger.loss_places(&name, feed)));
            let places = events().into_iter().map(LossOf::Event);
            for of in places.chain([0, 0x0fff].map(LossOf::Unlinked)) {
                answers.push(shown(ledger.losses(&name, &LossPlace { feed, of })));
            }
        }
    }
    for number in (0..30).map(RunNumber) {
        answers.push(shown(ledger.run(number)));
        answers.push(shown(ledger.changes(number)));
    }
    let rules: BTreeSet<Digest> =
        (0..1000).map(|n| Encoder::new(Context::Rules).u64(n).finish()).collect();
    let tables: Result<BTreeMap<_, _>, _> =
        rules.iter().map(|fingerprint| Ok((*fingerprint, ledger.rules(fingerprint)?))).collect();
    answers.push(shown(tables));
    answers
}

fn shown<T: Debug>(answer: Result<T, LedgerError>) -> Result<String, LedgerError> {
    answer.map(|answer| format!("{answer:?}"))
}

/// All answers, where none may be an error.
pub(in super::super) fn sound_answers(ledger: &dyn Ledger) -> Vec<String> {
    answers(ledger).into_iter().map(Result::unwrap).collect()
}
