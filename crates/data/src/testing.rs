//! What the tests are made of: small IDX files, and a server that misbehaves as told.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::download::Transfer;
use crate::fashion_mnist::FILES;
use crate::idx::header_bytes;

/// An images file: pixel values count up.
pub(crate) fn images(n: u32, rows: u32, columns: u32) -> Vec<u8> {
    let mut bytes = header_bytes(&[n, rows, columns]);
    bytes.extend((0..n * rows * columns).map(|pixel| (pixel % 251) as u8));
    bytes
}

/// A labels file.
pub(crate) fn labels(labels: &[u8]) -> Vec<u8> {
    let mut bytes = header_bytes(&[u32::try_from(labels.len()).unwrap()]);
    bytes.extend(labels);
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Writes the four files: 20 train images and 10 test images of 3 × 2, unpacked.
pub(crate) fn write_set(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    for (file, bytes) in FILES.iter().zip(small_set()) {
        fs::write(dir.join(file.name), bytes).unwrap();
    }
}

/// The contents of the four files, in the order of [`FILES`].
pub(crate) fn small_set() -> [Vec<u8>; 4] {
    let ten: Vec<u8> = (0..10).collect();
    [images(20, 3, 2), labels(&[&ten[..], &ten].concat()), images(10, 3, 2), labels(&ten)]
}

/// No patience at all.
pub(crate) fn hasty() -> Transfer {
    let short = Duration::from_millis(150);
    Transfer { connect: short, idle: short, tries: 3, pause: Duration::from_millis(1) }
}

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// The first byte of a `bytes=FIRST-` range.
    pub(crate) range: Option<usize>,
}

/// What the server does about it.
pub(crate) enum Reply {
    /// Sends these bytes and closes the connection.
    Send(Vec<u8>),
    /// Sends these bytes and leaves the connection open without another word.
    Stall(Vec<u8>),
}

/// A server on the loopback interface that handles one request after the other.
pub(crate) struct Server {
    pub(crate) url: String,
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it; `script` answers the requests, which are counted from 0.
    pub(crate) fn start(mut script: impl FnMut(usize, &Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(vec![]));
        let record = Arc::clone(&requests);
        let thread = thread::spawn(move || {
            let mut stalled = vec![];
            while let Some((mut stream, request)) = next_request(&listener) {
                let reply = script(record.lock().unwrap().len(), &request);
                record.lock().unwrap().push(request);
                // The client may be gone in the middle; that is its own affair.
                let (Reply::Send(bytes) | Reply::Stall(bytes)) = &reply;
                let _gone = stream.write_all(bytes);
                if matches!(reply, Reply::Stall(_)) {
                    stalled.push(stream);
                }
            }
        });
        Self { url: format!("http://{address}/"), address, requests, thread: Some(thread) }
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap()
    }
}

/// A connection without a request ends the server.
impl Drop for Server {
    fn drop(&mut self) {
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the server panicked");
        }
    }
}

fn next_request(listener: &TcpListener) -> Option<(TcpStream, Request)> {
    let (mut stream, _) = listener.accept().ok()?;
    let (mut head, mut byte) = (vec![], [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let range =
        head.lines().find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok());
    Some((stream, Request { path, range }))
}

/// The bytes of a response; `announced` is its content-length, which may be a lie.
pub(crate) fn response(status: &str, header: &str, announced: usize, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {announced}\r\n{header}\r\n");
    [head.as_bytes(), body].concat()
}

/// What a well-behaved server answers.
pub(crate) fn honest(file: &[u8], request: &Request) -> Reply {
    Reply::Send(match request.range {
        None => response("200 OK", "", file.len(), file),
        Some(first) if first < file.len() => {
            let header = format!("content-range: bytes {first}-{}/{}\r\n", file.len() - 1, file.len());
            response("206 Partial Content", &header, file.len() - first, &file[first..])
        }
        Some(_) => response("416 Range Not Satisfiable", "", 0, b""),
    })
}

/// A picture's file.
pub(crate) fn encoded(picture: &image::DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(vec![]);
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A gray PNG file that claims this size, with a right checksum, and has no pixels.
pub(crate) fn png_header(width: u32, height: u32) -> Vec<u8> {
    let pixel = image::DynamicImage::new_luma8(1, 1);
    let mut bytes = encoded(&pixel, image::ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    bytes
}

/// A folder of gray pictures of 6 × 5, `n` for each class, in `dir/PART/CLASS`; brightness counts up.
pub(crate) fn write_pictures(dir: &Path, part: &str, classes: &[&str], n: usize) {
    for (label, class) in classes.iter().enumerate() {
        let folder = dir.join(part).join(class);
        fs::create_dir_all(&folder).unwrap();
        for idx in 0..n {
            let picture = image::GrayImage::from_pixel(6, 5, image::Luma([(20 * label + idx) as u8]));
            picture.save(folder.join(format!("{idx:03}.png"))).unwrap();
        }
    }
}
