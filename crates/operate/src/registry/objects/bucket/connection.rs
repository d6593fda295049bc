//! Where a store is, and the connection to it.

use std::io;

use rusty_s3::{Bucket, Credentials, UrlStyle};
use ureq::{Agent, Error};
use url::Url;

use super::Access;
use crate::registry::StoreUrl;

/// Connections that are kept open, and files that are read at once.
pub(super) const CONNECTIONS: usize = 8;
/// The region of a store that has none.
const REGION: &str = "us-east-1";

/// Address of the bucket and the key to it. A store of an endpoint has its buckets below its path, Amazon has them in its host's
/// name.
pub(super) fn address(place: &StoreUrl, access: &Access) -> Result<(Bucket, Credentials), String> {
    let (Some(key), Some(secret)) = (&access.key, &access.secret) else {
        return Err("there is no key for the store; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (`aws configure \
                    export-credentials --format env` prints those of a profile)"
            .to_owned());
    };
    let credentials = match &access.token {
        Some(token) => Credentials::new_with_token(key, secret, token),
        None => Credentials::new(key, secret),
    };
    let region = access.region.clone().unwrap_or_else(|| REGION.to_owned());
    if !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err("AWS_REGION is no region; expected letters, digits and `-`, such as eu-central-1".to_owned());
    }
    let name = place.bucket().to_owned();
    let (endpoint, style) = if let Some(endpoint) = &access.endpoint {
        (endpoint.clone(), UrlStyle::Path)
    } else {
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        // Amazon's certificates fit one label before its own name, and host names know no capitals.
        let is_label = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let style = if is_label { UrlStyle::VirtualHost } else { UrlStyle::Path };
        (format!("https://s3.{region}.{domain}"), style)
    };
    // What was given is not repeated: an address may hold a password.
    let wrong = || "AWS_ENDPOINT_URL_S3 is no address; expected one such as https://minio.example:9000".to_owned();
    let endpoint: Url = endpoint.parse().map_err(|_| wrong())?;
    let bucket = Bucket::new(endpoint, style, name, region).map_err(|_| wrong())?;
    Ok((bucket, credentials))
}

/// Blocking connections to where the bucket is.
pub(super) fn agent(bucket: &Bucket, access: &Access) -> Result<Agent, String> {
    let (endpoint, patience) = (bucket.base_url(), &access.patience);
    let mut config = Agent::config_builder()
        .user_agent(concat!("nomen/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections_per_host(CONNECTIONS)
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.answer))
        .timeout_per_read(Some(patience.stall))
        .timeout_per_write(Some(patience.stall));
    if endpoint.scheme() == "https" {
        config = config.tls_config(secure::tls().map_err(|error| error.to_string())?);
    }
    let host = endpoint.host_str().unwrap_or_default();
    if host == "localhost" || host == "[::1]" || host.starts_with("127.") {
        // No proxy reaches this machine's own loopback.
        config = config.proxy(None);
    }
    Ok(config.build().into())
}

/// What a failed connection means.
pub(super) enum Loss {
    /// It may work a moment later.
    Passing(String),
    /// It will not.
    Lasting(String),
}

/// What an error of the connection means. The address that was asked is signed, so it is not told.
pub(super) fn explain(error: &Error) -> Loss {
    match error {
        Error::HostNotFound => {
            Loss::Lasting("there is no such host; look at AWS_ENDPOINT_URL_S3 and AWS_REGION".to_owned())
        }
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) | Error::TlsRequired | Error::InvalidProxyUrl => {
            Loss::Lasting(format!("no secure connection: {error}"))
        }
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            Loss::Lasting(format!("no secure connection: {error}"))
        }
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Loss::Passing("nobody answers there; look at AWS_ENDPOINT_URL_S3".to_owned())
        }
        Error::Io(error) if error.to_string().starts_with("failed to lookup") => {
            Loss::Passing("there is no such host; look at AWS_ENDPOINT_URL_S3 and AWS_REGION".to_owned())
        }
        Error::Io(error) => Loss::Passing(format!("the connection broke: {error}")),
        Error::Timeout(timeout) => Loss::Passing(format!("no answer in time ({timeout})")),
        Error::ConnectionFailed => Loss::Passing("cannot be reached; look at AWS_ENDPOINT_URL_S3".to_owned()),
        Error::Protocol(_) | Error::BodyStalled => Loss::Passing("the answer broke off".to_owned()),
        Error::BodyExceedsLimit(limit) => {
            Loss::Lasting(format!("the answer is longer than {limit} bytes, which no file of a registry is"))
        }
        _ => Loss::Lasting("the request cannot be sent".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_addressed_by_path_and_amazon_by_host() {
        let base = |bucket: &str, endpoint: Option<&str>, region: Option<&str>| {
            let access = Access {
                endpoint: endpoint.map(str::to_owned),
                region: region.map(str::to_owned),
                key: Some("key".to_owned()),
                secret: Some("secret".to_owned()),
                ..Access::default()
            };
            let place = format!("s3://{bucket}/x").parse().unwrap();
            address(&place, &access).unwrap().0.base_url().to_string()
        };
        for (bucket, endpoint, region, expected) in [
            ("models", None, None, "https://models.s3.us-east-1.amazonaws.com/"),
            ("models", None, Some("eu-central-1"), "https://models.s3.eu-central-1.amazonaws.com/"),
            ("models", None, Some("cn-north-1"), "https://models.s3.cn-north-1.amazonaws.com.cn/"),
            ("my.models", None, None, "https://s3.us-east-1.amazonaws.com/my.models/"),
            ("Models", None, None, "https://s3.us-east-1.amazonaws.com/Models/"),
            ("models", Some("http://127.0.0.1:9000"), None, "http://127.0.0.1:9000/models/"),
            ("models", Some("https://u:p@store.example/s3/"), None, "https://store.example/s3/models/"),
        ] {
            assert_eq!(base(bucket, endpoint, region), expected);
        }
    }
}
