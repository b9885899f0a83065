"""Doing one task, here or wherever it travelled to with its job."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from functools import lru_cache
from threading import Event

from polyregions.engine.batches import Batch
from polyregions.engine.job import Job, Outcome, Task


def perform(job: Job, task: Task, run: str = "", stop: Event | None = None) -> Outcome:
    """Do one task, here and now, with all its regions; its outcome says which run it is of."""
    part, batches = job.open(task), []
    for batch in part.batches(lambda: job.room):
        batches.append(batch)
        if stop is not None and stop.is_set():
            break
    return replace(part.outcome(Batch.joined(batches)), run=run)


def perform_unpacked(packed: bytes, task: Task) -> Outcome:
    """Do one task of a job that travels with it, and is unpacked once in a process."""
    job, run = _unpacked(packed)
    return perform(job, task, run)


def run_of(packed: bytes) -> str:
    """The digest of a packed job: what its outcomes are told apart from those of others by."""
    return hashlib.sha256(packed).hexdigest()


@lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> tuple[Job, str]:
    job: Job = pickle.loads(packed)
    return job, run_of(packed)
