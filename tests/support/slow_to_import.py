"""A module that takes long to import, for who waits for a fork server that has imported it."""

import time

time.sleep(60)
