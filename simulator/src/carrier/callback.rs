//! A URL that a carrier requests.

/// A URL that is requested and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The absolute URL.
    pub url: String,
    /// GET or POST.
    pub method: Method,
}

/// The two methods carriers make requests with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Parameters ride in the query.
    Get,
    /// Parameters ride in the form body.
    Post,
}
