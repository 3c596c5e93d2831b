//! When an X.509 certificate (RFC 5280) holds.
//!
//! Reads what is worth telling, and judges nothing: no signature, no chain, no host name. That is the
//! business of TLS; this module is for the operator, and for certificates that TLS was told not to
//! check. What is not one certificate from its first byte to its last, or not DER where this looks, is
//! `None`.

mod der;
mod time;

use der::Reader;

/// From when to when a certificate holds, both ends included (RFC 5280 section 4.1.2.5); not checked for
/// their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second, in seconds since 1970 UTC, below zero before (`notBefore`, RFC 5280 section 4.1.2.5).
    pub not_before: i64,
    /// The last second, in seconds since 1970 UTC, below zero before (`notAfter`, RFC 5280 section 4.1.2.5).
    pub not_after: i64,
}

/// Reads when the certificate `der` holds (RFC 5280 section 4.1.2.5); allocates nothing.
pub fn validity(der: &[u8]) -> Option<Validity> {
    let mut ends = Reader::new(fields(der)?.validity);
    let validity =
        Validity { not_before: time::seconds(ends.take()?)?, not_after: time::seconds(ends.take()?)? };
    ends.is_empty().then_some(validity)
}

/// The field of a `TBSCertificate` that is of use, as it is encoded.
struct Fields<'a> {
    validity: &'a [u8],
}

/// Takes a certificate apart (RFC 5280 section 4.1).
fn fields(der: &[u8]) -> Option<Fields<'_>> {
    let mut outer = Reader::new(der);
    let mut certificate = Reader::new(outer.expect(der::SEQUENCE)?);
    let mut signed = Reader::new(certificate.expect(der::SEQUENCE)?);
    certificate.expect(der::SEQUENCE)?;
    certificate.expect(der::BIT_STRING)?;

    signed.optional(der::context_constructed(0))?;
    signed.expect(der::INTEGER)?;
    signed.expect(der::SEQUENCE)?;
    signed.expect(der::SEQUENCE)?;
    let validity = signed.expect(der::SEQUENCE)?;
    signed.expect(der::SEQUENCE)?;
    signed.expect(der::SEQUENCE)?;
    signed.optional(der::context(1))?;
    signed.optional(der::context(2))?;
    signed.optional(der::context_constructed(3))?;

    let whole = outer.is_empty() && certificate.is_empty() && signed.is_empty();
    whole.then_some(Fields { validity })
}

#[cfg(test)]
mod tests;
