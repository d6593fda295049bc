//! The web application in which people annotate, review and watch.

pub mod address;
pub mod assets;
pub mod colours;
pub mod editor;
pub mod marked;
pub mod page;
pub mod review;
