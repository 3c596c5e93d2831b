//! What only the operating system can do, behind safe functions. The one place where `unsafe` may stand.
//!
//! # FreeBSD and Linux
//!
//! All that differs between them, and in which files. `tests/platforms.rs` sees to it that every file which asks for
//! the system is named here. What is said of FreeBSD is compiled and linked for it (`.ci/freebsd`) and its numbers
//! are held against FreeBSD's headers (`tests/freebsd_abi.rs`); it has not been run there.
//!
//! | | FreeBSD | Linux | in |
//! |---|---|---|---|
//! | what a loop waits in | kqueue, by mio | epoll, by mio | `wait.rs` |
//! | waking to the microsecond | EVFILT_TIMER in nanoseconds, in a kqueue of its own | timerfd | `sys/wake_timer.rs` |
//! | which way a probe goes | `fib`: SO_SETFIB | `interface`: SO_BINDTODEVICE; `mark`: SO_MARK | `sys/socket.rs`, `config/native/network.rs` |
//! | a connection that the service never sees | it sees one that is reset | TCP_QUICKACK off | `sys/socket.rs` |
//! | one socket after the other | each is closed | it is disconnected, and connects again: connect(2) to AF_UNSPEC | `sys/socket.rs` |
//! | one port of a `source` for many targets | a port each | IP_BIND_ADDRESS_NO_PORT | `sys/socket.rs` |
//! | the ports of a `source` run out | bind(2): EADDRNOTAVAIL, as for an address that is not ours | connect(2): EADDRNOTAVAIL | `sys/socket.rs` |
//! | how many local ports there are | net.inet.ip.portrange, by sysctl | /proc/sys/net/ipv4/ip_local_port_range | `sys/ports.rs` |
//! | a neighbour does not answer | EHOSTDOWN | EHOSTUNREACH | `sys/socket.rs` |
//! | a local service accepts too slowly | ECONNREFUSED, as if it were not there | EAGAIN, and it is tried again | `sys/socket.rs` |
//! | longest path of a local socket | 103 bytes, and so everywhere | 107 bytes | `config/url.rs` |
//! | asking for a summary | SIGINFO (Ctrl-T), SIGUSR1 | SIGUSR1 | `reactor/signals.rs` |
//! | what holds the tables | pf: /dev/pf, or pfctl(8) | nftables: netlink | `dataplane/mod.rs`, `rule/table.rs`, `sys/mod.rs`, `sys/pf/device.rs` |
//! | what is demoted | CARP's counter, by sysctl; or a file | a file | `config/demotion.rs` |
//! | rights that outlive root | /dev/pf, opened before | capabilities, for each thread | `sys/privilege.rs`, `sys/mod.rs` |
//! | who speaks on the control socket | getpeereid(3), without the process | SO_PEERCRED | `sys/control_socket.rs` |
//! | memory back to the system | the allocator by itself | malloc_trim(3), with glibc | `sys/memory.rs` |
//! | who is demoted | CARP, by sysctl(3) | keepalived, by a file | `demotion/counter.rs`, `sys/mod.rs` |
//! | a thread that stands back behind the others | no: niceness is that of the process | nice(2) | `sys/threads.rs` |
//! | which boot this is | kern.boot_id | /proc/sys/kernel/random/boot_id | `sys/boot.rs` |
//! | closing what a helper was born with | close_range(2) | the same, as a call without a name in some C libraries | `sys/helper.rs` |
//! | limits are numbers of | `i64` | `u64` | `sys/limits.rs` |
//! | more open files | login.conf(5) and kern.maxfilesperproc, which a raise beyond it is cut down to | LimitNOFILE= | `sys/limits.rs` |
//! | the configuration, by default | /usr/local/etc/hfm.conf | /etc/hfm.conf | `cli.rs` |
//! | the control socket, by default | /var/run/hfm.sock | /run/hfm/hfm.sock | `rule/control.rs` |
//! | what is remembered, by default | /var/db/hfm | /var/lib/hfm | `rule/table.rs` |
#![allow(unsafe_code)]

pub mod boot;
#[cfg(target_os = "linux")]
mod capabilities;
#[cfg(target_os = "freebsd")]
pub mod carp;
pub mod clock;
pub mod control_socket;
pub mod files;
pub mod helper;
pub mod identity;
pub mod limits;
pub mod listener;
pub mod memory;
#[cfg(target_os = "linux")]
pub mod netlink;
pub mod notify;
pub mod pf;
pub mod ports;
pub mod privilege;
pub mod process;
pub mod process_lock;
pub mod program;
pub mod socket;
pub mod state_dir;
pub mod syslog;
pub mod terminal;
pub mod threads;
pub mod usage;
pub mod wake_timer;
pub mod whole_files;
