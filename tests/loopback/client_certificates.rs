//! Servers that want to see a certificate of ours.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::certificates::{Authority, Identity, Wanted};
use crate::probe::{self, AMPLE};
use crate::server::{Server, V4};
use crate::tls_server::{Trust, serve_http, server};

const EACH: [&[&SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];

/// `tls_cert` and `tls_key` for this identity.
fn shown(trust: &Trust, name: &str, identity: &Identity) -> [String; 2] {
    let certificate = trust.place.write(&format!("{name}.pem"), &identity.pem());
    let key = trust.place.write(&format!("{name}-key.pem"), &identity.key_pem());
    [format!("tls_cert='{}'", certificate.display()), format!("tls_key='{}'", key.display())]
}

fn expect(server: &Server, trust: &Trust, shown: &[String], reason: &str) -> String {
    let mut properties = vec![AMPLE, &trust.ca];
    properties.extend(shown.iter().map(String::as_str));
    let mut detail = String::new();
    for url in [server.url("tls", ""), server.url("https", "/")] {
        detail = probe::expect("client certificate", &url, &properties, reason).detail;
    }
    detail
}

#[test]
fn a_client_certificate_is_shown_where_it_is_given() {
    for versions in EACH {
        let trust = Trust::new("tls-client");
        let server = server(V4, trust.config_that_asks(versions), serve_http);
        let detail = expect(&server, &trust, &[], "tls-alert");
        let alert = if versions[0].version == rustls::ProtocolVersion::TLSv1_3 {
            "certificate_required"
        } else {
            "handshake_failure"
        };
        let accepts = [alert, "certificate_required"];
        assert!(accepts.iter().any(|alert| detail.contains(alert)), "{versions:?} {detail}");

        let ours = trust.authority.issue(&Wanted::default());
        expect(&server, &trust, &shown(&trust, "ours", &ours), "ok");

        // In TLS 1.3 it is turned down only after the handshake (RFC 8446 section 4.4.2.4).
        let strange = Authority::new().issue(&Wanted::default());
        expect(&server, &trust, &shown(&trust, "strange", &strange), "tls-alert");
        let old = Wanted { from_days: -20, to_days: -2, ..Wanted::default() };
        let old = trust.authority.issue(&old);
        expect(&server, &trust, &shown(&trust, "old", &old), "tls-alert");
    }
}

#[test]
fn a_client_certificate_that_nobody_asks_for_does_no_harm() {
    for versions in EACH {
        let trust = Trust::new("tls-client-unasked");
        let server = server(V4, trust.config(versions), serve_http);
        let ours = trust.authority.issue(&Wanted::default());
        expect(&server, &trust, &shown(&trust, "ours", &ours), "ok");
    }
}

#[test]
fn a_client_certificate_goes_with_a_kept_connection() {
    for versions in EACH {
        let trust = Trust::new("tls-client-kept");
        let server = server(V4, trust.config_that_asks(versions), serve_http);
        let ours = shown(&trust, "ours", &trust.authority.issue(&Wanted::default()));
        let properties = [AMPLE, &trust.ca, &ours[0], &ours[1], "reuse=yes", "-c", "5"];
        assert!(probe::probe(&server.url("https", "/"), &properties).all_ok());
        assert_eq!(server.accepted(), 1);
    }
}
