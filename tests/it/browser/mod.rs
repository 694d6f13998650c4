//! The pages in a real Chromium: clicks, widths, colours, accessibility, and what others wrote into them.
//!
//! It is the one that `CHROMIUM` names, or that of Debian; without one these tests say that they did nothing. `AXE` names
//! `axe.min.js` of axe-core, without which the look for barriers is left out. `.ci/run` brings both. `BROWSER_PICTURES`
//! names a folder for pictures of the pages.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails or says so by it")]

mod chromium;
mod hostile;
mod tab;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write,
    net::TcpListener,
    path::Path,
    thread,
};

use misp_trickle_testing::program::{Place, Sandbox};

use crate::web::Web;
use tab::{SCHEMES, Tab, WIDTHS};

/// axe-core, if there is one.
fn axe() -> Option<String> {
    let path = env::var_os("AXE");
    if path.is_none() {
        println!("SKIPPED: AXE names no axe.min.js, so nobody looked for barriers");
    }
    path.map(|path| fs::read_to_string(path).unwrap())
}

/// The pages of a place in a browser that came in by its link.
fn inside(place: &Place, arguments: &[&str]) -> Option<(Tab, Web, String)> {
    let mut tab = Tab::open()?;
    let web = Web::open(place, arguments);
    tab.go(web.link());
    let site = format!("http://{}/", web.address());
    assert_eq!(tab.text("location.href"), site);
    Some((tab, web, site))
}

/// Of each kind of page the first that is found from the overview on, by what its address begins with.
fn kinds(tab: &mut Tab, site: &str) -> BTreeMap<String, String> {
    let (mut open, mut seen) = (vec![site.to_owned()], BTreeSet::new());
    let mut found = BTreeMap::new();
    while let Some(url) = open.pop() {
        let path = url.strip_prefix(site).unwrap().split('?').next().unwrap();
        let kind = match path.split_once('/') {
            Some((of, _)) => format!("one-of-{of}"),
            None if path.is_empty() => "overview".to_owned(),
            None => path.to_owned(),
        };
        if url.contains(".json") || found.contains_key(&kind) || !seen.insert(url.clone()) {
            continue;
        }
        found.insert(kind, url.clone());
        tab.go(&url);
        let links = tab
            .tell("[...document.querySelectorAll('main a[href], nav a[href]')].map(it => it.href)");
        let links: Vec<String> = serde_json::from_value(links).unwrap();
        open.extend(links.into_iter().filter(|link| link.starts_with(site)));
    }
    found
}

