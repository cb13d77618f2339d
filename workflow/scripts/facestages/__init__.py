"""facestages: at which stage of a network are identity, affect and expression readable?"""

__version__ = "0.1.0"
