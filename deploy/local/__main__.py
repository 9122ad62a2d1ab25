"""`python -m deploy.local up|down|status`."""

import sys

from deploy.local.cli import main

sys.exit(main())
