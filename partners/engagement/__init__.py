"""What partners do besides selling: activities with evidence, confirmed by staff, and figures that staff enters by hand."""
