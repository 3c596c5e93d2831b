//! Giving memory back.

/// Pieces from this size on are taken from the system one by one, and go back to it when they are freed.
///
/// glibc begins with this too, but takes each such piece that is freed for a reason to keep larger ones from then on (up
/// to 32 MiB, and twice as much at the end of each thread's part): after a reload what it took to read would stay.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE_BYTES: libc::c_int = 128 * 1024;

/// Has large pieces go back to the system for as long as this process lives. To be called before much is allocated.
/// Where the C library is not glibc the allocator sees to that by itself.
pub fn give_large_pieces_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt(3) takes numbers. One that it does not take leaves everything as it was.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
    }
}

/// Gives back to the system what the allocator keeps after a large tree was dropped (malloc_trim(3)).
/// Where the C library is not glibc the allocator sees to that by itself.
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes a number and touches only memory that nobody holds.
    unsafe {
        libc::malloc_trim(0);
    }
}
