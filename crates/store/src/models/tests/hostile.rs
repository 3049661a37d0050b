//! Files that are damaged, are something else, or change while they are read.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

#[test]
fn damage_is_named() {
    let (_dir, registry) = with_versions(1);
    let dir = registry.version_dir(&name(), version(1));
    let model = dir.join(MODEL_FILE);
    fs::write(&model, "model l").unwrap();
    let shown = refused(&registry);
    assert!(
        shown.contains("model.onnx has SHA-256") && shown.contains("damaged"),
        "{shown}"
    );
    fs::write(&model, "model 1").unwrap();
    fs::write(dir.join(GOLDEN_FILE), "{ }").unwrap();
    assert!(refused(&registry).contains("golden.json has SHA-256"));
    fs::remove_file(dir.join(GOLDEN_FILE)).unwrap();
    assert!(refused(&registry).contains("golden.json does not exist"));
    let card = fs::read_to_string(dir.join(CARD_FILE)).unwrap();
    for (from, to, expected) in [
        (
            "version = 1",
            "version = 2",
            "says lstm/2, and stands in the place of lstm/1",
        ),
        ("version = 1", "version = 0", "line 2: "),
        (
            "name = \"lstm\"",
            "name = \"../lstm\"",
            "is not a model's name",
        ),
        ("lstm-step/1", "gpt/9", "unknown variant `gpt/9`"),
        ("sha256 = \"", "sha256 = \"Z", "64 hexadecimal digits"),
        ("licence", "lisence", "unknown field `lisence`"),
    ] {
        fs::write(dir.join(GOLDEN_FILE), "{}").unwrap();
        fs::write(dir.join(CARD_FILE), card.replacen(from, to, 1)).unwrap();
        let shown = refused(&registry);
        assert!(
            shown.contains("card.toml") && shown.contains(expected),
            "{shown}"
        );
    }
}

#[test]
fn links_pipes_and_giants_are_refused_unread() {
    let (outside, registry) = with_versions(1);
    let dir = registry.version_dir(&name(), version(1));
    let model = dir.join(MODEL_FILE);
    let secret = outside.path().join("secret");
    fs::write(&secret, "model 1").unwrap();
    fs::remove_file(&model).unwrap();
    symlink(&secret, &model).unwrap();
    assert!(refused(&registry).contains("model.onnx is a symbolic link"));

    fs::remove_file(&model).unwrap();
    fs::create_dir(&model).unwrap();
    assert!(refused(&registry).contains("model.onnx is not a plain file"));

    // A pipe that nobody writes to: opening it must not wait.
    fs::remove_dir(&model).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &model,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    assert!(refused(&registry).contains("model.onnx is not a plain file"));

    // Sparse: 300 MiB that take no room, and must not be read either.
    fs::remove_file(&model).unwrap();
    fs::File::create(&model)
        .unwrap()
        .set_len(300 << 20)
        .unwrap();
    assert!(refused(&registry).contains("has 314572800 bytes, at most 268435456 are read"));

    fs::rename(&dir, outside.path().join("moved")).unwrap();
    symlink(outside.path().join("moved"), &dir).unwrap();
    let shown = refused(&registry);
    assert!(shown.contains("lstm/1 is a symbolic link"), "{shown}");
    let listing = registry.list().unwrap();
    assert_eq!(listing.models[0].versions, []);
    assert!(listing.ignored[0].why.contains("symbolic link"));
}

/// A writer replaces the three files over and over, one after another, as a careless copy does. Whoever reads meanwhile
/// gets a bundle whose parts belong together, or a refusal.
#[test]
fn a_directory_that_changes_while_it_is_read_is_whole_or_refused() {
    let (_dir, registry) = with_versions(2);
    let [a, b] = [1, 2].map(|n| {
        registry
            .read_loose(&registry.version_dir(&name(), version(n)))
            .unwrap()
    });
    let place = registry.version_dir(&name(), version(1));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                turn += 1;
                let bundle = if turn % 2 == 0 { &a } else { &b };
                let mut card = bundle.card.clone();
                card.version = version(1);
                fs::write(place.join(CARD_FILE), card.to_text().unwrap()).unwrap();
                fs::write(place.join(MODEL_FILE), &bundle.model).unwrap();
            }
        });
        for _ in 0..2_000 {
            if let Ok(bundle) = registry.read(&name(), version(1)) {
                assert_eq!(sha256_hex(&bundle.model), bundle.card.sha256);
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_pointer_that_is_none_is_named_and_nothing_is_removed() {
    let (_dir, registry) = with_versions(3);
    let path = registry.model_dir(&name()).join("champion");
    for text in ["", "3", "03\n", "../1\n", "three\n", "3\n4\n"] {
        fs::write(&path, text).unwrap();
        let shown = registry.champion(&name()).unwrap_err().to_string();
        assert!(shown.contains("champion holds"), "{shown}");
        assert!(registry.gc(&name(), 0, NOW).is_err());
    }
    assert_eq!(registry.versions(&name()).unwrap().len(), 3);
}
