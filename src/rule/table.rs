//! Firewall tables as meant: which addresses of which rules they hold, and under what conditions.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::RuleId;

/// An address or a network, as a firewall's table holds it. Its host bits are zero, and 10.0.0.1 is the
/// same as 10.0.0.1/32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

/// Why a text is no [`Prefix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrefixError {
    /// Neither an IPv4 nor an IPv6 address stands before the `/`.
    Address,
    /// An IPv6 address with a zone (`fe80::1%em0`): tables hold none.
    Scoped,
    /// An IPv4 address written as IPv6 (`::ffff:10.0.0.1`).
    Mapped(Ipv4Addr),
    /// What follows the `/` is no whole number up to this.
    Length(u8),
    /// Bits behind the prefix are set; this is the network without them.
    HostBits(Prefix),
}

impl Prefix {
    /// A single address.
    pub fn host(address: IpAddr) -> Self {
        Self { address, length: length_max(address) }
    }

    /// The network of this length, in bits, that an address lies in. A length beyond the address's own counts
    /// as that.
    pub fn network(address: IpAddr, length: u8) -> Self {
        let length = length.min(length_max(address));
        let address = match address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                Ipv4Addr::from(u32::from(v4) & mask).into()
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                Ipv6Addr::from(u128::from(v6) & mask).into()
            }
        };
        Self { address, length }
    }

    /// Its first address.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// Bits that all its addresses share: 32 for a single IPv4 address, 128 for a single IPv6 one.
    pub fn length(self) -> u8 {
        self.length
    }
}

fn length_max(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let (host, length) = match text.split_once('/') {
            Some((host, length)) => (host, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = match host.parse() {
            Ok(address) => address,
            Err(_) if host.split_once('%').is_some_and(|(v6, _)| v6.parse::<Ipv6Addr>().is_ok()) => {
                return Err(PrefixError::Scoped);
            }
            Err(_) => return Err(PrefixError::Address),
        };
        if let IpAddr::V6(v6) = address
            && let Some(v4) = v6.to_ipv4_mapped()
        {
            return Err(PrefixError::Mapped(v4));
        }
        let max = length_max(address);
        let length = match length {
            None => max,
            Some(digits) => {
                let is_plain = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
                let length = digits.parse().ok().filter(|length| is_plain && *length <= max);
                length.ok_or(PrefixError::Length(max))?
            }
        };
        let prefix = Self::network(address, length);
        if prefix.address == address { Ok(prefix) } else { Err(PrefixError::HostBits(prefix)) }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.length == length_max(self.address) {
            return self.address.fmt(f);
        }
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// How many of the rules of one address in one table must be up. `combine`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Combine {
    /// All that contribute.
    #[default]
    All,
    /// One.
    Any,
    /// This many, or all that contribute when those are fewer.
    AtLeast(NonZeroU32),
}

/// A number of addresses, or a share of those there are. `min_up`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Share {
    /// This many.
    Count(u32),
    /// This many of a hundred, rounded up; 0 to 100.
    Percent(u8),
}

/// What a rule says of tables, resolved. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Placement {
    /// The rule's addresses; empty when it has none of its own, or no tables and just that of its test. `addresses`.
    pub addresses: Vec<Prefix>,
    /// The tables that hold them. `tables`.
    pub tables: Vec<Membership>,
    /// As far as the rule or what it inherits from says; what counts is in [`Member`]. `combine`.
    pub combine: Option<Combine>,
    /// The same. `backup`.
    pub backup: Option<bool>,
    /// The same, in [`Table`]. `min_up`.
    pub min_up: Option<Share>,
    /// The same, in [`Table`]; percent. `panic`.
    pub panic: Option<u8>,
    /// Of this rule; an address has it when one of its rules does. `kill_states`.
    pub kill_states: bool,
}

impl Placement {
    /// Every address that is given for the rule, each once: those in its tables; without tables, its own.
    pub fn all_addresses(&self) -> Vec<Prefix> {
        let mut all: Vec<Prefix> = Vec::new();
        let in_tables = self.tables.iter().flat_map(|membership| &membership.addresses);
        let own = self.addresses.iter().filter(|_| self.tables.is_empty());
        for address in in_tables.chain(own) {
            if !all.contains(address) {
                all.push(*address);
            }
        }
        all
    }
}

/// A table that a rule puts addresses into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Membership {
    /// The table's name, as in the file.
    pub table: Arc<str>,
    /// Which addresses: those given for this table, else the rule's own. Never empty, each once.
    pub addresses: Vec<Prefix>,
}

/// A table, and all that is put into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, as in the file: `table` or `anchor/path/table` for pf.
    pub name: Arc<str>,
    /// How many addresses stay in at least. `min_up`.
    pub min_up: Option<Share>,
    /// All go in when fewer than this share are up; percent. `panic`.
    pub panic: Option<u8>,
    /// Its managed addresses, in the order of the file, each once.
    pub members: Vec<Member>,
}

