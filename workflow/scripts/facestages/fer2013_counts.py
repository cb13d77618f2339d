"""Official numbers of pictures in FER2013.

Snakemake imports this module at the start of every run, so it imports nothing heavy.
"""

#: The three official splits, and "test" where a copy does not tell the two test splits apart.
SPLITS = ("Training", "PublicTest", "PrivateTest", "test")

#: Pictures by split and class, classes in the order of `expressions.EXPRESSIONS`.
OFFICIAL_COUNTS = {
    "Training": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "PublicTest": (467, 56, 496, 895, 653, 415, 607),
    "PrivateTest": (491, 55, 528, 879, 594, 416, 626),
}
