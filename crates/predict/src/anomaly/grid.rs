//! Which values a statistic has visited, as one bit per cell of a line that stretches and shrinks with the data.
//!
//! The distance to the nearest visited value, over the running range, is how novel a value is. Kept exactly that
//! costs a scan over thousands of samples; as bits it costs a few words, and 512 cells tell novelty to 0.2 % of the
//! range. Two generations of bits, swapped every [`GENERATION`] samples, forget what is older than that.

use bytemuck::{Pod, Zeroable};

use super::range::Range;

const WORDS: usize = 8;
const CELLS: usize = WORDS * 64;
/// Samples between swaps: the memory spans one to two of these.
const GENERATION: u32 = 2000;
/// The line is halved when the range fills less than this share of it.
const SPARSE: f32 = 0.125;

/// The line stretches no further than this.
const LONGEST: f32 = 1e30;

/// The visited cells of one statistic of one series. All zeroes is a statistic never seen.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Grid {
    young: Bits,
    old: Bits,
    /// Left end of the line.
    start: f32,
    /// Width of a cell; 0 while only one value was seen, which is then in `start`.
    cell: f32,
    range: Range,
    /// Values learned in this generation, plus 1 once anything was seen.
    learned: u32,
}

/// One bit per cell. Halves of words, so that a record aligns to 4 bytes and needs no padding.
type Bits = [u32; 2 * WORDS];

/// Word `i` of the line.
const fn word(bits: &Bits, i: usize) -> u64 {
    (bits[2 * i] as u64) | ((bits[2 * i + 1] as u64) << 32)
}

impl Grid {
    /// How novel `x` is, 0..=1 of the running range (of `min_range` if that is wider); then learns it.
    pub(super) fn step(&mut self, x: f32, min_range: f32) -> f32 {
        if self.learned == 0 {
            *self = Self {
                start: x,
                range: Range::of(x),
                learned: 1,
                ..Self::zeroed()
            };
            return 0.0;
        }
        self.range.learn(x);
        let scale = self.range.width().max(min_range);
        if self.cell <= 0.0 {
            let distance = (x - self.start).abs();
            if distance <= 0.0 {
                return 0.0;
            }
            self.lay_line(distance);
            if self.cell > 0.0 && self.reach(x) {
                self.mark(x);
            }
            return (distance / scale).min(1.0);
        }
        if !self.reach(x) {
            return 1.0;
        }
        let novelty = (self.distance(x) / scale).min(1.0);
        self.mark(x);
        self.learned += 1;
        if self.learned > GENERATION {
            self.learned = 1;
            self.old = self.young;
            self.young = Bits::zeroed();
        }
        novelty
    }

    /// Lays the line about the first value, wide enough for a second one at `distance`.
    fn lay_line(&mut self, distance: f32) {
        let first = self.start;
        let cell = distance * (4.0 / CELLS as f32);
        let start = first - 0.5 * CELLS as f32 * cell;
        // Too close to the first value to be told apart in `f32`: the same value.
        if cell > 0.0 && cell.is_finite() && start.is_finite() {
            (self.start, self.cell) = (start, cell);
            self.mark(first);
        }
    }

    /// Stretches or halves the line until `x` is on it and the range is not lost in it; false if that cannot be.
    fn reach(&mut self, x: f32) -> bool {
        while x < self.start || x >= self.end() {
            let rightwards = x >= self.end();
            let length = CELLS as f32 * self.cell;
            if length >= LONGEST {
                return false;
            }
            for bits in [&mut self.young, &mut self.old] {
                *bits = halved(bits, if rightwards { 0 } else { WORDS / 2 });
            }
            if !rightwards {
                self.start -= length;
            }
            self.cell *= 2.0;
        }
        let length = CELLS as f32 * self.cell;
        if self.range.width() > 0.0 && self.range.width() < SPARSE * length {
            // Keep the half about the middle of the range, in whole words.
            let middle = index((self.range.middle() - self.start) / self.cell / 64.0);
            let first = middle.saturating_sub(WORDS / 4).min(WORDS / 2);
            let start = self.start + (first * 64) as f32 * self.cell;
            if x >= start && x < start + 0.5 * length {
                self.start = start;
                self.cell *= 0.5;
                for bits in [&mut self.young, &mut self.old] {
                    *bits = doubled(bits, first);
                }
            }
        }
        true
    }

    fn end(&self) -> f32 {
        self.start + CELLS as f32 * self.cell
    }

    fn cell_of(&self, x: f32) -> usize {
        index((x - self.start) / self.cell).min(CELLS - 1)
    }

    fn mark(&mut self, x: f32) {
        let i = self.cell_of(x);
        self.young[i / 32] |= 1 << (i % 32);
    }

