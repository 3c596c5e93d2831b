//! The target of the benchmarks: a haproxy on loopback that answers 200, in plain text and over TLS.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Where it speaks HTTP.
pub(crate) const HTTP_PORT: u16 = 18_080;
/// Where it speaks HTTPS.
pub(crate) const HTTPS_PORT: u16 = 18_443;

/// Starts it; its certificate is `cert.pem` in the directory.
pub(crate) fn start(directory: &Path) -> Child {
    let (certificate, key, both) =
        (directory.join("cert.pem"), directory.join("key.pem"), directory.join("both.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl").success(), "openssl makes no certificate");
    let pem = [fs::read(&certificate).expect("it was made"), fs::read(&key).expect("it was made")].concat();
    fs::write(&both, pem).expect("both in one file");
    let config = format!(
        "global\n maxconn 9000\n tune.ssl.cachesize 0\n nbthread 1\n\
         defaults\n mode http\n timeout client 5s\n timeout connect 5s\n timeout server 5s\n maxconn 9000\n\
         frontend plain\n bind 127.0.0.1:{HTTP_PORT} backlog 8192\n http-request return status 200\n\
         frontend secure\n bind 127.0.0.1:{HTTPS_PORT} backlog 8192 ssl crt {} no-tls-tickets\n \
         http-request return status 200\n",
        both.display()
    );
    let mut child = haproxy(directory, "target", &config);
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().expect("it can be asked").is_none(), "haproxy does not start: see its log");
    child
}

/// Starts a haproxy with this configuration.
pub(crate) fn haproxy(directory: &Path, name: &str, config: &str) -> Child {
    let file = directory.join(format!("{name}.cfg"));
    fs::write(&file, config).expect("haproxy's configuration");
    let log = fs::File::create(directory.join(format!("{name}.log"))).expect("a file for haproxy's output");
    Command::new("haproxy")
        .arg("-db")
        .arg("-f")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("haproxy")
}

/// Ends a process and waits for it.
pub(crate) fn end(child: &mut Child) {
    signal(child, Signal::SIGTERM);
    child.wait().expect("it ends");
}

/// Sends a signal to a process that still runs.
pub(crate) fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    kill(pid, signal).expect("it still runs");
}
