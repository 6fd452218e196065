"""Every reaction of one app to the news of another, on one page. A reaction only nudges: a sweep finds whatever was missed."""
