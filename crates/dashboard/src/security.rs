//! Who may ask, and what the answers allow the browser.
//!
//! The server is for the one page that it gives out. Another page that the same browser shows can send requests here too;
//! it is told apart by three marks: the `Host` that it had to name (against names that point at this machine, "DNS
//! rebinding"), the `Origin` that the browser adds, and for every request that changes something a random token that
//! only our page holds.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::DashboardError;
use crate::state::Shared;

/// The header that every POST must have.
pub const TOKEN_HEADER: &str = "x-danlu-token";

/// plotly.js writes style sheets into the page.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The names under which the server may be asked.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    port: u16,
    names: Vec<String>,
    /// It listens on every address of the machine, so that it may be asked under any, but under no other name.
    any_address: bool,
}

impl Hosts {
    /// Of a server that listens on `address`, which was asked for as `given`.
    pub(crate) fn new(address: SocketAddr, given: Option<&str>) -> Self {
        let ip = address.ip();
        let mut names = vec![name_of(ip)];
        if ip.is_loopback() || ip.is_unspecified() {
            names.extend(["127.0.0.1", "localhost", "[::1]"].map(String::from));
        }
        names.extend(given.map(|name| name.parse().map_or(name.to_ascii_lowercase(), name_of)));
        Self { port: address.port(), names, any_address: ip.is_unspecified() }
    }

    /// Whether `host`, the value of the header, is one of them.
    fn has(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        if port != Some(self.port) {
            return false;
        }
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let is_known = self.names.iter().any(|known| known.eq_ignore_ascii_case(name));
        is_known || self.any_address && bare.parse::<IpAddr>().is_ok()
    }
}

fn name_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// 128 random bits, in hexadecimal.
pub(crate) fn random_token() -> Result<String, DashboardError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| DashboardError::Random { reason: error.to_string() })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Lets a request pass or refuses it, and puts the headers on every answer.
pub(crate) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    shared.usage.touch();
    let mut response = match check(&shared, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 5] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn check(shared: &Shared, request: &Request) -> Result<(), DashboardError> {
    let refuse = |reason| Err(DashboardError::Forbidden { reason });
    let headers = request.headers();
    let Some(host) = only(headers, &HOST) else { return refuse("one Host is needed") };
    let authority = request.uri().authority().map(|authority| authority.as_str());
    if !shared.hosts.has(host) || authority.is_some_and(|authority| authority != host) {
        return refuse("the Host is none of this server's");
    }
    if headers.contains_key(ORIGIN) && only(headers, &ORIGIN) != Some(&format!("http://{host}")) {
        return refuse("the Origin is another page");
    }
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_foreign = site.is_some_and(|site| site != b"same-origin" && site != b"none");
    if is_foreign && request.uri().path() != "/" {
        return refuse("another page asks");
    }
    match *request.method() {
        Method::GET | Method::HEAD => Ok(()),
        _ if has_token(headers, &shared.token) => Ok(()),
        _ => refuse("the page's token is missing; load the page again"),
    }
}

/// The header's value, where it is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// In a time that does not tell how much of it is right.
fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(TOKEN_HEADER).map_or(&[][..], HeaderValue::as_bytes);
    let difference = given.iter().zip(token.as_bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    given.len() == token.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_goes_by_its_own_names_only() {
        let cases = [
            ("127.0.0.1:8765", None, "127.0.0.1:8765", true),
            ("127.0.0.1:8765", None, "localhost:8765", true),
            ("127.0.0.1:8765", None, "LOCALHOST:8765", true),
            ("127.0.0.1:8765", None, "[::1]:8765", true),
            ("127.0.0.1:8765", None, "localhost", false),
            ("127.0.0.1:80", None, "localhost", true),
            ("127.0.0.1:80", None, "[::1]", true),
            ("127.0.0.1:8765", None, "127.0.0.1:8766", false),
            ("127.0.0.1:8765", None, "127.0.0.1:", false),
            ("127.0.0.1:8765", None, "evil.example:8765", false),
            ("127.0.0.1:8765", None, "127.0.0.1.evil.example:8765", false),
            ("127.0.0.1:8765", None, "192.168.0.7:8765", false),
            ("127.0.0.1:8765", None, "", false),
            ("192.168.0.7:8765", Some("workshop"), "workshop:8765", true),
            ("192.168.0.7:8765", Some("workshop"), "192.168.0.7:8765", true),
            ("192.168.0.7:8765", Some("workshop"), "localhost:8765", false),
            ("0.0.0.0:8765", Some("0.0.0.0"), "192.168.0.7:8765", true),
            ("0.0.0.0:8765", Some("0.0.0.0"), "evil.example:8765", false),
            ("[::]:8765", Some("::"), "[fe80::1]:8765", true),
            ("[::1]:8765", Some("::1"), "[::1]:8765", true),
        ];
        for (address, given, host, expected) in cases {
            let hosts = Hosts::new(address.parse().unwrap(), given);
            assert_eq!(hosts.has(host), expected, "{host} for {address}");
        }
    }

    #[test]
    fn a_token_is_right_as_a_whole_only() {
        let token = random_token().unwrap();
        assert!(token.len() == 32 && token != random_token().unwrap());
        for (given, expected) in
            [(&token[..], true), (&token[1..], false), ("", false), (&token[..31], false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(TOKEN_HEADER, given.parse().unwrap());
            assert_eq!(has_token(&headers, &token), expected);
        }
        assert!(!has_token(&HeaderMap::new(), &token));
    }
}