/// Looks at each page in every width and both colours.
#[track_caller]
fn looked_at(tab: &mut Tab, pages: &BTreeMap<String, String>, name: &str) {
    let axe = axe();
    let mut wrong = Vec::new();
    for (kind, url) in pages {
        for scheme in SCHEMES {
            for width in WIDTHS {
                tab.look(width, scheme);
                tab.go(url);
                tab.picture(&format!("{name}-{kind}-{width}-{scheme}"));
                let over = tab.overhang();
                if over != [0, 0] {
                    wrong.push(format!("{kind}, {width}: {over:?} wider than the window"));
                }
                // What lies between the narrowest and the widest has the rules of one of them.
                let axe = axe.as_deref().filter(|_| width != WIDTHS[1]);
                let faults = axe.map(|axe| tab.faults(axe)).unwrap_or_default();
                wrong.extend(
                    faults.iter().map(|fault| format!("{kind}, {width}, {scheme}: {fault}")),
                );
            }
        }
    }
    tab.look(1_280, "light");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every request went to the site, and nothing of others ran.
#[track_caller]
fn stayed(tab: &mut Tab, site: &str) {
    let requests = tab.requests();
    assert!(!requests.is_empty());
    let away: Vec<_> = requests.iter().filter(|url| !url.starts_with(site)).collect();
    assert!(away.is_empty(), "{away:?}");
    assert_eq!(tab.dialogs, 0, "a page opened a dialog");
}

fn clicked_through(scripts: bool) {
    let place = Sandbox::start().after_two_days();
    let Some((mut tab, _web, site)) = inside(&place, &[]) else { return };
    if !scripts {
        tab.without_scripts();
    }
    let link = |text: &str| {
        format!("[...document.querySelectorAll('a')].find(it => it.textContent.includes({text:?}))")
    };
    let heading = "document.querySelector('h1').textContent";
    let at = |start: &str| {
        let start = format!("{site}{start}");
        move |url: &str| url.starts_with(&start)
    };
    tab.click(&link("Events"), &at("events"));
    tab.click(&link("Phishing against customers of a bank"), &at("events/"));
    assert_eq!(
        tab.text("document.querySelector('h2').textContent"),
        "Phishing against customers of a bank"
    );
    tab.click(&link("its story"), &at("value?q="));
    assert_eq!(tab.text(heading), "Why");
    // The exact value is behind a click on the harmless one.
    let exact = "document.querySelector('details.exact')";
    assert!(!tab.tell(&format!("{exact}.open")).as_bool().unwrap());
    tab.click(&format!("{exact}.firstElementChild"), &at("value?q="));
    assert!(tab.tell(&format!("{exact}.open")).as_bool().unwrap());
    tab.back(&at("events/"));
    tab.back(&at("events"));
    tab.back(&|url| url == site);
    assert_eq!(tab.text(heading), "Overview");
    tab.click("document.querySelector('#q')", &|url| url == site);
    tab.write("203.0.113.41");
    tab.settle(&at("value?q=203.0.113.41"));
    assert!(tab.text("document.querySelector('main').innerText").contains("What happened to it"));
    tab.click(&link("Runs"), &at("runs"));
    tab.click("document.querySelector('input[name=did]')", &at("runs"));
    tab.click("document.querySelector('.filters button')", &at("runs?"));
    assert!(tab.text("location.search").contains("did=something"));
    stayed(&mut tab, &site);
}

#[test]
fn from_the_overview_to_a_value_and_back() {
    clicked_through(true);
}

#[test]
fn and_the_same_without_scripts() {
    clicked_through(false);
}

#[test]
fn each_page_fits_each_width_in_both_colours_and_has_no_barriers() {
    let place = Sandbox::start().after_two_days();
    let Some((mut tab, _web, site)) = inside(&place, &[]) else { return };
    let mut pages = kinds(&mut tab, &site);
    let names: Vec<&str> = pages.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["diff", "events", "faults", "one-of-events", "one-of-runs", "overview", "runs", "value"]
    );
    pages.insert("nowhere".to_owned(), format!("{site}nowhere"));
    pages.insert("report".to_owned(), report(&place));
    looked_at(&mut tab, &pages, "days");
    tab.requests().retain(|url| !url.ends_with("/report.html"));
    stayed(&mut tab, &site);
}

/// The address of a report.
fn report(place: &Place) -> String {
    let path = place.path("report.html");
    place.run(&["report", "-o", path.to_str().unwrap()]).code(0);
    format!("file://{}", path.display())
}

#[test]
fn what_others_wrote_does_no_harm() {
    let sandbox = Sandbox::start();
    let place = hostile::place(&sandbox);
    let Some((mut tab, _web, site)) = inside(&place, &[]) else { return };
    let mut pages = kinds(&mut tab, &site);
    let asked = "<script>document.title='ran'</script>\u{202e}\u{1b}[2J";
    let asked: String = url::form_urlencoded::byte_serialize(asked.as_bytes()).collect();
    pages.insert("asked".to_owned(), format!("{site}value?q={asked}"));
    pages.insert("nowhere".to_owned(), format!("{site}runs/%3Csvg%20onload=alert(1)%3E"));
    for word in hostile::WORDS {
        let word: String = url::form_urlencoded::byte_serialize(word.as_bytes()).collect();
        pages.insert(format!("value-{}", pages.len()), format!("{site}value?q={word}"));
    }
    pages.insert("report".to_owned(), report(&place));
    for url in pages.values() {
        tab.go(url);
        assert!(tab.text("document.title").contains("misp-trickle"), "something ran on {url}");
        let foreign = "document.querySelectorAll('script, img, iframe, object, embed, base, main style, [onerror], \
                       [onload], [onclick], [style]').length";
        assert_eq!(tab.tell(foreign), 0, "{url}");
    }
    looked_at(&mut tab, &pages, "hostile");
    tab.requests().retain(|url| !url.ends_with("/report.html"));
    stayed(&mut tab, &site);
}

