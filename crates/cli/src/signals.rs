//! Ctrl-C and SIGTERM: the first asks a run to save and leave, the second ends the process at once.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

/// What the process has been asked for.
pub struct Signals {
    asked: Arc<AtomicUsize>,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicUsize::new(0));
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Actions run in this order: the shutdown sees whether an earlier signal has been.
            flag::register_conditional_shutdown(signal, i32::from(exit_code(signal as usize)), Arc::clone(&again))?;
            flag::register(signal, Arc::clone(&again))?;
            flag::register_usize(signal, Arc::clone(&asked), signal as usize)?;
        }
        Ok(Self { asked })
    }

    /// The exit code that says which signal asked the process to leave, if one has.
    pub fn leave(&self) -> Option<u8> {
        match self.asked.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(exit_code(signal)),
        }
    }
}

/// What a shell reports of a process that the signal ended: 130 for Ctrl-C, 143 for SIGTERM.
fn exit_code(signal: usize) -> u8 {
    128 + signal as u8
}
