//! The server's connections, within limits of number and time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::error::DashboardError;
use crate::unstalled::Unstalled;

/// Connections at a time; the next ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 512;
/// How long a request's header may take to come, and an idle connection stays.
const HEADER_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a client may take nothing of what is sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a request's header and of what is buffered for it.
const MAX_BUFFER: usize = 64 << 10;
/// From one question whether to end to the next.
const POLL: Duration = Duration::from_millis(100);
/// After an error that accepting gives, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens on an address.
///
/// # Errors
/// [`DashboardError::Listen`]
pub fn listen(address: SocketAddr) -> Result<std::net::TcpListener, DashboardError> {
    let listener = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|source| DashboardError::Listen { address: address.to_string(), source })
}

/// Serves until `ends` says so, which is asked often; whatever is being answered then is cut off. One thread does all of
/// it, but for reading files and computing.
///
/// # Errors
/// [`DashboardError::Listen`] where the system refuses.
pub fn serve(
    listener: std::net::TcpListener,
    app: Router,
    ends: impl Fn() -> bool,
) -> Result<(), DashboardError> {
    let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
    let refused = |source| DashboardError::Listen { address, source };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = match builder.enable_io().enable_time().max_blocking_threads(4).build() {
        Ok(runtime) => runtime,
        Err(source) => return Err(refused(source)),
    };
    let served = runtime.block_on(async {
        let accepting = tokio::spawn(accept(TcpListener::from_std(listener)?, app));
        while !ends() && !accepting.is_finished() {
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    });
    runtime.shutdown_background();
    served.map_err(refused)
}

async fn accept(listener: TcpListener, app: Router) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = places.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let app = app.clone();
                tokio::spawn(async move {
                    let _place = place;
                    connection(stream, app).await;
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// All requests of one connection.
async fn connection(stream: TcpStream, app: Router) {
    // Events are small and must not wait for others.
    let _unset = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut app = app.clone();
        async move { tower_service::Service::call(&mut app, request.map(Body::new)).await }
    });
    let io = TokioIo::new(Unstalled::new(stream, WRITE_TIMEOUT));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_BUFFER)
        .half_close(false)
        .serve_connection(io, service);
    // What goes wrong here is the client's own affair: it went away, was too slow or spoke no HTTP.
    let _closed = served.await;
}
