use std::time::Duration;

use rcgen::{CertificateParams, CustomExtension, KeyPair, date_time_ymd};

use super::*;

const DAY: u64 = 86_400;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn params(from: u64, to: u64) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["web.example.com".to_owned()]).unwrap();
    let day = |day: u64| date_time_ymd(1970, 1, 1) + Duration::from_secs(day * DAY);
    (params.not_before, params.not_after) = (day(from), day(to));
    params
}

/// A certificate that holds from one day since 1970 to another, and is unlike all others.
fn certificate(from: u64, to: u64) -> CertificateDer<'static> {
    params(from, to).self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
}

fn good() -> CertificateDer<'static> {
    certificate(10, 20)
}

/// The same, and large.
fn padded() -> CertificateDer<'static> {
    let mut params = params(10, 20);
    let padding = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 1], vec![0; 12 * 1024]);
    params.custom_extensions = vec![padding];
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
}

fn name(name: &'static str) -> ServerName<'static> {
    ServerName::try_from(name).unwrap()
}

#[test]
fn only_the_very_same_is_known() {
    let (web, other) = (name("web.example.com"), name("www.example.com"));
    let (leaf, one, two) = (good(), good(), good());
    let both = [one.clone(), two.clone()];
    let shown = Shown { name: &web, leaf: &leaf, intermediates: &both };
    let chains = Remembered::default();
    assert!(!chains.knows(shown, at(15 * DAY)), "nothing has been remembered");
    chains.remember(shown, at(15 * DAY));
    assert!(chains.knows(shown, at(15 * DAY)));

    let mut damaged = leaf.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let damaged = CertificateDer::from(damaged);
    let in_another_order = [two.clone(), one.clone()];
    let and_another = [one.clone(), two.clone(), good()];
    for (what, unlike) in [
        ("another name", Shown { name: &other, ..shown }),
        ("an address", Shown { name: &name("192.0.2.7"), ..shown }),
        ("another leaf", Shown { leaf: &good(), ..shown }),
        ("one bit of the leaf", Shown { leaf: &damaged, ..shown }),
        ("an intermediate as the leaf", Shown { leaf: &one, ..shown }),
        ("no intermediates", Shown { intermediates: &[], ..shown }),
        ("the first intermediate only", Shown { intermediates: &both[..1], ..shown }),
        ("one more", Shown { intermediates: &and_another, ..shown }),
        ("another order", Shown { intermediates: &in_another_order, ..shown }),
    ] {
        assert!(!chains.knows(unlike, at(15 * DAY)), "{what}");
    }
    assert!(chains.knows(shown, at(15 * DAY)), "asking for others changes nothing");
}

/// Equal digests make no two chains one.
#[test]
fn a_digest_is_no_proof() {
    let web = name("web.example.com");
    let (leaf, other) = (good(), good());
    let of = |leaf| Shown { name: &web, leaf, intermediates: &[] };
    let mut chains = Chains::default();
    chains.remember(of(&leaf), at(15 * DAY));
    let (_, remembered) = chains.younger.drain().next().unwrap();
    let digest = of(&other).digest(&chains.digests);
    chains.younger.insert(digest, remembered);
    assert!(!chains.knows(of(&other), at(15 * DAY)));
    let (digest, remembered) = chains.younger.drain().next().unwrap();
    chains.elder.insert(digest, remembered);
    assert!(!chains.knows(of(&other), at(15 * DAY)));
}

#[test]
fn it_is_known_while_every_certificate_of_it_holds() {
    let web = name("web.example.com");
    for (leaf, intermediate) in [((10, 20), (1, 90)), ((1, 90), (10, 20)), ((10, 90), (1, 20))] {
        let (leaf, intermediates) =
            (certificate(leaf.0, leaf.1), [certificate(intermediate.0, intermediate.1)]);
        let shown = Shown { name: &web, leaf: &leaf, intermediates: &intermediates };
        let chains = Remembered::default();
        chains.remember(shown, at(15 * DAY));
        for (seconds, holds) in [
            (15 * DAY, true),
            (20 * DAY, true),
            (20 * DAY + 1, false),
            (u64::MAX, false),
            (0, false),
            (10 * DAY - 1, false),
            // A clock that has been put right again.
            (10 * DAY, true),
        ] {
            assert_eq!(chains.knows(shown, at(seconds)), holds, "{seconds}");
        }
    }
}

#[test]
fn what_does_not_hold_or_cannot_be_read_is_not_remembered() {
    let web = name("web.example.com");
    let (leaf, early, late) = (good(), certificate(16, 20), certificate(1, 14));
    let unreadable = CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]);
    let long = CertificateDer::from([&good()[..], &[0; CHAIN_BYTES_MAX]].concat());
    for intermediates in [[early], [late], [unreadable], [long]] {
        let shown = Shown { name: &web, leaf: &leaf, intermediates: &intermediates };
        let chains = Remembered::default();
        chains.remember(shown, at(15 * DAY));
        assert!(!chains.knows(shown, at(15 * DAY)));
        assert!(chains.lock().younger.is_empty() && chains.lock().authorities.is_empty());
    }
    let many: Vec<_> = (0..CHAIN_BYTES_MAX / leaf.len() + 1).map(|_| leaf.clone()).collect();
    let chains = Remembered::default();
    chains.remember(Shown { name: &web, leaf: &leaf, intermediates: &many }, at(15 * DAY));
    assert!(chains.lock().younger.is_empty(), "a chain without end");
}

