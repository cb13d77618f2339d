"""The expression categories and their one order."""

#: The categories of FER2013 in the order of its label numbers; every class list keeps this order.
EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
