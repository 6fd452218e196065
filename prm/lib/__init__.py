"""Small things every app builds on and that know nothing about partners. Money, ids and periods are pure; the rest are thin Django helpers."""
