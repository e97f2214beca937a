# SPDX-License-Identifier: GPL-3.0-or-later
"""Give pip to the virtual environments of ansible-test.

ansible-test would download get-pip from a host of its own, which a site's firewall seldom knows. scripts/sanity puts this file in its
cache instead. Python's own ensurepip brings a pip, and that pip installs the versions which ansible-test asks for from PyPI.
"""

import ensurepip
import os
import runpy
import sys

# ansible-test passes what get-pip understands; pip itself knows neither of these.
options = [option for option in sys.argv[1:] if option not in ("--no-setuptools", "--no-wheel")]

ensurepip.bootstrap()
os.environ.pop("PIP_CONFIG_FILE", None)  # ensurepip switched the configuration off, and with it the site's package index
sys.argv = ["pip", "install", "--quiet", *options]
runpy.run_module("pip", run_name="__main__")
