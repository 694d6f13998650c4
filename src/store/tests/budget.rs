//! What an attribute takes on disk, and how long the ledger takes.
