//! Why a request is refused or fails, and how that is told: a status and one line of text as JSON.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use data::DataError;
use nn::PlanError;
use runs::RunsError;
use spec::SpecError;
use store::StoreError;

use crate::answer;
use crate::wire::ErrorJson;

/// What goes wrong in the server.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message right above a variant says what its fields are")]
pub enum DashboardError {
    /// The client's mistake.
    #[error("{reason}")]
    BadRequest { reason: String },
    /// Something else can be asked of that path.
    #[error("this method has no meaning here")]
    Method,
    /// A foreign page, or none of ours.
    #[error("refused: {reason}")]
    Forbidden { reason: &'static str },
    /// Nothing of that name.
    #[error("there is no {what}")]
    NotFound { what: String },
    /// It is there already, or busy.
    #[error("{reason}")]
    Conflict { reason: String },
    /// A body beyond the limit.
    #[error("the request has more than {max} bytes")]
    TooLarge { max: usize },
    /// The body did not come in time.
    #[error("the request did not come within {seconds} s")]
    TooSlow { seconds: u64 },
    /// The limits of what is done at once.
    #[error("the server has too much to do; try again")]
    Busy,
    /// The runs folder cannot be used.
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen { address: String, source: io::Error },
    /// The operating system gave no random numbers.
    #[error("there are no random numbers for the page's token: {reason}")]
    Random { reason: String },
    /// A run file or a record.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A network that does not fit together.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A data set or a picture.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file of a run.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// A study's store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A picture that cannot be packed.
    #[error("the picture could not be packed")]
    Png(#[from] image::ImageError),
    /// The work ended without a result.
    #[error("the work failed")]
    Worker,
}

impl DashboardError {
    pub(crate) fn bad(reason: impl Into<String>) -> Self {
        Self::BadRequest { reason: reason.into() }
    }

    pub(crate) fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict { reason: reason.into() }
    }

    pub(crate) fn no(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub(crate) fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// The error and its causes on one line.
    pub fn one_line(&self) -> String {
        one_line(self)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest { .. } => StatusCode::BAD_REQUEST,
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Spec(_) | Self::Plan(_) | Self::Data(_) | Self::Runs(_) | Self::Store(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An error and its causes on one line; a cause that its error has told already is not repeated.
pub(crate) fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let of_cause = error.to_string();
        if !text.contains(&of_cause) {
            text.push_str(": ");
            text.push_str(&of_cause);
        }
        cause = error.source();
    }
    text.split('\n').map(str::trim_end).collect::<Vec<_>>().join(" ")
}

impl IntoResponse for DashboardError {
    fn into_response(self) -> Response {
        let mut response = answer::json(&ErrorJson { error: self.one_line() });
        *response.status_mut() = self.status();
        response
    }
}
