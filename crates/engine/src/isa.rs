//! Which instruction set the kernels run with.
//!
//! A kernel is written once, as a plain loop over slices, and compiled three times: for AVX-512, for AVX2 with
//! FMA, and for whatever the build targets. The [`kernel!`](crate::isa::kernel) macro makes the three copies
//! and the branch between them. All three accumulate in the same sixteen lanes, so they differ only by the
//! rounding of fused multiply-adds.

#[cfg(target_arch = "x86_64")]
use crate::{
    dot::{Avx2Dot, Vnni},
    vector::{Avx2, Avx512},
};
use crate::{
    dot::{Dot, PortableDot},
    vector::{Portable, Vector},
};

/// An instruction set that this processor has. Values come from [`Isa::detect`] and [`Isa::available`] alone,
/// which is what makes calling the compiled copies sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX-512 and its dot products of bytes.
    #[cfg(target_arch = "x86_64")]
    Vnni,
    /// The same, and dot products of 16-bit floats.
    #[cfg(target_arch = "x86_64")]
    Bf16,
}

impl Isa {
    /// The widest instruction set of this processor.
    pub fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self(Kind::Portable))
    }

    /// Every instruction set that this processor has, the portable one first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
        let mut found = vec![Self(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 {
                found.push(Self(Kind::Avx2));
            }
            if avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                found.push(Self(Kind::Avx512));
                if is_x86_feature_detected!("avx512vnni") {
                    found.push(Self(Kind::Vnni));
                    if is_x86_feature_detected!("avx512bf16") {
                        found.push(Self(Kind::Bf16));
                    }
                }
            }
        }
        found
    }

    /// Whether products of 16-bit floats have instructions of their own, which do twice the work of those of 32 bits.
    pub fn has_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.0 == Kind::Bf16;
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    pub(crate) fn kind(self) -> Kind {
        self.0
    }

    /// Floats in a register.
    pub(crate) fn lanes(self) -> usize {
        match self.0 {
            Kind::Portable => Portable::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 | Kind::Vnni | Kind::Bf16 => Avx512::LANES,
        }
    }

    /// Sums in a register of dot products of bytes. AVX-512 without VNNI does them as AVX2 does.
    pub(crate) fn dot_lanes(self) -> usize {
        match self.0 {
            Kind::Portable => <PortableDot as Dot>::Floats::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 | Kind::Avx512 => <Avx2Dot as Dot>::Floats::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Vnni | Kind::Bf16 => <Vnni as Dot>::Floats::LANES,
        }
    }

    /// Numbers of the inner dimension that a lane of those registers takes at once.
    pub(crate) fn dot_group(self) -> usize {
        match self.0 {
            Kind::Portable => PortableDot::GROUP,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 | Kind::Avx512 => Avx2Dot::GROUP,
            #[cfg(target_arch = "x86_64")]
            Kind::Vnni | Kind::Bf16 => Vnni::GROUP,
        }
    }

    /// Name for logs and reports.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Kind::Vnni => "AVX-512 with VNNI",
            #[cfg(target_arch = "x86_64")]
            Kind::Bf16 => "AVX-512 with VNNI and BF16",
        }
    }
}

/// Whether every processor that the build is for multiplies and adds in one instruction, so that the portable copy may.
pub(crate) const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

/// `a * b + c`, fused where the instruction set has it. Without the constant a build for plain x86-64 would
/// call the C library for every fused operation.
#[inline(always)]
pub(crate) fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Declares a function that runs `body` compiled for the instruction set given as its first argument.
///
/// `body` must be `#[inline(always)]` and take `const FMA: bool`; where `vectors` follows its name also
/// `V: Vector`, the instruction set's registers. Where `dots` follows, it takes `D: Dot` alone, and `P: Pairs` where `pairs` does.
macro_rules! kernel {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? = $body:ident;) => {
        $crate::isa::kernel! {
            @ $(#[$meta])* $vis fn $name($($arg: $type),*) $(-> $out)? = $body [true] [true] [{ $crate::isa::FUSED }];
        }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? = $body:ident vectors;) => {
        $crate::isa::kernel! {
            @ $(#[$meta])* $vis fn $name($($arg: $type),*) $(-> $out)? = $body
            [true, $crate::vector::Avx512] [true, $crate::vector::Avx2] [{ $crate::isa::FUSED }, $crate::vector::Portable];
        }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $body:ident dots;) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, unsafe_code)]
        $vis fn $name(isa: $crate::isa::Isa, $($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
            fn vnni($($arg: $type),*) {
                $body::<$crate::dot::Vnni>($($arg),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) {
                $body::<$crate::dot::Avx2Dot>($($arg),*);
            }
            match isa.kind() {
                $crate::isa::Kind::Portable => $body::<$crate::dot::PortableDot>($($arg),*),
                // SAFETY: an `Isa` of this kind exists only after the processor reported the features.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Avx2 | $crate::isa::Kind::Avx512 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Vnni | $crate::isa::Kind::Bf16 => unsafe { vnni($($arg),*) },
            }
        }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $body:ident pairs;) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, unsafe_code)]
        $vis fn $name(isa: $crate::isa::Isa, $($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
            fn bf16($($arg: $type),*) {
                $body::<$crate::pairs::Bf16>($($arg),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($arg: $type),*) {
                $body::<$crate::pairs::Widened<$crate::vector::Avx512>>($($arg),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) {
                $body::<$crate::pairs::Widened<$crate::vector::Avx2>>($($arg),*);
            }
            match isa.kind() {
                $crate::isa::Kind::Portable => $body::<$crate::pairs::Widened<$crate::vector::Portable>>($($arg),*),
                // SAFETY: an `Isa` of this kind exists only after the processor reported the features.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Avx512 | $crate::isa::Kind::Vnni => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Bf16 => unsafe { bf16($($arg),*) },
            }
        }
    };
    (@ $(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)? = $body:ident
        [$($avx512:tt)*] [$($avx2:tt)*] [$($portable:tt)*];
    ) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, unsafe_code)]
        $vis fn $name(isa: $crate::isa::Isa, $($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($arg: $type),*) $(-> $out)? {
                $body::<$($avx512)*>($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) $(-> $out)? {
                $body::<$($avx2)*>($($arg),*)
            }
            match isa.kind() {
                $crate::isa::Kind::Portable => $body::<$($portable)*>($($arg),*),
                // SAFETY: an `Isa` of this kind exists only after the processor reported the features.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Avx512 | $crate::isa::Kind::Vnni | $crate::isa::Kind::Bf16 => unsafe {
                    avx512($($arg),*)
                },
            }
        }
    };
}
pub(crate) use kernel;
