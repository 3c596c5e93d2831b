//! When an X.509 certificate (RFC 5280) holds, and whom it names.
//!
//! Reads what is worth telling, and judges nothing: no signature, no chain, no host name. That is the
//! business of TLS; this module is for the operator, and for certificates that TLS was told not to
//! check. What is not one certificate from its first byte to its last, or not DER where this looks, is
//! `None`.
//!
//! Names are a stranger's text. They come out short, without controls and without characters that
//! nobody can see. A common name may still hold blanks, quotes and `=`; a log of keys and values has to
//! quote it.

mod der;
mod text;
mod time;

use std::net::{Ipv4Addr, Ipv6Addr};

use der::{Element, Reader};

/// How many alternative names are kept: as many as anybody reads.
pub const ALTERNATIVE_MAX: usize = 20;

/// The bytes of one name at most: a DNS name has 253 (RFC 1035 section 2.3.4), a common name 64 characters
/// (RFC 5280 appendix A.1).
pub const NAME_BYTES_MAX: usize = 255;

/// How many alternative names a description spells out.
const DESCRIBED: usize = 2;

/// From when to when a certificate holds, both ends included (RFC 5280 section 4.1.2.5); not checked for
/// their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second, in seconds since 1970 UTC, below zero before (`notBefore`, RFC 5280 section 4.1.2.5).
    pub not_before: i64,
    /// The last second, in seconds since 1970 UTC, below zero before (`notAfter`, RFC 5280 section 4.1.2.5).
    pub not_after: i64,
}

/// Whom a certificate names, each name of 255 bytes at most and ended by `…` where it was longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The holder's last common name, else last organisation, else last other text, else empty (RFC 5280
    /// section 4.1.2.6).
    pub subject: String,
    /// The signer's, chosen as the subject's is (RFC 5280 section 4.1.2.4).
    pub issuer: String,
    /// DNS names and IP addresses as written in the certificate, the first 20 (RFC 5280 section 4.2.1.6).
    pub alternative: Vec<String>,
    /// How many more DNS names and IP addresses there are (RFC 5280 section 4.2.1.6).
    pub unlisted: usize,
}

/// Reads when the certificate `der` holds (RFC 5280 section 4.1.2.5); allocates nothing.
pub fn validity(der: &[u8]) -> Option<Validity> {
    let mut ends = Reader::new(fields(der)?.validity);
    let validity =
        Validity { not_before: time::seconds(ends.take()?)?, not_after: time::seconds(ends.take()?)? };
    ends.is_empty().then_some(validity)
}

/// Reads whom the certificate `der` names (RFC 5280 sections 4.1.2.4, 4.1.2.6 and 4.2.1.6).
pub fn names(der: &[u8]) -> Option<Names> {
    let fields = fields(der)?;
    let mut names =
        Names { subject: name(fields.subject)?, issuer: name(fields.issuer)?, ..Names::default() };
    if let Some(extensions) = fields.extensions
        && let Some(value) = alternative_names(extensions)?
    {
        names.read_alternative(value)?;
    }
    Some(names)
}

impl Names {
    fn read_alternative(&mut self, value: &[u8]) -> Option<()> {
        let mut within = Reader::new(value);
        let mut general = Reader::new(within.expect(der::SEQUENCE)?);
        while !general.is_empty() {
            let Some(form) = form(general.take()?) else { continue };
            if self.alternative.len() < ALTERNATIVE_MAX {
                self.alternative.push(form.into_text());
            } else {
                self.unlisted += 1;
            }
        }
        within.is_empty().then_some(())
    }

    /// Says the alternative names in short, `web.example.com, www.example.com (2 more)`, or else the
    /// subject, or else `(no name)` (RFC 5280 section 4.2.1.6).
    pub fn describe(&self) -> String {
        if self.alternative.is_empty() {
            let none = self.subject.is_empty();
            return if none { "(no name)".to_owned() } else { self.subject.clone() };
        }
        let shown = self.alternative.len().min(DESCRIBED);
        let text = self.alternative[..shown].join(", ");
        match self.alternative.len() - shown + self.unlisted {
            0 => text,
            more => format!("{text} ({more} more)"),
        }
    }
}

