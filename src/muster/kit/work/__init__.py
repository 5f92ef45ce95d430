"""What follows a command: facts get their position, handlers run as jobs, and the schedule starts what is due."""

import muster.kit.work.tables  # noqa: F401 - whoever wakes the worker checks its tables at start, too
