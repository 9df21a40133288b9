"""Imported by the fork server before all else: signals are answered by the program that it works for, not by it.

Schedulers and keyboards signal all processes of a program. The processes that the server forks ignore what it ignores.
"""

import os
import signal

PID = os.getpid()  # of the fork server, in all of its processes

signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
