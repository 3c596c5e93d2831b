//! The gateway's rules, and its maps where nobody else fills them.

use super::lab::firewall::{MAPS, SETS, SLOTS, nft};
use super::lab::namespace::Namespace;
use super::lab::places::host_addresses;

/// The file that is tried out here, as it is.
pub(crate) const RULESET: &str = include_str!("../../config/gateway-linux/nftables.conf");

/// Fills all slots over these hosts in turn, and the sets beside them: what hfm does better.
pub(crate) fn fill_by_hand(gateway: &Namespace, hosts: &[usize]) {
    let mut text = String::new();
    for family in 0..MAPS.len() {
        let address = |at: usize| host_addresses(hosts[at % hosts.len()])[family];
        let slots: Vec<String> =
            (0..SLOTS).map(|slot| format!("{slot} : {}", address(slot as usize))).collect();
        let hosts: Vec<String> = (0..hosts.len()).map(|at| address(at).to_string()).collect();
        text.push_str(&format!(
            "add element inet gateway {} {{ {} }}\nadd element inet gateway {} {{ {} }}\n",
            MAPS[family],
            slots.join(", "),
            SETS[family],
            hosts.join(", ")
        ));
    }
    nft(gateway, &text);
}
