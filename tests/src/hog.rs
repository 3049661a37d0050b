//! Eats what a machine has, until it is killed or its parent is gone: `hog cpu THREADS`, or
//! `hog memory CLAIMED_MIB TOUCHED_MIB`.
//!
//! A binary of its own, so that the server sees a process by this name.

use std::hint::black_box;
use std::io::Read;
use std::process::ExitCode;
use std::thread;

/// The smallest page that Linux has: touching one byte in each makes all of it resident.
const PAGE: usize = 4096;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let amount = |i: usize| arguments.get(i)?.parse::<usize>().ok();
    // Held to the end: what is dropped is given back.
    let what = arguments.first().map(String::as_str);
    let _held = match (what, amount(1), amount(2)) {
        (Some("cpu"), Some(threads), None) => {
            (0..threads).for_each(|_| drop(thread::spawn(spin)));
            Vec::new()
        }
        (Some("memory"), Some(claimed), Some(touched)) => memory(claimed << 20, touched << 20),
        _ => {
            eprintln!("usage: hog cpu THREADS | hog memory CLAIMED_MIB TOUCHED_MIB");
            return ExitCode::FAILURE;
        }
    };
    // The parent holds the other end. However the parent ends, this read does too.
    let _ = std::io::stdin().read(&mut [0]);
    ExitCode::SUCCESS
}

fn spin() {
    let mut x = 1_u64;
    loop {
        x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

/// Fresh zeroes are a promise of the kernel's, kept page by page as they are touched.
fn memory(claimed: usize, touched: usize) -> Vec<u8> {
    let mut memory = vec![0; claimed];
    for byte in memory.iter_mut().take(touched).step_by(PAGE) {
        *byte = 1;
    }
    black_box(memory)
}