    /// Distance from `x` to the nearest visited cell; infinite when none is.
    fn distance(&self, x: f32) -> f32 {
        let i = self.cell_of(x);
        let seen = |w: usize| word(&self.young, w) | word(&self.old, w);
        let (here, bit) = (i / 64, i % 64);
        let below = seen(here) & (u64::MAX >> (63 - bit));
        let above = seen(here) & (u64::MAX << bit);
        let left = if below != 0 {
            Some(bit - (63 - below.leading_zeros() as usize))
        } else {
            (0..here)
                .rev()
                .find(|&w| seen(w) != 0)
                .map(|w| i - (w * 64 + 63 - seen(w).leading_zeros() as usize))
        };
        let right = if above != 0 {
            Some(above.trailing_zeros() as usize - bit)
        } else {
            (here + 1..WORDS)
                .find(|&w| seen(w) != 0)
                .map(|w| w * 64 + seen(w).trailing_zeros() as usize - i)
        };
        let cells = left.unwrap_or(usize::MAX).min(right.unwrap_or(usize::MAX));
        if cells == usize::MAX {
            f32::INFINITY
        } else {
            cells as f32 * self.cell
        }
    }
}

/// Rounded down to a place; 0 for what is below 0 or not a number.
#[expect(clippy::cast_sign_loss, reason = "saturates at 0, which is meant")]
const fn index(place: f32) -> usize {
    place as usize
}

/// Every two cells as one, the result in the words from `first` on.
fn halved(bits: &Bits, first: usize) -> Bits {
    let mut out = Bits::zeroed();
    for i in 0..WORDS {
        let pairs = word(bits, i) | (word(bits, i) >> 1);
        out[2 * first + i] = squeeze(pairs) as u32;
    }
    out
}

/// Every cell as two, from the half of the words that begins at `first`.
fn doubled(bits: &Bits, first: usize) -> Bits {
    let mut out = Bits::zeroed();
    for i in 0..WORDS {
        let twice = spread(u64::from(bits[2 * first + i]));
        let twice = twice | (twice << 1);
        (out[2 * i], out[2 * i + 1]) = (twice as u32, (twice >> 32) as u32);
    }
    out
}

/// The even bits, packed into the low half (the inverse Morton step).
const fn squeeze(x: u64) -> u64 {
    let x = x & 0x5555_5555_5555_5555;
    let x = (x | (x >> 1)) & 0x3333_3333_3333_3333;
    let x = (x | (x >> 2)) & 0x0f0f_0f0f_0f0f_0f0f;
    let x = (x | (x >> 4)) & 0x00ff_00ff_00ff_00ff;
    let x = (x | (x >> 8)) & 0x0000_ffff_0000_ffff;
    (x | (x >> 16)) & 0x0000_0000_ffff_ffff
}

/// The low half, spread over the even bits (the Morton step).
const fn spread(x: u64) -> u64 {
    let x = (x | (x << 16)) & 0x0000_ffff_0000_ffff;
    let x = (x | (x << 8)) & 0x00ff_00ff_00ff_00ff;
    let x = (x | (x << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    let x = (x | (x << 2)) & 0x3333_3333_3333_3333;
    (x | (x << 1)) & 0x5555_5555_5555_5555
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_is_novel_once() {
        let mut grid = Grid::zeroed();
        let novelty: Vec<f32> = [5.0, 5.0, 6.0, 6.0, 5.0, 9.0, 9.0, 7.5]
            .iter()
            .map(|&x| grid.step(x, 0.0))
            .collect();
        let expected = [0.0, 0.0, 1.0, 0.0, 0.0, 0.75, 0.0, 0.375];
        for (got, want) in novelty.iter().zip(expected) {
            assert!((got - want).abs() < 0.02, "{novelty:?}");
        }
    }

    #[test]
    fn a_change_below_the_least_range_is_small() {
        let mut grid = Grid::zeroed();
        let _ = grid.step(1.0, 1.0);
        assert!(grid.step(1.01, 1.0) < 0.02);
    }

    proptest! {
        #[test]
        fn halving_undoes_doubling(words in prop::array::uniform16(any::<u32>()), upper: bool) {
            let first = if upper { WORDS / 2 } else { 0 };
            let mut kept = Bits::zeroed();
            kept[2 * first..2 * first + WORDS].copy_from_slice(&words[2 * first..2 * first + WORDS]);
            prop_assert_eq!(halved(&doubled(&words, first), first), kept);
        }

        #[test]
        fn any_input_gives_a_share(xs in prop::collection::vec(prop_oneof![-1e18f32..1e18, -1e-18f32..1e-18, -3.0f32..3.0], 1..200)) {
            let mut grid = Grid::zeroed();
            for x in xs {
                let novelty = grid.step(x, 0.0);
                prop_assert!((0.0..=1.0).contains(&novelty), "{novelty}");
            }
        }

        /// Against a memory of every value: never further off than the two cells that a value may share.
        #[test]
        fn agrees_with_an_exact_memory(xs in prop::collection::vec(-1.0f32..1.0, 3..400)) {
            let (mut grid, mut range) = (Grid::zeroed(), Range::of(xs[0]));
            let _ = grid.step(xs[0], 0.0);
            for i in 1..xs.len() {
                range.learn(xs[i]);
                let nearest = xs[..i].iter().map(|x| (x - xs[i]).abs()).fold(f32::MAX, f32::min);
                let exact = if range.width() > 0.0 { nearest / range.width() } else { 0.0 };
                let got = grid.step(xs[i], 0.0);
                prop_assert!((got - exact).abs() <= 2.0 * (8.0 / CELLS as f32) + 0.02, "{got} {exact}");
            }
        }
    }
}
