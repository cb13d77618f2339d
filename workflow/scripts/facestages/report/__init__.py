"""Reports of a run: the page that opens first, and Snakemake's own report."""
