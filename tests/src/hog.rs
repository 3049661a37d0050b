//! Eats what a machine has, until it is killed or its parent is gone: `hog cpu THREADS`, `hog memory MIB`.
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
    let amount = arguments.get(1).and_then(|amount| amount.parse().ok());
    // Held to the end: what is dropped is given back.
    let _held = match (arguments.first().map(String::as_str), amount) {
        (Some("cpu"), Some(threads)) => {
            (0..threads).for_each(|_| drop(thread::spawn(spin)));
            Vec::new()
        }
        (Some("memory"), Some(mib)) => touched(mib << 20),
        _ => {
            eprintln!("usage: hog cpu THREADS | hog memory MIB");
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

fn touched(bytes: usize) -> Vec<u8> {
    let mut memory = vec![0; bytes];
    for byte in memory.iter_mut().step_by(PAGE) {
        *byte = 1;
    }
    black_box(memory)
}
