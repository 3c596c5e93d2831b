//! Giving memory back.

/// Gives back to the system what the allocator keeps after a large tree was dropped (malloc_trim(3)).
/// Where the C library is not glibc the allocator sees to that by itself.
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes a number and touches only memory that nobody holds.
    unsafe {
        libc::malloc_trim(0);
    }
}
