//! What a request says, within limits of size and time.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;

use crate::error::DashboardError;

/// Bytes of a JSON body: a run file of a thousand nodes takes a tenth of it.
pub(crate) const MAX_JSON: usize = 2 << 20;
/// Bytes of a picture that is sent.
pub(crate) const MAX_PICTURE: usize = 10 << 20;
/// How long a body may take to come.
const MAX_SECONDS: u64 = 30;

/// Parts of a path. What they cannot be is refused like everything else.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = DashboardError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, DashboardError> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(found)| Self(found))
            .map_err(|rejection| DashboardError::bad(rejection.body_text()))
    }
}

/// The part behind the `?`.
pub(crate) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, DashboardError> {
    let read = Query::try_from_uri(uri);
    read.map(|Query(query)| query).map_err(|error| DashboardError::bad(error.body_text()))
}

/// The whole body, of at most `max` bytes.
pub(crate) async fn body(headers: &HeaderMap, body: Body, max: usize) -> Result<Vec<u8>, DashboardError> {
    let announced = headers.get(CONTENT_LENGTH).map(HeaderValue::to_str);
    if announced
        .is_some_and(|len| len.ok().and_then(|len| len.parse().ok()).is_none_or(|len: usize| len > max))
    {
        return Err(DashboardError::TooLarge { max });
    }
    let read = tokio::time::timeout(Duration::from_secs(MAX_SECONDS), to_bytes(body, max)).await;
    match read {
        Err(_) => Err(DashboardError::TooSlow { seconds: MAX_SECONDS }),
        Ok(Err(error)) if error.to_string().contains("length limit") => Err(DashboardError::TooLarge { max }),
        Ok(Err(error)) => Err(DashboardError::bad(format!("the request broke off: {error}"))),
        Ok(Ok(bytes)) => Ok(bytes.into()),
    }
}

/// The body as JSON.
pub(crate) async fn json<T: DeserializeOwned>(headers: &HeaderMap, sent: Body) -> Result<T, DashboardError> {
    let bytes = body(headers, sent, MAX_JSON).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| DashboardError::bad(format!("the request's JSON: {error}")))
}
