//! medallion behind a link that breaks: it forgets each page once it was asked for.

use std::{fs, process::Command, time::Duration};

use misp_trickle::mirror::Pulled;
use misp_trickle_testing::stix::{bundle, incidents, read};
use serde_json::json;

use crate::{
    Reader,
    cutter::Cutter,
    servers::{Server, post, python, start},
};

const COLLECTION: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";

fn server() -> Option<Server> {
    let bin = python()?;
    Some(start(|folder, port| {
        let data = json!({
            "/discovery": {"title": "medallion", "description": "", "contact": "",
                "default": format!("http://127.0.0.1:{port}/trustgroup1/"),
                "api_roots": [format!("http://127.0.0.1:{port}/trustgroup1/")]},
            "trustgroup1": {
                "information": {"title": "Trust group", "description": "",
                    "versions": ["application/taxii+json;version=2.1"], "max_content_length": 104_857_600},
                "status": [],
                "collections": [{"id": COLLECTION, "title": "rw", "description": "", "can_read": true,
                    "can_write": true, "media_types": ["application/stix+json;version=2.1"],
                    "objects": [], "manifest": []}],
            },
        });
        let (data_file, file) = (folder.join("data.json"), folder.join("medallion.json"));
        fs::write(&data_file, data.to_string()).unwrap();
        let config = json!({
            "backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
                "filename": data_file, "session_timeout": 30, "check_interval": 10},
            "users": {"admin": "admin-pw"},
            "taxii": {"max_page_size": 20},
        });
        fs::write(&file, config.to_string()).unwrap();
        let mut command = Command::new(bin.join("medallion"));
        command.args(["--host", "127.0.0.1", "--log-level", "ERROR"]);
        command.args(["--port", &port.to_string()]).arg(&file);
        command
    }))
}

#[test]
fn medallion_behind_a_link_that_breaks_loses_nothing() {
    let Some(server) = server() else { return };
    let path = format!("/trustgroup1/collections/{COLLECTION}/");
    for seed in 0..3 {
        let cutter = Cutter::before(server.address, seed, 25);
        let url = format!("http://{}/trustgroup1/", cutter.address);
        let mut reader = Reader::new(&url, COLLECTION, Duration::from_mins(10));
        reader.settings.manifest_every = Some(Duration::from_hours(24));
        let first = usize::try_from(seed).unwrap() * 40;
        // All of a request has one stamp, and fills six pages.
        post(server.address, &path, &incidents(first..first + 40));
        let all = read(&bundle(&incidents(0..first + 40)));
        let mut pulls = 0;
        let fold = loop {
            pulls += 1;
            let (pulled, fold) = reader.pull();
            match pulled {
                Ok(_) => break fold,
                Err(error) => assert!(pulls < 40, "{error}"),
            }
        };
        assert_eq!(reader.told(&fold), all, "seed {seed}");
        println!("seed {seed}: {} answers cut, {pulls} pulls", cutter.cut());
        assert!(cutter.cut() > 0);
        cutter.mend();
        // What came in pieces is taken once more.
        reader.pull().0.unwrap();
        let (pulled, fold) = reader.pull();
        assert_eq!((pulled.unwrap(), fold.is_whole()), (Pulled::Unchanged, true));
    }
}
