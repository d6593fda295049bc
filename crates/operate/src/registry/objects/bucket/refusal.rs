//! What a store's refusal means, and the way out.

use std::io::{self, Read as _};

use ureq::{
    Body,
    http::{Response, StatusCode},
};

/// Longest explanation that is read.
const LONGEST: u64 = 64 << 10;

/// A refusal: its status, the code that the store gives it, and the region that it names.
///
/// The store's own words are left out: they may repeat the key and what was signed with it.
/// Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub code: String,
    region: Option<String>,
}

impl Refusal {
    /// Reads a refusal.
    ///
    /// # Errors
    /// The connection broke before its end.
    pub(super) fn read(mut response: Response<Body>) -> io::Result<Self> {
        let is_name = |text: &str| {
            !text.is_empty() && text.len() < 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let region = response.headers().get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
        let region = region.filter(|region| is_name(region)).map(str::to_owned);
        let mut bytes = Vec::new();
        response.body_mut().as_reader().take(LONGEST).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside).filter(|inside| is_name(inside))
        };
        Ok(Self {
            status: response.status(),
            code: element("Code").unwrap_or_default().to_owned(),
            region: region.or_else(|| element("Region").map(str::to_owned)),
        })
    }

    /// Whether the same request may be granted a moment later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.status.as_u16(), 409 | 429 | 500 | 502 | 503 | 504) || self.code == "RequestTimeout"
    }

    /// What is wrong and the way out.
    pub(super) fn explain(&self, bucket: &str) -> String {
        let Self { code, region, .. } = self;
        match code.as_str() {
            "NoSuchBucket" => format!(
                "there is no bucket {bucket:?}; make it, or look at its name, AWS_ENDPOINT_URL_S3 and AWS_REGION"
            ),
            "InvalidAccessKeyId" => "the store does not know the key in AWS_ACCESS_KEY_ID; it may belong to another \
                                     store than AWS_ENDPOINT_URL_S3 names"
                .to_owned(),
            "SignatureDoesNotMatch" => {
                "AWS_SECRET_ACCESS_KEY is not the secret of the key in AWS_ACCESS_KEY_ID, or AWS_REGION is not the \
                 store's"
                    .to_owned()
            }
            "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => {
                "the store does not take AWS_SESSION_TOKEN, or no longer; get a new key".to_owned()
            }
            "RequestTimeTooSkewed" => "this machine's clock is wrong; set it".to_owned(),
            "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => format!(
                "the key may not do this; it needs s3:ListBucket on the bucket {bucket:?}, s3:GetObject on what lies in \
                 it, and to write s3:PutObject"
            ),
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException" => match region {
                Some(region) => format!("the bucket {bucket:?} lies in the region {region}; set AWS_REGION={region}"),
                None => format!("the bucket {bucket:?} lies in another region; set AWS_REGION to it"),
            },
            _ => self.explain_status(bucket),
        }
    }

    fn explain_status(&self, bucket: &str) -> String {
        let Self { status, code, region } = self;
        let said = if code.is_empty() { status.to_string() } else { format!("{status}, {code}") };
        let way_out = match (status.as_u16(), region) {
            (301 | 307 | 308 | 400, Some(region)) => {
                return format!("the bucket {bucket:?} lies in the region {region}; set AWS_REGION={region}");
            }
            (401 | 403, _) => {
                "the store refuses the key; look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and \
                 AWS_REGION"
            }
            (409 | 429 | 500..=599, _) => "the store cannot answer at the moment; try again later",
            _ => "is AWS_ENDPOINT_URL_S3 the address of a store that speaks the protocol of Amazon S3?",
        };
        format!("the store says {said}; {way_out}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, head: Option<&str>, body: &str) -> Refusal {
        let mut response = Response::builder().status(status);
        if let Some(region) = head {
            response = response.header("x-amz-bucket-region", region);
        }
        Refusal::read(response.body(Body::builder().data(body.to_owned())).unwrap()).unwrap()
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for (status, region, body, expected) in [
            (404, None, "<Error><Code>NoSuchBucket</Code></Error>", "there is no bucket \"models\"; make it"),
            (403, None, "<Error><Code>InvalidAccessKeyId</Code></Error>", "AWS_ACCESS_KEY_ID"),
            (403, None, "<Error><Code>SignatureDoesNotMatch</Code></Error>", "AWS_SECRET_ACCESS_KEY"),
            (403, None, "<Error><Code>AccessDenied</Code></Error>", "s3:PutObject"),
            (403, None, "<Error><Code>RequestTimeTooSkewed</Code></Error>", "clock"),
            (403, None, "", "refuses the key"),
            (400, None, "<Error><Code>ExpiredToken</Code></Error>", "AWS_SESSION_TOKEN"),
            (301, Some("eu-west-1"), "<Error><Code>PermanentRedirect</Code></Error>", "AWS_REGION=eu-west-1"),
            (400, None, "<Code>AuthorizationHeaderMalformed</Code><Region>eu-x</Region>", "AWS_REGION=eu-x"),
            (503, None, "<Code>SlowDown</Code>", "503 Service Unavailable, SlowDown; the store cannot answer"),
            (404, None, "<html>", "speaks the protocol of Amazon S3?"),
        ] {
            let said = refusal(status, region, body).explain("models");
            assert!(said.contains(expected), "{status} {body}: {said}");
        }
    }

    #[test]
    fn what_a_store_repeats_of_a_request_is_not_told() {
        let said = refusal(403, Some("x y"), "<Code>AKIA secret</Code><Message>AKIA</Message>").explain("models");
        assert!(!said.contains("AKIA") && !said.contains("x y"), "{said}");
    }
}
