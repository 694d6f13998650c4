//! A page in the browser, as somebody sees it and clicks on it.

use std::{env, fs, path::Path};

use serde_json::{Value, json};

use super::chromium::{Chromium, until};

/// Widths of a small telephone, a tablet and a laptop, in pixels of CSS.
pub(crate) const WIDTHS: [u32; 3] = [320, 768, 1_280];
pub(crate) const SCHEMES: [&str; 2] = ["light", "dark"];

/// A tab whose cookies no other has.
pub(crate) struct Tab {
    chromium: Chromium,
    session: String,
    /// Every address that was asked for.
    requests: Vec<String>,
    /// Dialogs that a page opened.
    pub(crate) dialogs: usize,
}

impl Tab {
    pub(crate) fn open() -> Option<Self> {
        let mut chromium = Chromium::start()?;
        let target = chromium.ask(None, "Target.createTarget", &json!({"url": "about:blank"}));
        let of = json!({"targetId": target["targetId"], "flatten": true});
        let attached = chromium.ask(None, "Target.attachToTarget", &of);
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let mut new = Self { chromium, session, requests: Vec::new(), dialogs: 0 };
        for domain in ["Page.enable", "Network.enable"] {
            new.ask(domain, &json!({}));
        }
        new.look(1_280, "light");
        Some(new)
    }

    #[track_caller]
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.chromium.ask(Some(&self.session), method, params)
    }

    /// What an expression of JavaScript comes to on the page.
    #[track_caller]
    pub(crate) fn tell(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut told = self.ask("Runtime.evaluate", &asked);
        assert!(told["exceptionDetails"].is_null(), "{expression}: {}", told["exceptionDetails"]);
        told["result"]["value"].take()
    }

    pub(crate) fn text(&mut self, expression: &str) -> String {
        self.tell(expression).as_str().unwrap_or_default().to_owned()
    }

    /// Pages run no scripts of their own any more.
    pub(crate) fn without_scripts(&mut self) {
        self.ask("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    }

    /// How wide the window is, and whether it is dark.
    pub(crate) fn look(&mut self, width: u32, scheme: &str) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", &size);
        let dark = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", &dark);
    }

    #[track_caller]
    pub(crate) fn go(&mut self, url: &str) {
        let went = self.ask("Page.navigate", &json!({"url": url}));
        assert!(went["errorText"].is_null(), "{url}: {}", went["errorText"]);
        self.settle(&|_| true);
    }

    /// Waits until the page is there whose address passes.
    #[track_caller]
    pub(crate) fn settle(&mut self, passes: &dyn Fn(&str) -> bool) {
        const STATE: &str = "document.readyState + ' ' + location.href";
        let asked = json!({"expression": STATE, "returnByValue": true});
        until("the page", || {
            let told = self.chromium.try_asking(Some(&self.session), "Runtime.evaluate", &asked);
            let state = told.as_ref().ok().and_then(|told| told["result"]["value"].as_str());
            state.and_then(|state| state.strip_prefix("complete ")).is_some_and(passes)
        });
    }

    /// Clicks into the middle of what an expression gives, wherever that leads, which its address must tell.
    #[track_caller]
    pub(crate) fn click(&mut self, element: &str, passes: &dyn Fn(&str) -> bool) {
        let place = self.tell(&format!(
            "(() => {{ const it = {element}; it.scrollIntoView({{block: 'center'}}); \
             const box = it.getClientRects()[0]; return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let click = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.ask("Input.dispatchMouseEvent", &click);
        }
        self.settle(passes);
    }

    /// Writes into what has the focus, and presses Enter.
    pub(crate) fn write(&mut self, text: &str) {
        self.ask("Input.insertText", &json!({"text": text}));
        for kind in ["keyDown", "keyUp"] {
            let enter = json!({"type": kind, "key": "Enter", "code": "Enter", "text": "\r",
                "windowsVirtualKeyCode": 13});
            self.ask("Input.dispatchKeyEvent", &enter);
        }
    }

    /// Goes back to the page before.
    pub(crate) fn back(&mut self, passes: &dyn Fn(&str) -> bool) {
        let history = self.ask("Page.getNavigationHistory", &json!({}));
        let before = usize::try_from(history["currentIndex"].as_u64().unwrap() - 1).unwrap();
        let entry = json!({"entryId": history["entries"][before]["id"]});
        self.ask("Page.navigateToHistoryEntry", &entry);
        self.settle(passes);
    }

    /// How many pixels the page is wider than its window, with all that can be opened closed and then open.
    pub(crate) fn overhang(&mut self) -> [i64; 2] {
        const WIDER: &str = "document.documentElement.scrollWidth - innerWidth";
        let closed = self.tell(WIDER).as_i64().unwrap();
        self.tell("document.querySelectorAll('details').forEach(it => { it.open = true })");
        let open = self.tell(WIDER).as_i64().unwrap();
        self.tell("document.querySelectorAll('details').forEach(it => { it.open = false })");
        [closed, open]
    }

    /// What axe finds wrong, each with where.
    pub(crate) fn faults(&mut self, axe: &str) -> Vec<String> {
        self.tell(&format!("{axe}; 0"));
        let found = self.tell(
            "axe.run(document, {preload: false, resultTypes: ['violations']}).then(it => it.violations.map(one => \
             one.id + ': ' + one.help + ': ' + one.nodes.slice(0, 3).map(node => node.target + ' ' + \
             node.any.concat(node.all).map(check => check.message).join(', ')).join(' | ')))",
        );
        serde_json::from_value(found).unwrap()
    }

    /// Addresses that pages asked for since, with those that an answer led to.
    pub(crate) fn requests(&mut self) -> &mut Vec<String> {
        for event in self.chromium.events() {
            match event["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => {
                    let url = event["params"]["request"]["url"].as_str().unwrap();
                    self.requests.push(url.to_owned());
                }
                "Page.javascriptDialogOpening" => self.dialogs += 1,
                _ => {}
            }
        }
        &mut self.requests
    }

    /// Puts a picture of the whole page into the folder that `BROWSER_PICTURES` names.
    pub(crate) fn picture(&mut self, name: &str) {
        let Some(folder) = env::var_os("BROWSER_PICTURES") else { return };
        fs::create_dir_all(&folder).unwrap();
        let path = Path::new(&folder).join(format!("{name}.png"));
        fs::write(path, self.png(4_000)).unwrap();
    }

    /// The page, at most so high.
    pub(crate) fn png(&mut self, highest: u64) -> Vec<u8> {
        let height = self.tell("document.documentElement.scrollHeight").as_u64().unwrap();
        let (width, height) = (self.tell("innerWidth"), height.min(highest));
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let asked = json!({"format": "png", "clip": clip, "captureBeyondViewport": true});
        let picture = self.ask("Page.captureScreenshot", &asked);
        decoded(picture["data"].as_str().unwrap())
    }
}

/// Base64.
fn decoded(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let six = LETTERS.iter().position(|known| *known == letter).unwrap();
        bits = bits << 6 | u32::try_from(six).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}
