//! nginx: kept connections, chunks, PROXY headers, old HTTP.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::Place;
use crate::probe::{self, AMPLE};
use crate::program::{Program, is_installed, start};
use crate::skip::skip;

/// Where it listens too; a path short enough for a socket wherever the tests are.
fn socket() -> PathBuf {
    std::env::temp_dir().join(format!("hfm-nginx-{}.sock", std::process::id()))
}

fn nginx(place: &Place) -> (Program, [u16; 2]) {
    start(&place.path.join("nginx.log"), |[plain, proxied]: [u16; 2]| {
        let (directory, socket) = (place.path.display(), socket().display().to_string());
        let config = place.write(
            "nginx.conf",
            &format!(
                "daemon off;\nmaster_process off;\npid {directory}/pid;\nerror_log stderr;\n\
                 events {{ worker_connections 64; }}\n\
                 http {{\n  access_log off;\n  \
                 client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2;\n  \
                 fastcgi_temp_path {directory}/t3; uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;\n  \
                 default_type text/html;\n  server {{\n    listen 127.0.0.1:{plain};\n    listen unix:{socket};\n    root {directory}/root;\n    \
                 location = /chunked.html {{ ssi on; }}\n    location = /gone {{ return 404; }}\n    \
                 location = /nothing {{ return 204; }}\n  }}\n  \
                 server {{\n    listen 127.0.0.1:{proxied} proxy_protocol;\n    \
                 location / {{ return 200 'from $proxy_protocol_addr.\\n'; }}\n  }}\n}}\n"
            ),
        );
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&place.path).arg("-c").arg(config);
        command
    })
}

#[test]
fn nginx_is_probed_as_it_is_run() {
    if !is_installed("nginx") {
        return skip("nginx_is_probed_as_it_is_run: nginx is not installed");
    }
    let place = Place::new("loopback-nginx");
    std::fs::create_dir_all(place.path.join("root")).expect("a directory");
    let page = format!("<p>hello</p>\n{}<p>the end</p>\n", "<p>more</p>\n".repeat(4_000));
    place.write("root/page.html", &page);
    place.write("root/chunked.html", &format!("<!--#echo var='request_method' -->\n{page}"));
    let (mut nginx, [plain, proxied]) = nginx(&place);
    let url = |path: &str| format!("http://127.0.0.1:{plain}{path}");
    let last = "expect='the end'";

    for path in ["/page.html", "/chunked.html"] {
        for more in ["http_version=1.1", "http_version=1.0", "reuse=yes"] {
            probe::expect(path, &url(path), &[AMPLE, more, last], "ok");
        }
        // Whether the whole page is looked at, its beginning, or nothing of it, one connection does.
        for pattern in [last, "expect=hello", "http_status=200"] {
            let arguments = ["timeout=100ms", "-i", "100ms", pattern, "reuse=yes", "-c", "6"];
            let told = probe::probe(&url(path), &arguments);
            let connects = told.runs.iter().filter(|run| run.reached("connect_us")).count();
            assert!(told.all_ok() && connects == 1, "{told:?}");
        }
    }
    let head = "expect_header='Transfer-Encoding: ^chunked$'";
    probe::expect("chunked", &url("/chunked.html"), &[AMPLE, head, "expect=GET"], "ok");
    probe::expect("HEAD", &url("/page.html"), &[AMPLE, "http_method=HEAD", "reuse=yes", "-c", "1"], "ok");
    probe::expect("204", &url("/nothing"), &[AMPLE, "http_status=204"], "ok");
    probe::expect("404", &url("/gone"), &[AMPLE], "http-status");
    probe::expect("missing", &url("/page.html"), &[AMPLE, "expect=bye"], "pattern-missing");

    // A Host that is empty would be refused.
    let local = format!("http+unix://{}:/page.html", socket().display());
    probe::expect("a local socket", &local, &[AMPLE, last], "ok");

    let told = probe::probe(&url("/nothing"), &[AMPLE, "reuse=yes", "-c", "20"]);
    let connects = told.runs.iter().filter(|run| run.reached("connect_us")).count();
    assert!(told.all_ok() && connects == 1, "{told:?}");

    let url = format!("http://127.0.0.1:{proxied}/");
    probe::expect("v1", &url, &[AMPLE, "proxy_protocol=v1", "expect='from 127.0.0.1.'"], "ok");
    probe::expect("v2", &url, &[AMPLE, "proxy_protocol=v2", "expect_regex='^from '"], "ok");
    let told = probe::probe(&url, &[AMPLE]);
    assert!(["closed", "reset"].contains(&&*told.only().reason), "{told:?}");
    assert!(nginx.0.try_wait().expect("a child").is_none(), "it ran all the time");
    let _ = std::fs::remove_file(socket());
}