#[test]
fn as_many_are_remembered_as_there_are_rules_and_what_is_met_stays() {
    let web = name("web.example.com");
    let (now, often) = (at(15 * DAY), good());
    for rules in [0, 30] {
        let room = rules + SPARE;
        let chains = Remembered::default();
        (0..rules).for_each(|_| chains.make_room());
        let leaves: Vec<_> = (0..4 * room).map(|_| (good(), [good()])).collect();
        let of = |(leaf, issuer)| Shown { name: &web, leaf, intermediates: issuer };
        let often = Shown { name: &web, leaf: &often, intermediates: &[] };
        chains.remember(often, now);
        for (leaf, issuer) in &leaves {
            chains.remember(of((leaf, issuer)), now);
            assert!(chains.knows(of((leaf, issuer)), now), "the newest");
            assert!(chains.knows(often, now), "one that is met again and again");
            let chains = chains.lock();
            let both = chains.younger.len() + chains.elder.len();
            assert!(both <= 2 * room, "{both}");
            assert!(chains.authorities.len() <= 2 * room + 1, "{}", chains.authorities.len());
        }
        let known = leaves.iter().filter(|(leaf, issuer)| chains.knows(of((leaf, issuer)), now)).count();
        assert!((room - 1..=2 * room).contains(&known), "{known} of {}", leaves.len());
        assert!(!chains.knows(of((&leaves[0].0, &leaves[0].1)), now), "long not met");
    }
}

#[test]
fn chains_of_one_authority_share_its_certificate() {
    let web = name("web.example.com");
    let authority = [good()];
    let chains = Remembered::default();
    for _ in 0..SPARE {
        chains.remember(Shown { name: &web, leaf: &good(), intermediates: &authority }, at(15 * DAY));
    }
    let chains = chains.lock();
    assert_eq!((chains.younger.len(), chains.authorities.len()), (SPARE, 1));
}

/// A server may show what it likes beside its own certificate, and something new in every run: it took sixteen kilobytes
/// for each rule of its trust file, twice.
#[test]
fn what_a_server_shows_beside_its_own_is_bounded_however_many_rules_there_are() {
    let (web, now) = (name("web.example.com"), at(15 * DAY));
    let (leaf, often, issuers) = (good(), good(), [good()]);
    let chains = Remembered::default();
    (0..10_000).for_each(|_| chains.make_room());
    let often = Shown { name: &web, leaf: &often, intermediates: &issuers };
    chains.remember(often, now);
    let mut held_most = 0;
    for run in 0..400 {
        let padded = [padded()];
        let shown = Shown { name: &web, leaf: &leaf, intermediates: &padded };
        chains.remember(shown, now);
        assert!(chains.knows(shown, now), "run {run}");
        assert!(chains.knows(often, now), "run {run}: one that is met again and again");
        let chains = chains.lock();
        let held: usize = chains.authorities.iter().map(|authority| authority.len()).sum();
        assert_eq!(held, chains.authority_bytes, "run {run}");
        assert!(held <= AUTHORITY_BYTES_MAX, "run {run}: {held}");
        held_most = held_most.max(held);
    }
    assert!(held_most > AUTHORITY_BYTES_MAX / 2, "else this shows nothing: {held_most}");
}
