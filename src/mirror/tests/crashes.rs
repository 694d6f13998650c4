//! A death at each step, a lost link, and what is left of a pull then.

use super::*;

/// A source of numbered objects, which gives those after the bookmark, a page of two at a time; one dies once.
struct Counter {
    count: u8,
    whole: bool,
}

impl Source for Counter {
    type Error = MirrorError;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, MirrorError> {
        let begun = into.unfinished().map(|(_, bookmark)| bookmark.as_str().parse().unwrap());
        let since = since.map_or(0, |bookmark| bookmark.as_str().parse().unwrap());
        if since == self.count {
            return Ok(Pulled::Unchanged);
        }
        let (mut at, mut pack) = match begun {
            Some(begun) if self.whole => (begun, into.resume()?.expect("it was begun")),
            _ if self.whole => (0_u8, into.whole(&source())?),
            _ => (since, into.delta(&source())?),
        };
        while at < self.count {
            let end = self.count.min(at + 2);
            let page: Vec<String> =
                (at..end).map(|id| object(id, 1, &format!("{id:03}"), "")).collect();
            pack.document(&format!("page {at}"), Format::Auto, bundle(&page).as_bytes())?;
            at = end;
            pack.checkpoint(&Bookmark::new(&at.to_string()))?;
        }
        pack.end(&Bookmark::new(&at.to_string()))
    }
}

fn expected(count: u8) -> Vec<String> {
    (0..count).map(|id| format!("{id:03}")).collect()
}

#[test]
fn nothing_is_lost_wherever_it_dies() {
    for whole in [true, false] {
        let mut steps = 0;
        loop {
            let mut died = false;
            for seed in 0..4_usize {
                let files = MemoryFiles::default();
                let mut source = Counter { count: 3, whole };
                now(mirror(&files).pull(&mut source)).unwrap().0.unwrap();
                source.count = 9;
                files.die_after(steps);
                died |= !matches!(now(mirror(&files).pull(&mut source)), Ok((Ok(_), _)));
                files.restart(&mut |limit| seed % limit);
                let fold = mirror(&files).fold().unwrap();
                let at: u8 = fold.bookmark().unwrap().as_str().parse().unwrap();
                assert_eq!(names(&files), expected(at), "after {steps} steps");
                assert!(!fold.is_behind());
                let (pulled, _) = now(mirror(&files).pull(&mut source)).unwrap();
                pulled.unwrap();
                assert_eq!(names(&files), expected(9), "after {steps} steps");
            }
            if !died {
                break;
            }
            steps += 1;
        }
        assert!(steps >= 8, "{steps}");
    }
}

#[test]
fn of_changes_that_came_before_a_lost_link_a_pack_is_made() {
    let files = MemoryFiles::default();
    let page = |id: u8| objects(&[object(id, 1, &id.to_string(), "")]);
    let acts = vec![Delta, page(1), Checkpoint("1"), page(2), Checkpoint("2"), page(3), Lost];
    let (pulled, fold, _) = pull(&files, acts);
    assert!(matches!(pulled, Err(ToldError::Lost)));
    assert_eq!(
        (names(&files), fold.bookmark().unwrap().as_str()),
        (vec!["1".to_owned(), "2".to_owned()], "2")
    );
    let (_, _, told) = pull(&files, vec![Delta, page(3), Lost]);
    assert_eq!(told.since.as_deref(), Some("2"));
    assert_eq!(names(&files), ["1", "2"], "nothing was said to be sound");
}

#[test]
fn a_whole_pull_is_gone_on_with_or_forgotten() {
    let files = MemoryFiles::default();
    let page = |id: u8| objects(&[object(id, 1, &id.to_string(), "")]);
    pulls(&files, vec![vec![Whole, page(1), End("old")]]);
    let lost = || vec![Whole, page(2), Checkpoint("half"), page(3), Lost];
    let (_, fold, _) = pull(&files, lost());
    assert_eq!((names(&files), fold.bookmark().unwrap().as_str()), (vec!["1".to_owned()], "old"));
    let (pulled, _, told) = pull(&files, vec![Lost, page(4), End("new")]);
    assert_eq!(told.unfinished.as_deref(), Some("half"));
    assert_eq!(
        (pulled.unwrap(), names(&files)),
        (Pulled::Whole, vec!["2".to_owned(), "4".to_owned()])
    );
    pull(&files, lost()).0.unwrap_err();
    pulls(&files, vec![vec![Delta, page(5), End("more")]]);
    assert_eq!(names(&files), ["2", "4", "5"]);
    let (_, _, told) = pull(&files, vec![]);
    assert_eq!((told.unfinished, told.since.as_deref()), (None, Some("more")));
}

#[test]
fn a_pull_without_news_leaves_no_pack() {
    let files = MemoryFiles::default();
    pulls(&files, vec![vec![Whole, objects(&[object(1, 1, "a", "")]), End("1")]]);
    let (pulled, _, _) = pull(&files, vec![Delta, End("1")]);
    assert_eq!(pulled.unwrap(), Pulled::Unchanged);
    assert_eq!(files.names().unwrap(), ["000001.jsonl.zst"]);
    let (pulled, fold, _) = pull(&files, vec![Delta, End("2")]);
    assert_eq!((pulled.unwrap(), fold.bookmark().unwrap().as_str()), (Pulled::Delta, "2"));
}
