//! How well a host and a slot go together: fixed for all time, evenly spread, and the same on every machine.

use std::net::IpAddr;

use crate::rule::Prefix;

/// A score. Those of different pairs are as if drawn by lot.
pub(super) type Score = u64;

/// What of a host goes into its scores: its address, the bytes as they are on the wire, and its family.
pub(super) fn of_host(member: Prefix) -> u64 {
    match member.address() {
        IpAddr::V4(v4) => mix(mix(4) ^ u64::from(v4.to_bits())),
        IpAddr::V6(v6) => {
            let [high, low] = [v6.to_bits() >> 64, v6.to_bits() & u128::from(u64::MAX)];
            let half = |bits| u64::try_from(bits).expect("half of the bits");
            mix(mix(mix(6) ^ half(high)) ^ half(low))
        }
    }
}

/// What of a slot goes into its scores: its number.
pub(super) fn of_slot(slot: u32) -> u64 {
    // Families are 4 and 6: beyond 32 bits no slot is mixed as they are.
    mix(1 << 32 | u64::from(slot))
}

/// The score of a host and a slot.
pub(super) fn of_pair(host: u64, slot: u64) -> Score {
    mix(host ^ slot)
}

/// Spreads 64 bits over 64 bits, one to one: SplitMix64's step and finalizer (Steele, Lea, Flood, 2014).
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_is_splitmix() {
        // The first numbers of the generator's reference implementation, seeds 0 and 1234567.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
    }
}
