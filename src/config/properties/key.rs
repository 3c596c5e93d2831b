//! The keys by which settings are kept: a field each for hfm's own, one map for all that came later.

/// What each property fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `status`
    Status,
    /// `test`
    Test,
    /// `test_arguments`
    TestArguments,
    /// `start_delay`
    StartDelay,
    /// `runs`
    Runs,
    /// `interval`
    Interval,
    /// `interval_fail`
    IntervalFail,
    /// `timeout_int`
    TimeoutInt,
    /// `timeout_kill`
    TimeoutKill,
    /// `change_success`
    ChangeSuccess,
    /// `change_success_arguments`
    ChangeSuccessArguments,
    /// `change_success_debounce`
    ChangeSuccessDebounce,
    /// `change_fail`
    ChangeFail,
    /// `change_fail_arguments`
    ChangeFailArguments,
    /// `change_fail_debounce`
    ChangeFailDebounce,
    /// `change_fail_reset`
    ChangeFailReset,
    /// `hold_down`
    HoldDown,
    /// `hold_down_max`
    HoldDownMax,
    /// `requires`
    Requires,
    /// `guard`
    Guard,
    /// `spread`
    Spread,
    /// `change_timeout`
    ChangeTimeout,
    /// `change_max`
    ChangeMax,
    /// Kept by name, without a field of its own.
    Setting(Setting),
}

/// The properties that are kept in one map: reading, merging and inheriting them is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// `timeout`
    Timeout,
    /// `resolve`
    Resolve,
    /// `family`
    Family,
    /// `connect`
    Connect,
    /// `source`
    Source,
    /// `interface`
    Interface,
    /// `fib`
    Fib,
    /// `mark`
    Mark,
    /// `proxy_protocol`
    ProxyProtocol,
    /// `http_method`
    HttpMethod,
    /// `http_version`
    HttpVersion,
    /// `http_headers`
    HttpHeaders,
    /// `http_body`
    HttpBody,
    /// `http_status`
    HttpStatus,
    /// `expect`
    Expect,
    /// `expect_regex`
    ExpectRegex,
    /// `reject`
    Reject,
    /// `reject_regex`
    RejectRegex,
    /// `expect_header`
    ExpectHeader,
    /// `reject_header`
    RejectHeader,
    /// `max_body`
    MaxBody,
    /// `send`
    Send,
    /// `send_hex`
    SendHex,
    /// `dialogue`
    Dialogue,
    /// `tls_verify`
    TlsVerify,
    /// `tls_ca`
    TlsCa,
    /// `tls_name`
    TlsName,
    /// `tls_alpn`
    TlsAlpn,
    /// `tls_min`
    TlsMin,
    /// `tls_cert`
    TlsCert,
    /// `tls_key`
    TlsKey,
    /// `tls_expiry`
    TlsExpiry,
    /// `tls_resume`
    TlsResume,
    /// `reuse`
    Reuse,
    /// `close`
    Close,
    /// `interval_debounce`
    IntervalDebounce,
    /// `tables`
    Tables,
    /// `addresses`
    Addresses,
    /// `combine`
    Combine,
    /// `backup`
    Backup,
    /// `min_up`
    MinUp,
    /// `panic`
    Panic,
    /// `kill_states`
    KillStates,
    /// `demote`
    Demote,
    /// `slots`
    Slots,
    /// `dataplane`
    DataPlane,
    /// `dry_run`
    DryRun,
    /// `reconcile`
    Reconcile,
    /// `state_dir`
    StateDir,
    /// `user`
    User,
    /// `group`
    Group,
    /// `log_format`
    LogFormat,
    /// `control`
    Control,
    /// `listen`
    Listen,
    /// `demotion`
    Demotion,
}
