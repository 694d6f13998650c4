//! The program before a sandbox of its own, with a meter between the two.

use std::{fs, path::Path, process::Command, time::Duration};

use crate::spent::{self, Spent};
use misp_trickle::remote::Encoding;
use misp_trickle_testing::{metered::Metered, proxy::Passed};
use tempfile::TempDir;

/// So long the meter waits for an answer.
pub(crate) const WAIT: Duration = Duration::from_secs(120);

/// The program before a MISP of its own.
pub(crate) struct Trickle {
    metered: Metered,
    folder: TempDir,
}

impl Trickle {
    /// With so much compression.
    pub(crate) fn start(compression: &str) -> Self {
        let metered = Metered::start(Encoding::Brotli, WAIT);
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "version = 1\n[source]\npath = \"dataset.json\"\n[store]\npath = \"store\"\n\
             [destinations.main]\nurl = \"{}\"\napi_key_env = \"MISP_API_KEY\"\n\
             compression = \"{compression}\"\n\
             [destinations.main.policy]\nallow_tlp = [\"green\"]\n",
            metered.url
        );
        fs::write(folder.path().join("misp-trickle.toml"), config).expect("a new file");
        Self { metered, folder }
    }

    /// What passes in a run over a dataset, and what the run takes.
    pub(crate) fn sync(&self, dataset: &[u8]) -> (Passed, Spent) {
        let before = self.metered.proxy.passed();
        fs::write(self.folder.path().join("dataset.json"), dataset).expect("a file");
        let mut command = trickle(self.folder.path(), &["sync"]);
        let ran = spent::run(command.env("MISP_API_KEY", self.metered.key()));
        assert_eq!(ran.code, Some(0), "{}", ran.words);
        (self.metered.proxy.passed().since(before), ran.spent)
    }
}

/// The program in a folder.
pub(crate) fn trickle(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_misp-trickle"));
    command.args(arguments).current_dir(folder).env_remove("MISP_TRICKLE_CONFIG");
    command
}
