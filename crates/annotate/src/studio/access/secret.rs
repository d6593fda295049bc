//! Secrets of sessions and tokens, and what is derived of them.

use sha2::{Digest as _, Sha256};

use crate::studio::Refusal;

/// Random bytes of a secret.
const BYTES: usize = 32;

/// A new secret, in hexadecimal digits.
pub fn fresh() -> Result<String, Refusal> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| Refusal::Failed(format!("the system gives no random numbers: {error}")))?;
    Ok(hex(&bytes))
}

/// The token that a page's forms and writes carry: nobody can tell it who does not know the session's secret, which scripts and
/// other sites cannot read.
pub fn csrf(secret: &str) -> String {
    hex(&Sha256::digest(format!("nomen studio form\n{secret}")))
}

/// Whether two tokens are the same, in a time that does not tell how much of them is.
pub fn same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha256::digest(one), Sha256::digest(other));
    one.iter().zip(other.iter()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_so_do_their_tokens() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert!(one.len() == 64 && one != other);
        assert!(same(&csrf(&one), &csrf(&one)) && !same(&csrf(&one), &csrf(&other)));
        assert!(!csrf(&one).contains(&one));
    }
}
