"""What looks wrong, and what comes of it: detectors raise signals, a case groups them and lets lines wait, and a person decides. Nothing is
taken from a partner without a reason it has read, and nothing ends by the passing of time."""
