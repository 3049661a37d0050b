//! Compiles the protobuf files with a compiler written in Rust: nobody needs protoc to build the engine.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

const FILES: [&str; 13] = [
    "forestall/v1/series",
    "forestall/v1/ingest",
    "forestall/v1/risk",
    "forestall/v1/outlook",
    "forestall/v1/scoring",
    "forestall/v1/feedback",
    "forestall/v1/server",
    "forestall/v1/capture",
    "forestall/v1/models",
    "forestall/v1/plan",
    "forestall/v1/issue",
    "forestall/v1/safety",
    "inference/v2",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true);
    compiler.include_source_info(true);
    for file in FILES {
        compiler.open_file(format!("{file}.proto"))?;
    }
    let described = compiler.file_descriptor_set();

    // What reflection serves carries no comments: they would double its size.
    let mut bare = described.clone();
    for file in &mut bare.file {
        file.source_code_info = None;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells a build script where to write by this variable alone"
    )]
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("forestall.bin"),
        protox::prost::Message::encode_to_vec(&bare),
    )?;

    tonic_prost_build::configure()
        // Labels in a sorted map: the same message always has the same bytes.
        .btree_map(".forestall.v1")
        // Tensors are cut out of the message that they came in, and put into answers, without a copy.
        .bytes(".inference")
        .compile_fds(described)?;
    Ok(())
}
