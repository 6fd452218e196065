"""Tell partners' own servers what happened: addresses, what is told, the calls."""
