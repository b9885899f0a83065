"""Many workers: the same files to the last bit, whoever does the tasks and whoever dies."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from randoms import random_layers

import polyregions as pr
from polyregions.engine import job, parallel
from polyregions.engine.batches import Batch, LayerCount