/// The fields of a `TBSCertificate` that are of use, as they are encoded.
struct Fields<'a> {
    issuer: &'a [u8],
    validity: &'a [u8],
    subject: &'a [u8],
    extensions: Option<&'a [u8]>,
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
    let issuer = signed.expect(der::SEQUENCE)?;
    let validity = signed.expect(der::SEQUENCE)?;
    let subject = signed.expect(der::SEQUENCE)?;
    signed.expect(der::SEQUENCE)?;
    signed.optional(der::context(1))?;
    signed.optional(der::context(2))?;
    let extensions = signed.optional(der::context_constructed(3))?;

    let whole = outer.is_empty() && certificate.is_empty() && signed.is_empty();
    whole.then_some(Fields { issuer, validity, subject, extensions })
}

/// What an attribute of a name is worth for telling who it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Other,
    Organisation,
    CommonName,
}

impl Rank {
    /// RFC 5280 appendix A.1.
    fn of(attribute: &[u8]) -> Self {
        match attribute {
            [0x55, 0x04, 0x03] => Self::CommonName,
            [0x55, 0x04, 0x0a] => Self::Organisation,
            _ => Self::Other,
        }
    }
}

/// The attribute of a `Name` that tells most; of equals the last, which is the most specific.
fn name(encoded: &[u8]) -> Option<String> {
    let mut best: Option<(Rank, Element<'_>)> = None;
    let mut relative = Reader::new(encoded);
    while !relative.is_empty() {
        let mut attributes = Reader::new(relative.expect(der::SET)?);
        while !attributes.is_empty() {
            let mut attribute = Reader::new(attributes.expect(der::SEQUENCE)?);
            let rank = Rank::of(attribute.expect(der::OBJECT_IDENTIFIER)?);
            let value = attribute.take()?;
            if !attribute.is_empty() {
                return None;
            }
            let tells = text::is_text(value.tag) && !value.content.is_empty();
            if tells && best.is_none_or(|(of, _)| rank >= of) {
                best = Some((rank, value));
            }
        }
    }
    Some(best.map_or_else(String::new, |(_, value)| text::decode(value)))
}

/// The value of the extension `subjectAltName` (RFC 5280 sections 4.2 and 4.2.1.6), of which there may be
/// one.
fn alternative_names(encoded: &[u8]) -> Option<Option<&[u8]>> {
    const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    let mut within = Reader::new(encoded);
    let mut extensions = Reader::new(within.expect(der::SEQUENCE)?);
    let mut found = None;
    while !extensions.is_empty() {
        let mut extension = Reader::new(extensions.expect(der::SEQUENCE)?);
        let id = extension.expect(der::OBJECT_IDENTIFIER)?;
        extension.optional(der::BOOLEAN)?;
        let value = extension.expect(der::OCTET_STRING)?;
        let again = id == SUBJECT_ALT_NAME && found.replace(value).is_some();
        if again || !extension.is_empty() {
            return None;
        }
    }
    within.is_empty().then_some(found)
}

/// The forms of a `GeneralName` that a host has.
enum Form<'a> {
    Dns(&'a [u8]),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// The name of a host, if it is one (RFC 5280 section 4.2.1.6).
fn form(general: Element<'_>) -> Option<Form<'_>> {
    const DNS_NAME: u8 = der::context(2);
    const IP_ADDRESS: u8 = der::context(7);
    match general.tag {
        DNS_NAME if !general.content.is_empty() => Some(Form::Dns(general.content)),
        IP_ADDRESS => {
            let v4 = <[u8; 4]>::try_from(general.content).map(|octets| Form::V4(octets.into()));
            v4.or_else(|_| <[u8; 16]>::try_from(general.content).map(|octets| Form::V6(octets.into()))).ok()
        }
        _ => None,
    }
}

impl Form<'_> {
    fn into_text(self) -> String {
        match self {
            Self::Dns(name) => text::host(name),
            Self::V4(addr) => addr.to_string(),
            Self::V6(addr) => addr.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
