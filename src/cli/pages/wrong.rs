//! Why there is no page.

use crate::{
    cli::{CliError, ErrorAnswer, Kind, Report},
    history::{LedgerError, query::QueryError},
    model::Fault,
    page,
    web::{Form, Reply},
};

use super::asked::json;

/// An error, and HTTP's word for it.
pub(super) struct Wrong {
    status: u16,
    report: Report,
}

impl Wrong {
    /// There is no such thing.
    pub(super) fn not_found(cause: &str) -> Self {
        Self { status: 404, report: Report::new(Kind::Usage, Fault::new(cause, "begin at /")) }
    }

    /// The address cannot be read.
    pub(super) fn not_understood(cause: &str) -> Self {
        Self { status: 400, report: Report::new(Kind::Usage, Fault::new(cause, "begin at /")) }
    }

    /// What is answered.
    pub(super) fn reply(&self, site: &page::Site, form: Form) -> Reply {
        let report = &self.report;
        let title = match self.status {
            404 => "Not found",
            400 => "Not understood",
            503 => "Busy",
            _ => "Failed",
        };
        let body = match form {
            Form::Json => json(&ErrorAnswer { report }),
            Form::Html | Form::Css => page::trouble(site, title, &report.to_string()),
        };
        Reply { status: self.status, form, body }
    }
}

impl From<CliError> for Wrong {
    fn from(error: CliError) -> Self {
        let report = error.report();
        let status = match report.kind {
            Kind::RunUnknown | Kind::RunAmbiguous | Kind::DestinationUnknown | Kind::NoStore => 404,
            Kind::RunNameInvalid | Kind::RunsIncomparable => 400,
            Kind::StoreLocked => 503,
            _ => 500,
        };
        Self { status, report }
    }
}

impl From<LedgerError> for Wrong {
    fn from(error: LedgerError) -> Self {
        CliError::from(error).into()
    }
}

impl From<QueryError> for Wrong {
    fn from(error: QueryError) -> Self {
        CliError::from(error).into()
    }
}