/// An address in a table, and who has a say in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The address.
    pub address: Prefix,
    /// How many of `rules` must be up.
    pub combine: Combine,
    /// In only while no other address of the table is up. `backup`.
    pub backup: bool,
    /// The firewall forgets its clients when it leaves. `kill_states`.
    pub kill_states: bool,
    /// Those that name it, in the order of the file; never empty.
    pub rules: Vec<RuleId>,
}

/// What holds the tables. `dataplane`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataPlaneChoice {
    /// pf on FreeBSD, nftables on Linux.
    #[default]
    Auto,
    /// pf by its device.
    Pf,
    /// pf by way of pfctl(8).
    Pfctl,
    /// nftables by netlink.
    Nftables,
    /// This process's memory: nothing outside it.
    Memory,
}

impl DataPlaneChoice {
    /// The same, with what `Auto` stands for here in its place.
    pub fn here(self) -> Self {
        match self {
            Self::Auto if cfg!(target_os = "freebsd") => Self::Pf,
            Self::Auto => Self::Nftables,
            Self::Pf | Self::Pfctl | Self::Nftables | Self::Memory => self,
        }
    }

    /// Why nothing can be kept by it on this system, and what is there in its place, where that is so.
    pub fn elsewhere(self) -> Option<&'static str> {
        match self.here() {
            Self::Pf if cfg!(not(target_os = "freebsd")) => {
                Some("dataplane pf is FreeBSD's; on this system write nftables, or memory")
            }
            Self::Nftables if cfg!(not(target_os = "linux")) => {
                Some("dataplane nftables is Linux's; on this system write pf, or memory")
            }
            // A program of that name may be there anywhere.
            Self::Pf | Self::Pfctl | Self::Nftables | Self::Memory | Self::Auto => None,
        }
    }

    /// How often its tables are read when the file does not say: `reconcile`.
    pub fn reconcile_default(self) -> Duration {
        match self.here() {
            Self::Pf => Duration::from_secs(1),
            // A program for each table; or foreign changes are noticed at once; or there are none.
            Self::Pfctl | Self::Nftables | Self::Memory | Self::Auto => Duration::from_secs(10),
        }
    }
}

/// What is said of all tables, once for the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firewall {
    /// `dataplane`.
    pub dataplane: DataPlaneChoice,
    /// Tables are read and never written, and no change command runs. `dry_run`.
    pub dry_run: bool,
    /// How often tables are read and repaired; above 0. `reconcile`.
    pub reconcile: Duration,
    /// The directory of what is remembered from one start to the next. `state_dir`.
    pub state_dir: Box<str>,
    /// Slots of nftables maps that have no addresses but slots; 1 to [`SLOTS_MAX`]. `slots`.
    pub slots: u32,
}

/// `slots` when the file does not say.
pub const SLOTS_DEFAULT: u32 = 256;

/// The most that `slots` can be.
pub const SLOTS_MAX: u32 = 65_536;

/// `state_dir` when the file does not say.
pub const STATE_DIR_DEFAULT: &str = if cfg!(target_os = "linux") { "/var/lib/hfm" } else { "/var/db/hfm" };

impl Default for Firewall {
    fn default() -> Self {
        Self {
            dataplane: DataPlaneChoice::Auto,
            dry_run: false,
            reconcile: DataPlaneChoice::Auto.reconcile_default(),
            state_dir: STATE_DIR_DEFAULT.into(),
            slots: SLOTS_DEFAULT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn an_address_is_the_network_of_its_whole_length() {
        assert_eq!(prefix("10.0.0.1"), prefix("10.0.0.1/32"));
        assert_eq!(prefix("2001:db8::1"), prefix("2001:DB8:0::1/128"));
        assert_eq!(prefix("10.0.0.1/32").to_string(), "10.0.0.1");
        assert_eq!(prefix("2001:db8::/32").to_string(), "2001:db8::/32");
        assert_eq!(prefix("0.0.0.0/0").to_string(), "0.0.0.0/0");
    }

    #[test]
    fn what_no_table_can_hold_is_told_apart() {
        let network = Prefix::network("10.0.0.0".parse().unwrap(), 24);
        for (text, error) in [
            ("", PrefixError::Address),
            ("web1", PrefixError::Address),
            ("!10.0.0.1", PrefixError::Address),
            ("10.0.0", PrefixError::Address),
            ("010.0.0.1", PrefixError::Address),
            ("10.0.0.1 ", PrefixError::Address),
            ("[::1]", PrefixError::Address),
            ("fe80::1%em0", PrefixError::Scoped),
            ("web%1", PrefixError::Address),
            ("::ffff:10.0.0.1", PrefixError::Mapped(Ipv4Addr::new(10, 0, 0, 1))),
            ("10.0.0.0/33", PrefixError::Length(32)),
            ("10.0.0.0/", PrefixError::Length(32)),
            ("10.0.0.0/+8", PrefixError::Length(32)),
            ("10.0.0.0/24/8", PrefixError::Length(32)),
            ("::/129", PrefixError::Length(128)),
            ("::/0128", PrefixError::Length(128)),
            ("10.0.0.7/24", PrefixError::HostBits(network)),
        ] {
            assert_eq!(text.parse::<Prefix>(), Err(error), "{text}");
        }
    }
}
