"""The training loop: batches in, checkpoints and development scores out."""

import math
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Int
from lightning_fabric import Fabric
from numpy import ndarray
from torch.utils.tensorboard import SummaryWriter

from dgfas.core.config import RunConfig
from dgfas.core.errors import UserError
from dgfas.core.files import write_json
from dgfas.core.progress import Silent
from dgfas.core.seeding import stable_rng, stable_seed
from dgfas.data.batches import BalancedSampler, Batch
from dgfas.domains.provider import Assignment
from dgfas.evaluation.calibration import fit_calibration
from dgfas.evaluation.scores import scores_of_frames
from dgfas.evaluation.scores_file import write_scores
from dgfas.methods.base import Method, Setup
from dgfas.methods.registry import load_method, method_options
from dgfas.training.checkpoint import LATEST, checkpoint_path, read_checkpoint, write_checkpoint
from dgfas.training.estimate import expected_duration
from dgfas.training.naming import Naming
from dgfas.training.processes import averager, launch
from dgfas.training.record import (
    add_to_record,
    held,
    read_config,
    read_record,
    require_new,
    require_same_data,
    start_record,
)
from dgfas.training.scoring import raw_scores
from dgfas.training.task_data import TaskData, load_task

TENTHS = 10


def train(config: RunConfig, run: Path, report: Silent | None = None) -> Path | None:
    """Train a method into the new folder `run`; return it on the first process, None on the others.

    Raises UserError if the folder holds a run already, another process trains it, or the training diverges.
    """
    require_new(run)  # before other processes are started, and the data packed
    fabric = launch(config.training)
    report = report if report is not None and fabric.is_global_zero else Silent()
    data = _load(config, fabric, report)
    training = Training(config, run, data, fabric, report)  # a mistake in it leaves no folder behind
    training.naming.check()  # nor one in this
    with _held(run, fabric):
        if fabric.is_global_zero:
            start_record(run, config, _facts(config, data, fabric))
        fabric.barrier()
        training.finish()
    return run if fabric.is_global_zero else None


def resume(run: Path, report: Silent | None = None) -> Path | None:
    """Continue the run in folder `run` behind its last checkpoint, to the same end, on the same CPU to the bit.

    Returns it on the first process, None on the others. Raises UserError if its data have changed, or another process
    trains it.
    """
    config = read_config(run)
    fabric = launch(config.training)
    report = report if report is not None and fabric.is_global_zero else Silent()
    data = _load(config, fabric, report)
    record, facts = read_record(run), _facts(config, data, fabric)
    require_same_data(run, facts)
    for name in ("threads", "torch", "processes"):
        now = {**facts, "torch": torch.__version__, "threads": torch.get_num_threads()}[name]
        if record.get(name) != now:
            report.note(f"{name} was {record.get(name)} and is now {now}: the result will differ in its last bits")
    training = Training(config, run, data, fabric, report)
    with _held(run, fabric):
        if checkpoint_path(run, LATEST).is_file():
            training.restore()
        training.finish()
    return run if fabric.is_global_zero else None


def _held(run: Path, fabric: Fabric) -> AbstractContextManager[None]:
    """Let the first process keep others out of the run."""
    return held(run) if fabric.is_global_zero else nullcontext()


def _load(config: RunConfig, fabric: Fabric, report: Silent) -> TaskData:
    """Read the data; the first process of a machine packs them, the others wait."""
    with fabric.rank_zero_first(local=True):
        return load_task(config.data, config.network.image_size, config.data.target, report.progress)


def _facts(config: RunConfig, data: TaskData, fabric: Fabric) -> dict[str, Any]:
    return data.facts() | {"processes": fabric.world_size, "seed": config.training.seed}


def build_method(config: RunConfig, n_domains: int) -> Method:
    """Return the method of a run with its initial weights, which depend on the run's seed alone."""
    torch.manual_seed(stable_seed(config.training.seed, "initial weights"))
    torch.backends.cudnn.allow_tf32 = False  # scores of a GPU agree with those of the CPU, and of ONNX
    setup = Setup(
        config.network, n_domains, config.training.iterations, config.training.bn_batches, config.training.seed
    )
    return load_method(config.method)(method_options(config.method, config.options), setup)


