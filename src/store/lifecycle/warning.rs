//! What a user should know of a store that was opened.

/// Something about a store that was opened which its user should know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The folder is another one than at the last write.
    #[error(
        "this store is a copy of the one at {from}, or was restored; if both are used, each will \
         take what the other sent for somebody else's"
    )]
    Copied {
        /// Where the store was when it was last written.
        from: String,
    },
    /// The file system keeps no rights, so other users of the machine may read the store.
    #[error(
        "other users of this machine may read the store: the rights of {path} cannot be changed; \
         put it on a file system that keeps rights, or let `private = \"require\"` under [store] refuse it"
    )]
    NotPrivate {
        /// A file or folder of the store.
        path: String,
    },
    /// Part of the engine's files is damaged, or was and had to be removed.
    #[error(
        "part of the engine's files is damaged, and the store may be older than it was: run \
         `misp-trickle check`"
    )]
    Suspect,
    /// Part of the engine's files was damaged: fresh ones have their place.
    #[error(
        "part of the engine's files was damaged, and the last commits may be missing: what could be read was carried \
         over into fresh files; the damaged ones are kept in {aside}, remove them once nothing is missed"
    )]
    Renewed {
        /// The folder of the damaged files, in the store's.
        aside: String,
    },
    /// The files are sound; others, which were damaged, had their place.
    #[error(
        "files of the engine that were found damaged, and were replaced since, are kept in {aside}: remove them once \
         nothing is missed"
    )]
    Kept {
        /// The folder of the damaged files, in the store's.
        aside: String,
    },
    /// Files that were put in the place of damaged ones are damaged too, and were not copied.
    #[error(
        "the engine's files are damaged, as those were whose place they took, and were not copied as they were found: {kept} copies \
         of damaged files are kept in the store's folder; remove those that nobody misses"
    )]
    Unkept {
        /// How many are kept.
        kept: usize,
    },
    /// The last commits are missing.
    #[error(
        "the store is older than it was: commit {acknowledged} was acknowledged, the last it holds \
         is {found}"
    )]
    Older {
        /// Number of the last commit that was acknowledged.
        acknowledged: u64,
        /// Number of the last commit that is there.
        found: u64,
    },
    /// What the store holds may be old, and so nothing of it is relied on.
    #[error(
        "each of the {events} events that MISP should have is proven with MISP before anything is \
         written to it"
    )]
    Distrusted {
        /// Events whose heads were marked.
        events: u64,
    },
}