#[test]
fn another_site_gets_nothing_of_a_browser_that_came_in() {
    let place = Sandbox::start().after_two_days();
    let Some((mut tab, web, site)) = inside(&place, &[]) else { return };
    let (address, port) =
        (web.address().to_owned(), web.address().rsplit_once(':').unwrap().1.to_owned());
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://localhost:{}/", other.local_addr().unwrap().port());
    let html = format!(
        "<!doctype html><title>other</title><a href='{site}events'>in</a><iframe src='{site}'></iframe>\
         <form method=post action='{site}events'><button>post</button></form>"
    );
    thread::spawn(move || {
        for mut client in other.incoming().map_while(Result::ok) {
            let length = html.len();
            drop(write!(
                client,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{html}"
            ));
        }
    });
    tab.go(&at);
    let read = format!(
        "fetch('{site}status.json', {{credentials: 'include'}}).then(it => it.text(), it => 'refused')"
    );
    assert_eq!(tab.text(&read), "refused");
    let opaque = format!(
        "fetch('{site}status.json', {{mode: 'no-cors', credentials: 'include'}}).then(it => 'there', it => 'refused')"
    );
    assert_eq!(tab.text(&opaque), "refused");
    let framed = "document.querySelector('iframe').contentDocument === null";
    assert!(tab.tell(framed).as_bool().unwrap(), "the frame shows a page that can be read");
    let said = |tab: &mut Tab| tab.text("document.body.innerText");
    tab.click("document.querySelector('a')", &|url| url.starts_with(&site));
    assert!(said(&mut tab).contains("another page asked for this"), "{}", said(&mut tab));
    tab.go(&at);
    tab.click("document.querySelector('button')", &|url| url.starts_with(&site));
    assert!(said(&mut tab).contains("these pages are only read"), "{}", said(&mut tab));
    // A name that was resolved to this machine.
    tab.go(&format!("http://rebound.example:{port}/"));
    assert!(said(&mut tab).contains("answers only to a loopback host"), "{}", said(&mut tab));
    // The same port under another name of this machine knows nobody.
    tab.go(&format!("http://localhost:{port}/"));
    assert!(said(&mut tab).contains("sign in by the link"), "{}", said(&mut tab));
    tab.go(&format!("http://{address}/?token=wrong"));
    assert!(said(&mut tab).contains("this link was used"), "{}", said(&mut tab));
    tab.go(&site);
    assert_eq!(tab.text("document.querySelector('h1').textContent"), "Overview");
}

/// `WRITE_PICTURE=1` takes it anew: the second of the two days of `demo`.
#[test]
fn the_readme_shows_a_run() {
    const WIDTH: u32 = 900;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("docs/run.png");
    if env::var_os("WRITE_PICTURE").is_some() {
        let place = Sandbox::start().after_two_days();
        let (mut tab, _web, site) = inside(&place, &[]).expect("a picture needs a browser");
        tab.look(WIDTH, "light");
        tab.go(&format!("{site}runs/2"));
        fs::write(&path, tab.png(1_100)).unwrap();
    }
    let picture = fs::read(&path).unwrap();
    assert!(picture.starts_with(b"\x89PNG") && picture[16..20] == WIDTH.to_be_bytes());
    assert!(picture.len() <= 150_000, "{} bytes", picture.len());
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("docs/run.png"), "nobody sees it");
}
