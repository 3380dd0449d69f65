"""Prepare recordings in several processes; a file that crashes its process costs that recording only."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import cv2

from dgfas.core.recording import Recording
from dgfas.faces.finder import FaceFinder
from dgfas.faces.record import Outcome, Store

CRASHED = "the decoder crashed on this recording"
#: Processes recordings, so many at once, and yields each when it is finished.
Run = Callable[[Sequence[Recording], Store, int], Iterator[Recording]]

_NO_COUNTS = {"frames_tried": 0, "frames_unreadable": 0, "frames_without_face": 0, "most_faces": 0}


def run_all(recordings: Sequence[Recording], store: Store, workers: int) -> Iterator[Recording]:
    """Process the recordings and yield each when it is finished, in no certain order.

    With one worker everything runs in this process. Else, if a process dies, the recordings that it left unfinished
    are tried once more, each in a process of its own; one that dies again is rejected.
    """
    if workers == 1 or len(recordings) < 2:
        finder = FaceFinder(store.options) if recordings else None
        for recording in recordings:
            assert finder is not None
            store.process(recording, finder)
            yield recording
        return
    waiting = dict(enumerate(recordings))
    for index in _in_pool(waiting, store, min(workers, len(recordings))):
        yield waiting.pop(index)
    yield from run_alone(waiting.values(), store)


def run_alone(recordings: Iterable[Recording], store: Store) -> Iterator[Recording]:
    """Process each recording in a process of its own and yield it; one whose process dies is rejected."""
    for recording in recordings:
        if not list(_in_pool({0: recording}, store, 1)):
            store.finish(recording, Outcome([], dict(_NO_COUNTS), CRASHED))
        yield recording


def _in_pool(recordings: dict[int, Recording], store: Store, workers: int) -> Iterator[int]:
    """Yield the keys of the finished recordings; end early if a process of the pool dies."""
    context = multiprocessing.get_context("spawn")  # forked copies of a threaded process may hang
    with ProcessPoolExecutor(workers, context, _start_worker, (store,)) as pool:
        futures = {pool.submit(_process, recording): index for index, recording in list(recordings.items())}
        try:
            for future in as_completed(futures):
                future.result()
                yield futures[future]
        except BrokenProcessPool:
            return
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_worker: tuple[Store, FaceFinder]


def _start_worker(store: Store) -> None:
    global _worker
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)  # the processes share the cores already
    _worker = (store, FaceFinder(store.options))


def _process(recording: Recording) -> None:
    store, finder = _worker
    store.process(recording, finder)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
