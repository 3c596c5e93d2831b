//! The built hfmctl from end to end, beside a server that plays what it is told to.
#[path = "hfmctl/server.rs"]
mod server;
#[path = "support/skip.rs"]
mod skip;

#[path = "hfmctl/answers.rs"]
mod answers;
#[path = "hfmctl/broken_servers.rs"]
mod broken_servers;
#[path = "hfmctl/completions.rs"]
mod completions;
#[path = "hfmctl/watching.rs"]
mod watching;
