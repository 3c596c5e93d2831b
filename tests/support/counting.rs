//! An allocator that counts: for tests of what is allocated, and of how much is held.
#![allow(unsafe_code, reason = "a global allocator is unsafe by its nature; this one only counts")]
#![allow(dead_code, reason = "each test counts something else")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

struct Counting;

thread_local! {
    /// Allocations of this thread.
    pub(crate) static COUNT: Cell<u64> = const { Cell::new(0) };
    /// Bytes that this thread has allocated and not freed.
    pub(crate) static LIVE_BYTES: Cell<isize> = const { Cell::new(0) };
}

/// Bytes that all threads together hold, with what an allocator needs for itself: see [`chunk`].
static HELD_BYTES: AtomicIsize = AtomicIsize::new(0);

/// What all threads together hold at present.
pub(crate) fn held_bytes() -> isize {
    HELD_BYTES.load(Ordering::Relaxed)
}

/// What an allocation takes where each has a header of 8 bytes and is a multiple of 16 (glibc; jemalloc's classes are
/// about as coarse).
fn chunk(bytes: usize) -> usize {
    (bytes + 8).next_multiple_of(16).max(32)
}

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).expect("no layout is larger (Layout::from_size_align)")
}

fn count(allocations: u64, added: usize, removed: usize) {
    // At the very end of a thread there is nothing left to count in.
    let _ = COUNT.try_with(|count| count.set(count.get() + allocations));
    let _ = LIVE_BYTES.try_with(|live| live.set(live.get() + signed(added) - signed(removed)));
    let chunks = |bytes| if bytes == 0 { 0 } else { signed(chunk(bytes)) };
    HELD_BYTES.fetch_add(chunks(added) - chunks(removed), Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; counting touches nothing of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count(1, bytes, layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.realloc(at, layout, bytes) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
