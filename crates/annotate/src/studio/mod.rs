//! The web application in which people annotate, review and watch.
