//! The page at `/`.

/// The page, and what a browser may do with it.
#[derive(Clone, Debug)]
pub struct Page {
    /// HTML, in UTF-8.
    pub body: Box<[u8]>,
    /// `Content-Security-Policy`.
    pub policy: String,
}

const TEXT: &str = "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>hfm</title>\n<h1>hfm</h1>\n<ul>\n<li><a href=/api/v1/status>/api/v1/status</a>\n<li><a href=/api/v1/events>/api/v1/events</a>\n<li><a href=/metrics>/metrics</a>\n<li><a href=/healthz>/healthz</a>\n</ul>\n";

/// Makes it.
pub fn page() -> Page {
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    Page { body: TEXT.as_bytes().into(), policy: policy.to_owned() }
}
