#!/usr/bin/env python3
"""The spool with a mistake that is easily made: each try is a file of its own, though a repeat is said to be recognised by its key. No
example to follow: it is there to be found out, by `relcomm contract --exec ./broken.py`."""
import uuid

import spool

keep = spool.keep
spool.keep = lambda out, text: keep({**out, "key": f"{out['key']}-{uuid.uuid4()}"}, text)
spool.main()
