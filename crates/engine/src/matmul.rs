//! Matrix products: the `gemm` crates for the large ones, a register-blocked loop for those inside attention.
//!
//! `gemm` itself would compile its kernels for five number types; `gemm-f32` is the one that is used here.

use gemm_common::Parallelism;
use gemm_f32::gemm::f32::get_gemm_fn;

use crate::isa::{fma, kernel};

/// A matrix in a slice, with any strides; element `(i, j)` is `data[i * row + j * column]`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub data: &'a [f32],
    pub row: usize,
    pub column: usize,
}

impl<'a> View<'a> {
    /// Rows of `width` floats, end to end.
    pub fn rows(data: &'a [f32], width: usize) -> Self {
        Self { data, row: width, column: 1 }
    }

    /// Rows that start `row` floats apart.
    pub fn strided(data: &'a [f32], row: usize) -> Self {
        Self { data, row, column: 1 }
    }

    /// The same matrix with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self { data: self.data, row: self.column, column: self.row }
    }

    fn holds(self, rows: usize, columns: usize) -> bool {
        rows == 0 || columns == 0 || (rows - 1) * self.row + (columns - 1) * self.column < self.data.len()
    }
}

/// `c [m, n] = a [m, k] · b [k, n]`, or `c += a · b` where `add`; `c` is dense and row-major.
///
/// Large products go here. `gemm` chooses its kernel at run time and packs both sides.
pub(crate) fn matmul(c: &mut [f32], a: View<'_>, b: View<'_>, [m, k, n]: [usize; 3], add: bool) {
    assert!(c.len() == m * n && a.holds(m, k) && b.holds(k, n), "matrix product [{m}, {k}] x [{k}, {n}]");
    let stride = |step: usize| isize::try_from(step).expect("a stride lies within a slice");
    // SAFETY: the assertion above proves that every element addressed by the strides lies in its slice, and `c`
    // is borrowed mutably, so it overlaps neither factor.
    #[allow(unsafe_code)]
    unsafe {
        get_gemm_fn()(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            stride(n),
            add,
            a.data.as_ptr(),
            stride(a.column),
            stride(a.row),
            b.data.as_ptr(),
            stride(b.column),
            stride(b.row),
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

kernel! {
    #[cfg(test)]
    /// `c [m, n] += a [m, k] · b [k, n]` for matrices that fit the first-level caches: no packing, no allocation.
    ///
    /// `b` and `c` must have unit column stride; `c`'s rows start `c_row` floats apart.
    pub(crate) fn small_matmul(c: &mut [f32], c_row: usize, a: View<'_>, b: View<'_>, shape: [usize; 3]) = small_matmul_body;
}

/// Rows of `c` that are kept in registers at a time.
const ROWS: usize = 4;

#[inline(always)]
pub(crate) fn small_matmul_body<const FMA: bool>(
    c: &mut [f32],
    c_row: usize,
    a: View<'_>,
    b: View<'_>,
    [m, k, n]: [usize; 3],
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(a.holds(m, k) && b.holds(k, n) && b.column == 1 && (m - 1) * c_row + n <= c.len());
    let mut j = 0;
    while j + 32 <= n {
        column_block::<FMA, 32>(c, c_row, a, b, [m, k], j);
        j += 32;
    }
    while j + 16 <= n {
        column_block::<FMA, 16>(c, c_row, a, b, [m, k], j);
        j += 16;
    }
    while j + 8 <= n {
        column_block::<FMA, 8>(c, c_row, a, b, [m, k], j);
        j += 8;
    }
    while j < n {
        column_block::<FMA, 1>(c, c_row, a, b, [m, k], j);
        j += 1;
    }
}

#[inline(always)]
fn column_block<const FMA: bool, const N: usize>(
    c: &mut [f32],
    c_row: usize,
    a: View<'_>,
    b: View<'_>,
    [m, k]: [usize; 2],
    j: usize,
) {
    let mut i = 0;
    while i + ROWS <= m {
        tile::<FMA, ROWS, N>(c, c_row, a, b, k, i, j);
        i += ROWS;
    }
    while i < m {
        tile::<FMA, 1, N>(c, c_row, a, b, k, i, j);
        i += 1;
    }
}

/// `M x N` sums in registers over all of `k`.
#[inline(always)]
fn tile<const FMA: bool, const M: usize, const N: usize>(
    c: &mut [f32],
    c_row: usize,
    a: View<'_>,
    b: View<'_>,
    k: usize,
    i: usize,
    j: usize,
) {
    let mut sums = [[0.0f32; N]; M];
    for p in 0..k {
        let at = p * b.row + j;
        let b_row: &[f32; N] = b.data[at..at + N].try_into().expect("N floats");
        for r in 0..M {
            let factor = a.data[(i + r) * a.row + p * a.column];
            for l in 0..N {
                sums[r][l] = fma::<FMA>(factor, b_row[l], sums[r][l]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let at = (i + r) * c_row + j;
        for (c, sum) in c[at..at + N].iter_mut().zip(sums) {
            *c += sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Isa, Random};

    fn random(len: usize, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed);
        (0..len).map(|_| random.normal() as f32).collect()
    }

    fn naive(a: View<'_>, b: View<'_>, [m, k, n]: [usize; 3]) -> Vec<f32> {
        let mut c = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = (0..k)
                    .map(|p| f64::from(a.data[i * a.row + p * a.column]) * f64::from(b.data[p * b.row + j * b.column]))
                    .sum();
                c[i * n + j] = sum as f32;
            }
        }
        c
    }

    #[test]
    fn both_products_agree_with_the_definition_for_odd_shapes_and_transposed_sides() {
        for [m, k, n] in [[1, 1, 1], [5, 3, 7], [31, 32, 48], [6, 17, 33], [4, 64, 16], [9, 8, 8]] {
            let (a, b) = (random(m * k, 1), random(k * n, 2));
            for (a, b) in [
                (View::rows(&a, k), View::rows(&b, n)),
                (View::rows(&a, m).transposed(), View::rows(&b, n)),
                (View::rows(&a, k), View::rows(&b, k).transposed()),
            ] {
                let expected = naive(a, b, [m, k, n]);
                let close = |c: &[f32]| c.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-4);
                let mut c = vec![0.0; m * n];
                matmul(&mut c, a, b, [m, k, n], false);
                assert!(close(&c));
                if b.column == 1 {
                    for isa in Isa::available() {
                        let mut c = vec![0.0; m * n];
                        small_matmul(isa, &mut c, n, a, b, [m, k, n]);
                        assert!(close(&c), "{}", isa.name());
                    }
                }
            }
        }
    }
}
