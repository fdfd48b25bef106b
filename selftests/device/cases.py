#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run the cases of some modules.

usage: cases.py [--parallel] [--only NAME]... MODULE...
"""

import argparse
import importlib

import bench

parser = argparse.ArgumentParser()
parser.add_argument("--parallel", action="store_true")
parser.add_argument("--only", action="append")
parser.add_argument("modules", nargs="+")
options = parser.parse_args()
cases = [case for module in options.modules for case in importlib.import_module(module).CASES]
bench.main([case for case in cases if not options.only or case.__name__ in options.only], options.parallel)
