"""Say in words what a commission line is and why it is what it is, for every page, document, file and API. There is one wording, so
that a partner, finance and a program of the partner's never read different reasons for one amount."""