class Training:
    """One run in progress: the method, the iteration it is at, and what it writes."""

    def __init__(self, config: RunConfig, run: Path, data: TaskData, fabric: Fabric, report: Silent) -> None:
        self.config, self.run, self.data, self.fabric, self.report = config, run, data, fabric, report
        self.iteration = 0
        self.total = config.training.iterations
        self.live = data.live("train")
        self.naming = Naming(config, self.live, data.domain("train", config.data.sources))
        self.n_domains = self.naming.provider.n_domains
        self.domain: Int[ndarray, " n"] | None = None
        self.said: set[str] = set()  # notes on the domains
        self.loader = data.loader("train", fabric.device)
        self.validation = data.loader("validation", fabric.device)
        self.method = build_method(config, self.n_domains).to(fabric.device)
        self.method.average = averager(fabric)

    def finish(self) -> None:
        """Train to the end, writing a checkpoint every tenth of the run and every `checkpoint_seconds`."""
        if self.iteration == self.total:
            return
        writer = self._writer()
        self.method.train()
        saved = time.monotonic()
        first = self.iteration
        milestones = {math.ceil(self.total * tenth / TENTHS) for tenth in range(1, TENTHS + 1)}
        while self.iteration < self.total:
            logs = self.name_domains()
            began = time.monotonic()
            logs |= self.step()
            seconds = time.monotonic() - began
            for name, value in logs.items():
                if writer is not None:
                    writer.add_scalar(name, value, self.iteration)
            self.report.progress("training", self.iteration, self.total)
            if self.iteration == first + 1:
                batches = self.method.batches_of(self.total - 1).stop - self.method.batches_of(first).start
                self.report.note(expected_duration(self.config, self.total - first, batches, seconds))
            if self.iteration in milestones:
                self._milestone()
                saved = time.monotonic()
            elif self.fabric.broadcast(time.monotonic() - saved > self.config.training.checkpoint_seconds):
                self._save(LATEST, resumable=True)
                saved = time.monotonic()
        if writer is not None:
            writer.close()

    def _writer(self) -> SummaryWriter | None:
        if not self.fabric.is_global_zero:
            return None
        return SummaryWriter(str(self.run / "tensorboard"), purge_step=self.iteration + 1)

    def name_domains(self) -> dict[str, float]:
        """Name the domains of the training frames if that is due before the next iteration; return what to log."""
        if not self.naming.due(self.iteration):
            return {}
        named = None
        if self.fabric.is_global_zero:
            named = self.naming.name(self.iteration, self.method, self.loader, self.domain)
        assignment = cast(Assignment, self.fabric.broadcast(named))
        self._use_domains(assignment.domain)
        if self.naming.period is not None and self.fabric.is_global_zero:
            assignment.save(self.run / "domains", self.iteration // self.naming.period)
            if self.iteration == 0:
                add_to_record(self.run, {"domains": list(assignment.notes)})
        for note in assignment.notes:
            if note not in self.said:
                self.report.note(note if self.iteration == 0 else f"iteration {self.iteration}: {note}")
        self.said |= set(assignment.notes)
        return {f"domains/{name}": value for name, value in assignment.log.items()}

    def _use_domains(self, domain: Int[ndarray, " n"]) -> None:
        training = self.config.training
        self.domain = domain
        self.sampler = BalancedSampler(self.live, domain, self.n_domains, training.batch_per_class, training.seed)

    def step(self) -> dict[str, float]:
        """Do one iteration. Every random number depends on the seed, the batch's number and the process alone.

        Raises UserError if the memory does not suffice.
        """
        self.method.iteration = self.iteration
        logs: dict[str, float] = {}
        try:
            with self.fabric.autocast():
                for number in self.method.batches_of(self.iteration):
                    logs |= self._learn_from(number)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error):
                other = "" if self.method.adapts_encoder else ", or set network.checkpoint_activations=true"
                raise UserError(f"out of memory; lower training.batch_per_class{other}") from error
            raise
        self.method.average([buffer for buffer in self.method.buffers() if buffer.is_floating_point()])
        self.iteration += 1
        return logs

    def _learn_from(self, number: int) -> dict[str, float]:
        self.method.batch_number = number
        rank = self.fabric.global_rank
        torch.manual_seed(stable_seed(self.config.training.seed, "torch", number, rank))
        return self.method.update(self._batch(number, rank))

    def _batch(self, number: int, rank: int) -> Batch:
        training = self.config.training
        assert self.domain is not None
        rows = self.sampler.rows(number, rank, self.fabric.world_size)
        coins = stable_rng(training.seed, "flip", number, rank).random(len(rows))
        return self.loader.batch(rows, self.domain, self.n_domains, (coins < 0.5) & training.flip)

    def _milestone(self) -> None:
        """Score the source development data, then keep this state: for choosing among, and for resuming."""
        if self.fabric.is_global_zero:
            self._score_development()
        self._save(self.iteration, resumable=False)
        self._save(LATEST, resumable=True)

    def _score_development(self) -> None:
        frames = self.data.part("validation")
        raw = raw_scores(self.method, self.validation, lambda d, t: self.report.progress("source validation", d, t))
        folder = self.run / "development"
        folder.mkdir(exist_ok=True)
        if not self.method.score_is_probability:
            calibration = fit_calibration(raw, frames["label"].to_numpy(dtype=int), frames["domain"].to_numpy())
            write_json(folder / f"{self.iteration:07d}.json", calibration.to_dict())
            raw = calibration.apply(raw)
        rejected = self.data.split.rejected["validation"]
        origin = f"source development data, iteration {self.iteration}"
        write_scores(folder / f"{self.iteration:07d}.csv", scores_of_frames(frames, raw, rejected, origin))

    def _save(self, step: int | str, *, resumable: bool) -> None:
        if self.fabric.is_global_zero:
            assert self.domain is not None
            facts = {"iteration": self.iteration}
            tensors = {"domain": torch.from_numpy(self.domain)}
            write_checkpoint(checkpoint_path(self.run, step), self.method, facts, tensors, resumable=resumable)
        self.fabric.barrier()

    def restore(self) -> None:
        """Go back to the state of the last checkpoint."""
        facts, tensors = read_checkpoint(checkpoint_path(self.run, LATEST), self.method)
        self.iteration = facts["iteration"]
        self._use_domains(tensors["domain"].numpy())
        word = "continuing behind" if self.iteration < self.total else "finished already:"
        self.report.note(f"{word} iteration {self.iteration} of {self.total}")
