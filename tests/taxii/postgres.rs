//! OpenTAXII with PostgreSQL and several processes: objects are seen long after their stamps, and after others with later
//! ones.

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use misp_trickle_testing::stix::{bundle, incident, incidents, read};

use crate::{
    Reader,
    opentaxii::{ROOT, collection, server},
    servers::{Server, file, post, python, start},
};

/// A database of its own; none where there is no PostgreSQL.
fn postgres() -> Option<Server> {
    python()?;
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok();
    let is_there = versions
        .into_iter()
        .flatten()
        .flatten()
        .any(|version| Path::new(&version.path()).join("bin/initdb").exists());
    if !is_there {
        println!("skipped: there is no PostgreSQL");
        return None;
    }
    Some(start(|folder, port| {
        let mut command = Command::new(file("postgres.sh"));
        command.arg(folder).arg(port.to_string());
        command
    }))
}

#[test]
fn what_is_seen_after_later_stamps_is_not_lost() {
    let Some(database) = postgres() else { return };
    let url = format!("postgresql://taxii@{}/postgres", database.address);
    let Some(server) = server(3, Some(&url)) else { return };
    let (address, reports) = (server.address, collection("reports"));
    let reader =
        Reader::new(&format!("http://{address}{ROOT}"), "reports", Duration::from_secs(120));
    // One request of 1,141 objects, and for as long as it takes others of one each.
    let mut many = incidents(0..380);
    many.push(incident(380, 0).remove(0));
    assert_eq!(many.len(), 1_141);
    let mut few = Vec::new();
    let (is_done, pulls) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::SeqCst) {
                reader.pull().0.unwrap();
                pulls.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(50));
            }
        });
        let all = scope.spawn(|| post(address, &reports, &many));
        while !all.is_finished() {
            let object = incident(400 + few.len(), 0).remove(0);
            post(address, &reports, std::slice::from_ref(&object));
            few.push(object);
            thread::sleep(Duration::from_millis(100));
        }
        all.join().unwrap();
        is_done.store(true, Ordering::SeqCst);
    });
    let (_, fold) = reader.pull();
    let pulls = pulls.load(Ordering::SeqCst);
    println!(
        "{} requests and {pulls} pulls beside one of many; {} objects",
        few.len(),
        fold.objects()
    );
    assert_eq!(fold.objects(), many.len() + few.len());
    assert_eq!(reader.told(&fold), read(&bundle(&[many, few].concat())));
}
