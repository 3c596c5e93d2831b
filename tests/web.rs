//! The status page in a real browser: Debian's Chromium, driven by its chromedriver, beside a server that plays hfm
//! and before the built one. On Linux alone, as what it is made of: namespaces, and all addresses of 127.0.0.0/8.
//!
//! With `HFM_WEB_URL=http://ADDRESS:PORT/` what holds of any hfm is asked of the one there as well. With
//! `HFM_SCREENSHOTS=DIR` pictures of the page are left in that directory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[path = "web/driver.rs"]
mod driver;
#[path = "daemon/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;
#[path = "web/site.rs"]
mod site;
#[path = "support/skip.rs"]
mod skip;
#[path = "web/stand_in.rs"]
mod stand_in;
#[path = "control/talk.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod talk;
#[path = "web/terminal.rs"]
mod terminal;
#[path = "web/world.rs"]
mod world;

#[path = "web/any_hfm.rs"]
mod any_hfm;
#[path = "web/axe.rs"]
mod axe;
#[path = "web/crowd.rs"]
mod crowd;
#[path = "web/demo.rs"]
mod demo;
#[path = "web/gateway.rs"]
mod gateway;
#[path = "web/hidden.rs"]
mod hidden;
#[path = "web/hostile.rs"]
mod hostile;
#[path = "web/keyboard.rs"]
mod keyboard;
#[path = "web/layout.rs"]
mod layout;
#[path = "web/live.rs"]
mod live;
#[path = "web/many.rs"]
mod many;
#[path = "web/pictures.rs"]
mod pictures;
#[path = "web/real.rs"]
mod real;
#[path = "web/shows.rs"]
mod shows;
#[path = "web/strangers.rs"]
mod strangers;
