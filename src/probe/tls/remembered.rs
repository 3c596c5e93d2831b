//! Chains that were found good: a prober meets the same ones over and over, and checks each once.
//!
//! What is remembered is that these certificates, byte for byte and in this order, were found good for this
//! name by the trust file that this belongs to; it counts while every one of them holds by its dates. That
//! is narrower than the verification itself, which asks for the dates of those certificates alone that lead
//! to a root. A root's own dates do not count there either (RFC 5280 section 6.1.1), and without
//! revocation lists nothing else in a verification changes with time. So what is not known here, or no
//! longer, is verified in full, and comes to the verdict that it would have come to anyhow. A chain that was
//! turned down is never remembered.
//!
//! Whether the server holds the key of the certificate that it shows is another matter: its signature is
//! checked in every handshake.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::wire::certificate::{self, Validity};

/// Chains that are remembered beside one for each rule: a service changes its certificate now and then, and
/// one address may be many servers.
const SPARE: usize = 8;

/// A longer chain is verified every time: memory is for what people run, and that has three certificates or
/// four, of two kilobytes at most.
const CHAIN_BYTES_MAX: usize = 16 * 1024;

/// Certificates of authorities that are remembered at most, in bytes: hundreds of them, where most trust files lead to a
/// few. A server may send what it likes beside its own, and other things each time.
const AUTHORITY_BYTES_MAX: usize = 1024 * 1024;

/// What a server shows, to whom it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) name: &'a ServerName<'a>,
    pub(super) leaf: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
}

/// The chains that one trust file was found to lead to.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Chains>);

/// Two generations: when the younger is full, it becomes the elder, whose chains are forgotten. What is
/// met again moves to the younger.
#[derive(Debug, Default)]
struct Chains {
    rules: usize,
    younger: HashMap<u64, Good>,
    elder: HashMap<u64, Good>,
    /// Certificates of authorities, which many chains have in common.
    authorities: HashSet<Arc<[u8]>>,
    /// The length of all of those.
    authority_bytes: usize,
    /// Of those that the younger generation has brought.
    new_bytes: usize,
    /// So that nobody can choose certificates whose digests are one.
    digests: RandomState,
}

/// A chain that was found good.
#[derive(Debug)]
struct Good {
    name: ServerName<'static>,
    leaf: Box<[u8]>,
    intermediates: Box<[Arc<[u8]>]>,
    /// While all of its certificates hold.
    holds: Validity,
}

impl Remembered {
    /// Another rule goes by this trust file.
    pub(super) fn make_room(&self) {
        self.lock().rules += 1;
    }

    /// Whether this was found good and all of it holds at this moment.
    pub(super) fn knows(&self, shown: Shown<'_>, now: UnixTime) -> bool {
        self.lock().knows(shown, now)
    }

    /// This has been found good.
    pub(super) fn remember(&self, shown: Shown<'_>, now: UnixTime) {
        self.lock().remember(shown, now);
    }

    /// Nothing is left half done while it is locked.
    fn lock(&self) -> MutexGuard<'_, Chains> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chains {
    fn knows(&mut self, shown: Shown<'_>, now: UnixTime) -> bool {
        let digest = shown.digest(&self.digests);
        let is_good = |good: &Good| good.is_of(shown) && covers(good.holds, now);
        if let Some(good) = self.younger.get(&digest) {
            return is_good(good);
        }
        if !self.elder.get(&digest).is_some_and(is_good) {
            return false;
        }
        if let Some(good) = self.elder.remove(&digest) {
            self.insert(digest, good);
        }
        true
    }

    fn remember(&mut self, shown: Shown<'_>, now: UnixTime) {
        let Some(holds) = shown.holds().filter(|holds| covers(*holds, now)) else { return };
        if shown.bytes() > CHAIN_BYTES_MAX {
            return;
        }
        if self.new_bytes + self.new_to_us(shown.intermediates) > AUTHORITY_BYTES_MAX / 2 {
            self.turn_over();
        }
        // What others still need stays; then this is verified every time.
        if self.authority_bytes + self.new_to_us(shown.intermediates) > AUTHORITY_BYTES_MAX {
            return;
        }
        let good = Good {
            name: shown.name.to_owned(),
            leaf: shown.leaf.as_ref().into(),
            intermediates: shown.intermediates.iter().map(|one| self.authority(one)).collect(),
            holds,
        };
        let digest = shown.digest(&self.digests);
        self.elder.remove(&digest);
        self.insert(digest, good);
    }

    fn insert(&mut self, digest: u64, good: Good) {
        if self.younger.len() >= self.rules + SPARE {
            self.turn_over();
        }
        self.younger.insert(digest, good);
    }

    /// The younger generation becomes the elder. What was the elder is forgotten, and authorities that nothing else needs.
    fn turn_over(&mut self) {
        self.elder = std::mem::take(&mut self.younger);
        self.authorities.retain(|authority| Arc::strong_count(authority) > 1);
        self.authority_bytes = self.authorities.iter().map(|authority| authority.len()).sum();
        self.new_bytes = 0;
    }

    /// The length of those of these certificates that are not here yet.
    fn new_to_us(&self, certificates: &[CertificateDer<'_>]) -> usize {
        let new = certificates.iter().filter(|one| !self.authorities.contains(one.as_ref()));
        new.map(|one| one.len()).sum()
    }

    /// The one copy of such a certificate.
    fn authority(&mut self, certificate: &[u8]) -> Arc<[u8]> {
        if let Some(known) = self.authorities.get(certificate) {
            return known.clone();
        }
        let new: Arc<[u8]> = certificate.into();
        self.authorities.insert(new.clone());
        self.authority_bytes += new.len();
        self.new_bytes += new.len();
        new
    }
}

impl Good {
    fn is_of(&self, shown: Shown<'_>) -> bool {
        let same = |ours: &Arc<[u8]>, shown: &CertificateDer<'_>| **ours == **shown;
        self.name == *shown.name
            && *self.leaf == **shown.leaf
            && self.intermediates.len() == shown.intermediates.len()
            && self.intermediates.iter().zip(shown.intermediates).all(|(ours, shown)| same(ours, shown))
    }
}

impl Shown<'_> {
    fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.leaf).chain(self.intermediates).map(AsRef::as_ref)
    }

    fn bytes(&self) -> usize {
        self.certificates().map(<[u8]>::len).sum()
    }

    /// For finding it only: whether it is the same is seen by comparing it.
    fn digest(&self, digests: &RandomState) -> u64 {
        let mut hasher = digests.build_hasher();
        self.name.hash(&mut hasher);
        self.certificates().for_each(|certificate| certificate.hash(&mut hasher));
        hasher.finish()
    }

    /// While every one of its certificates holds; `None` where the dates of any cannot be read.
    fn holds(&self) -> Option<Validity> {
        let mut all = Validity { not_before: i64::MIN, not_after: i64::MAX };
        for one in self.certificates() {
            let one = certificate::validity(one)?;
            all.not_before = all.not_before.max(one.not_before);
            all.not_after = all.not_after.min(one.not_after);
        }
        Some(all)
    }
}

fn covers(holds: Validity, now: UnixTime) -> bool {
    i64::try_from(now.as_secs()).is_ok_and(|now| holds.not_before <= now && now <= holds.not_after)
}

#[cfg(test)]
mod tests;
