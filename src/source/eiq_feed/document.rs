//! What a platform says of an outgoing feed.

use serde::Deserialize;

use crate::format::Format;

use super::{FeedError, Strategy};

/// The document of a feed. Only what is needed is read; what a platform leaves out is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Document {
    pub(super) name: Option<String>,
    pub(super) is_active: Option<bool>,
    pub(super) content_type: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) packaging_last_run_at: Option<String>,
    pub(super) packaging_status: Option<String>,
    pub(super) update_strategy: Option<String>,
}

/// The status of a feed whose last run came to its end.
const SUCCESS: &str = "SUCCESS";

impl Document {
    /// Whether its last run came to its end, so that its blocks are whole.
    pub(super) fn is_settled(&self) -> bool {
        self.packaging_status.as_deref() == Some(SUCCESS)
    }

    /// What it says of its packaging, for people.
    pub(super) fn status(&self) -> &str {
        self.packaging_status.as_deref().unwrap_or("not known")
    }

    /// The format of its blocks.
    pub(super) fn format(&self) -> Result<Format, FeedError> {
        let content = self.content_type.as_deref().unwrap_or_default();
        let small = content.to_ascii_lowercase();
        let has = |part: &str| small.contains(part);
        if small.starts_with("urn:eclecticiq.com:json:") {
            Ok(Format::EclecticIq)
        } else if has("stix") && has("json") && has("2.1") {
            Ok(Format::Stix21)
        } else {
            Err(FeedError::ContentType { found: content.into() })
        }
    }

    /// What its runs package, which a configured strategy must not contradict.
    pub(super) fn strategy(&self, configured: Option<Strategy>) -> Result<Strategy, FeedError> {
        let word = self.update_strategy.as_deref().unwrap_or_default();
        let found = match word.to_ascii_uppercase().as_str() {
            "REPLACE" => Strategy::Replace,
            "APPEND" => Strategy::Append,
            "DIFF" => return Err(FeedError::Diff),
            _ => return Err(FeedError::StrategyUnknown { found: word.into() }),
        };
        match configured {
            Some(configured) if configured != found => {
                Err(FeedError::StrategyDiffers { configured, found })
            }
            _ => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &str, strategy: &str) -> Document {
        Document {
            content_type: Some(content.to_owned()),
            update_strategy: Some(strategy.to_owned()),
            ..Document::default()
        }
    }

    #[test]
    fn content_types_are_told_apart() {
        for (content, format) in [
            ("urn:eclecticiq.com:json:1.0", Format::EclecticIq),
            ("urn:eclecticiq.com:json:2.0", Format::EclecticIq),
            ("urn:stix.mitre.org:json:2.1", Format::Stix21),
            ("application/stix+json;version=2.1", Format::Stix21),
        ] {
            assert_eq!(of(content, "").format().unwrap(), format, "{content}");
        }
        for content in ["urn:stix.mitre.org:xml:1.2", "urn:stix.mitre.org:json:2.0", "text/csv", ""]
        {
            let error = of(content, "").format().unwrap_err();
            assert!(matches!(error, FeedError::ContentType { found } if &*found == content));
        }
    }

    #[test]
    fn the_strategy_is_the_documents() {
        let strategy = |word, configured| of("", word).strategy(configured);
        assert_eq!(strategy("REPLACE", None).unwrap(), Strategy::Replace);
        assert_eq!(strategy("append", Some(Strategy::Append)).unwrap(), Strategy::Append);
        assert!(matches!(strategy("DIFF", Some(Strategy::Append)), Err(FeedError::Diff)));
        assert!(matches!(strategy("", None), Err(FeedError::StrategyUnknown { .. })));
        assert!(matches!(
            strategy("APPEND", Some(Strategy::Replace)),
            Err(FeedError::StrategyDiffers { .. })
        ));
    }
}
