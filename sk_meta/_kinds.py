"""The kinds of columns, and what they have in common."""

NUMERIC = "numeric"
NUMBER_TEXT = "numbers in text"
ORDINAL = "ordinal"
DURATION = "duration"
BOOLEAN = "boolean"
CATEGORICAL = "categorical"
HIGH_CARDINALITY = "high-cardinality"
TEXT = "text"
DATETIME = "datetime"
IDENTIFIER = "identifier"
CONSTANT = "constant"
MISSING = "all missing"

QUANTITIES = (NUMERIC, NUMBER_TEXT, ORDINAL, DURATION)  # one number a value
CATEGORIES = (CATEGORICAL, BOOLEAN)  # one-hot encoded
SYMBOLIC = (*CATEGORIES, HIGH_CARDINALITY, TEXT)
LEFT_OUT = (IDENTIFIER, CONSTANT, MISSING)
READ_FROM_TEXT = (NUMBER_TEXT, DATETIME, DURATION)  # or so they may be

# Detail of dates with a time zone.
AWARE = "time zone"
# What a user can declare a column to be.
DECLARABLE = (NUMERIC, ORDINAL, DURATION, CATEGORICAL, TEXT, DATETIME, IDENTIFIER)
