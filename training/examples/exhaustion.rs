#![allow(missing_docs, clippy::all, clippy::pedantic)]
use features::headroom;
use ndarray::ArrayView2;
use predict::exhaustion::{KNOT_S, KNOTS, Survival};
use std::io::{BufRead, Write};
use training::Rng;
use training::exhaustion::{episode, network::*, service};

fn class(rem_bins: f64) -> u8 {
    let s = rem_bins * 20.0;
    KNOT_S.partition_point(|&k| k < s) as u8
}
fn main() {
    let arg: Vec<String> = std::env::args().collect();
    if arg[1] == "show" {
        for i in 0..40u64 {
            let mut rng = Rng::new(9, i);
            let ep = match arg[2].as_str() {
                "cpu" => service::cpu(&mut rng),
                "dependency" => service::dependency(&mut rng),
                _ => episode::stock(&mut rng),
            };
            let c: Vec<String> = (0..3)
                .map(|c| {
                    ep.seen
                        .iter()
                        .map(|x| format!("{:.4}", x[c]))
                        .collect::<Vec<_>>()
                        .join(",")
                })
                .collect();
            println!("{} {} {}", ep.event, ep.onset, c.join(";"));
        }
        return;
    }
    if arg[1] == "cost" {
        let ep = episode::stock(&mut Rng::new(1, 5));
        let mut l: Vec<f32> = (0..256)
            .map(|i| 0.3 + 0.2 * (i as f32 * 0.1).sin())
            .collect();
        let (mut sum, mut least) = (0.0, u128::MAX);
        for i in 0..2000 {
            l[i % 256] += 1e-3;
            let t = std::time::Instant::now();
            for j in 0..10 {
                sum += headroom::columns(std::hint::black_box(&l))[j];
            }
            least = least.min(t.elapsed().as_nanos() / 10);
        }
        println!("{least} ns a row ({sum} {})", ep.event);
        return;
    }
    let n_eps: usize = arg[1].parse().unwrap();
    let steps: usize = arg[2].parse().unwrap();
    let t = std::time::Instant::now();
    let what = arg[5].clone();
    let service = what == "service";
    let width = if service {
        3 * headroom::N_HEADROOM + 1
    } else {
        headroom::N_HEADROOM
    };
    let zero: Vec<usize> = std::env::var("ZERO").map_or(vec![], |v| {
        v.split(',').map(|x| x.parse().unwrap()).collect()
    });
    let row = |ch: &[[f32; 3]], cpu: bool, out: &mut Vec<f32>| {
        let from = ch.len().saturating_sub(headroom::TRACE_BINS);
        for c in 0..if service { 3 } else { 1 } {
            let l: Vec<f32> = ch[from..].iter().map(|x| x[c]).collect();
            let mut r = headroom::columns(&l);
            for &z in &zero {
                r[z] = 0.0;
            }
            out.extend(r);
        }
        if service {
            out.push(f32::from(u8::from(cpu)));
        }
    };
    let make = |seed: u64, n: usize, k: usize| {
        let mut ex = Examples::default();
        let mut rems: Vec<f64> = Vec::new();
        for i in 0..n {
            let mut rng = Rng::new(seed, i as u64);
            let cpu = i % 2 == 0;
            let ep = if !service {
                episode::stock(&mut rng)
            } else if cpu {
                service::cpu(&mut rng)
            } else {
                service::dependency(&mut rng)
            };
            let last = ep.asked();
            if last <= 5 {
                continue;
            }
            for _ in 0..k {
                let t = 5 + rng.below(last - 5);
                let Some(rem) = ep.remaining(t) else { continue };
                row(&ep.seen[..=t], cpu, &mut ex.rows);
                ex.classes.push(class(rem));
                rems.push(rem / 3.0);
            }
        }
        (ex, rems)
    };
    let env = |k: &str, d: f64| std::env::var(k).map_or(d, |v| v.parse().unwrap());
    if let Ok(path) = std::env::var("DUMP") {
        let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
        let (ex, _) = make(3, n_eps, 4);
        for (i, c) in ex.classes.iter().enumerate() {
            let r: Vec<String> = ex.rows[i * width..(i + 1) * width]
                .iter()
                .map(|x| format!("{x:.4}"))
                .collect();
            writeln!(out, "s {c} {}", r.join(" ")).unwrap();
        }
        for line in std::io::BufReader::new(std::fs::File::open("/tmp/xm/dev.txt").unwrap()).lines()
        {
            let line = line.unwrap();
            let f: Vec<&str> = line.split(' ').collect();
            if (f[1] == "stock") == service {
                continue;
            }
            let ts: Vec<f64> = f[2].split(',').map(|x| x.parse().unwrap()).collect();
            let cs: Vec<Vec<f32>> = f[3]
                .split(';')
                .map(|c| c.split(',').map(|x| x.parse().unwrap()).collect())
                .collect();
            let x: Vec<[f32; 3]> = (0..cs[0].len())
                .map(|i| {
                    [
                        cs[0][i],
                        cs.get(1).map_or(0.0, |c| c[i]),
                        cs.get(2).map_or(0.0, |c| c[i]),
                    ]
                })
                .collect();
            for q in f[4].split(',') {
                let n = ts.partition_point(|t| *t <= q.parse::<f64>().unwrap() + 1e-9);
                if n < 2 {
                    continue;
                }
                let mut r = Vec::new();
                row(&x[..n], f[1] == "cpu", &mut r);
                let r: Vec<String> = r.iter().map(|x| format!("{x:.4}")).collect();
                writeln!(out, "d {} {}", f[0], r.join(" ")).unwrap();
            }
        }
        return;
    }
    let (ex, _) = make(1, n_eps, env("K", 12.0) as usize);
    let (val, rems) = make(2, 3000, 6);
    let mut h = [0usize; KNOTS + 1];
    ex.classes.iter().for_each(|c| h[*c as usize] += 1);
    eprintln!(
        "{} rows in {:.1} s; classes {h:?}",
        ex.classes.len(),
        t.elapsed().as_secs_f64()
    );
    let t = std::time::Instant::now();
    let w = width;
    let sch = Schedule {
        hidden: std::env::var("HIDDEN")
            .unwrap_or("128,64".into())
            .split(',')
            .map(|v| v.parse().unwrap())
            .collect(),
        batch: 256,
        steps,
        rate: env("RATE", 2e-3) as f32,
        decay: env("DECAY", 0.01) as f32,
        seed: 1,
    };
    let m = Mlp::train(&ex, w, KNOTS + 1, &sch, |s, l| {
        if s % 1000 == 0 {
            eprintln!("{s} {l:.4} {:.1}s", t.elapsed().as_secs_f64())
        }
    });
    let p = m.run(ArrayView2::from_shape((val.classes.len(), w), &val.rows).unwrap());
    let nll: f64 = p
        .rows()
        .into_iter()
        .zip(&val.classes)
        .map(|(r, c)| -(r[*c as usize].max(1e-9) as f64).ln())
        .sum::<f64>()
        / val.classes.len() as f64;
    eprintln!(
        "validation nll {nll:.4} in {:.1}s",
        t.elapsed().as_secs_f64()
    );
    {
        let mut by: Vec<(f64, bool)> = Vec::new();
        let (mut errs, mut widths, mut inside, mut n, mut brier) = (vec![], vec![], 0.0, 0.0, 0.0);
        for (r, &rem) in p.rows().into_iter().zip(&rems) {
            let (s, c) = survivals(r.as_slice().unwrap());
            let p30 = s.within(1800.0);
            by.push((p30, rem <= 30.0));
            brier += (p30 - f64::from(u8::from(rem <= 30.0))).powi(2);
            if rem > 5.0 && rem <= 30.0 {
                errs.push((c.quantile_s(0.5) / 60.0 - rem).abs() / rem);
            }
            if rem > 1.0 && rem <= 60.0 {
                let (a, b) = (c.quantile_s(0.05) / 60.0, c.quantile_s(0.95) / 60.0);
                widths.push((b - a) / rem);
                n += 1.0;
                inside += f64::from(u8::from(a - 0.33 <= rem && rem <= b + 0.33));
            }
        }
        by.sort_by(|a, b| b.0.total_cmp(&a.0));
        let all = by.iter().filter(|x| x.1).count() as f64;
        let (mut hits, mut ap, mut tp, mut fp) = (0.0, 0.0, 0.0, 0.0);
        for (i, (p, y)) in by.iter().enumerate() {
            if *y {
                hits += 1.0;
                ap += hits / (i + 1) as f64 / all;
            }
            if *p >= 0.5 {
                if *y { tp += 1.0 } else { fp += 1.0 }
            }
        }
        errs.sort_by(f64::total_cmp);
        widths.sort_by(f64::total_cmp);
        eprintln!(
            "SIM f1 {:.3} ap {ap:.3} brier {:.4} ttf {:.3} {:.3} coverage {:.3} width {:.2}",
            2.0 * tp / (tp + fp + all),
            brier / by.len() as f64,
            errs[errs.len() / 2],
            errs[errs.len() * 9 / 10],
            inside / n,
            widths[widths.len() / 2]
        );
    }
    // dev
    for (suffix, theta) in [("", 0.3), (".t20", 0.2), (".t10", 0.1), (".t05", 0.05)] {
        let mut out = std::fs::File::create(format!("{}{suffix}", arg[3])).unwrap();
        writeln!(out, "episode,ts,p5,p15,p30,ttf_q05,ttf_q50,ttf_q95").unwrap();
        for line in std::io::BufReader::new(std::fs::File::open("/tmp/xm/dev.txt").unwrap()).lines()
        {
            let line = line.unwrap();
            let f: Vec<&str> = line.split(' ').collect();
            if (f[1] == "stock") == service {
                continue;
            }
            let ts: Vec<f64> = f[2].split(',').map(|x| x.parse().unwrap()).collect();
            let cs: Vec<Vec<f32>> = f[3]
                .split(';')
                .map(|c| c.split(',').map(|x| x.parse().unwrap()).collect())
                .collect();
            let x: Vec<[f32; 3]> = (0..cs[0].len())
                .map(|i| {
                    [
                        cs[0][i],
                        cs.get(1).map_or(0.0, |c| c[i]),
                        cs.get(2).map_or(0.0, |c| c[i]),
                    ]
                })
                .collect();
            for q in f[4].split(',') {
                let qt: f64 = q.parse().unwrap();
                let n = ts.partition_point(|t| *t <= qt + 1e-9);
                if n < 2 {
                    continue;
                }
                let mut r = Vec::new();
                row(&x[..n], f[1] == "cpu", &mut r);
                let p = m.run(ArrayView2::from_shape((1, w), &r).unwrap());
                let (s, c) = survivals(p.row(0).as_slice().unwrap());
                let day = s.within(86400.0);
                let tq = |a: f64| {
                    if day >= theta {
                        c.quantile_s(a)
                    } else {
                        f64::INFINITY
                    }
                };
                writeln!(
                    out,
                    "{},{},{},{},{},{},{},{}",
                    f[0],
                    q,
                    s.within(300.0),
                    s.within(900.0),
                    s.within(1800.0),
                    tq(0.05),
                    tq(0.5),
                    tq(0.95)
                )
                .unwrap();
            }
        }
    }
}
fn survivals(p: &[f32]) -> (Survival, Survival) {
    let mut s = [1.0f32; KNOTS];
    let mut left = 1.0;
    for i in 0..KNOTS {
        left -= p[i];
        s[i] = left.max(0.0);
    }
    let total = 1.0 - s[KNOTS - 1];
    let mut c = s;
    for v in &mut c {
        *v = ((*v - (1.0 - total)) / total.max(1e-6)).max(0.0);
    }
    (Survival(s), Survival(c))
}
