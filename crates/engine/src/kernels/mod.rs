//! Loops over slices that the operations are made of; each is compiled for every instruction set (see
//! [`crate::isa`]) and bound by memory or by the vector units, never by calls.

mod activation;
mod attention;
mod elementwise;
mod math;
mod norm;

pub(crate) use activation::{gelu, gelu_in_place, gelu_tanh, gelu_tanh_in_place, relu, relu_in_place};
pub(crate) use attention::{Heads, attention_backward, attention_forward, scratch_len};
pub(crate) use elementwise::{
    AdamwStep, accumulate, adamw, adamw_idle, add_column_sums, decay, drop_out, pull, scale_by, squared_sum,
};
pub(crate) use math::log_sum_exp_rows;
pub(crate) use norm::{layer_norm_backward, layer_norm_forward};
