"""The pages are run as doctests: python -m pytest --doctest-glob='*.rst' docs."""

import os
import sys
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"

sys.path.insert(0, str(Path(__file__).parent / "howto"))  # tiny_network
collect_ignore = ["conf.py", "tutorial", "_build", "auto_examples", "auto_tutorial"]
