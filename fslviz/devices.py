"""Where a training runs, and in which precision: found by a measurement, not by a flag of the processor."""

from __future__ import annotations

import contextlib
import ctypes
import json
import threading
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from fslviz.errors import unknown
from fslviz.files import cache_dir, whole_file
from fslviz.models import EmbeddingNet

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
GPU = threading.RLock()
GAIN = 0.95  # bfloat16 has to be this much faster, or the more exact one is taken


class Random(TorchDispatchMode):
    """Under it, random numbers of this thread come from generators of its own, seeded as by ``manual_seed``.

    The process's generators are neither read nor moved: other threads don't change this one's numbers, nor it theirs.
    """

    TURN = threading.Lock()

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed, self.generators = seed, dict[str, torch.Generator]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if torch.Tag.nondeterministic_seeded not in func.tags or kwargs.get("generator") is not None:
            return func(*args, **kwargs)
        device = torch.device(kwargs.get("device") or next((x.device for x in args if isinstance(x, Tensor)), "cpu"))
        func = getattr(func.overloadpacket, f"{func._overloadname}_generator".removeprefix("default_"), func)
        names = [argument.name for argument in func._schema.arguments]
        if "generator" in names:
            own = self._of(device)
            return func(*args[: names.index("generator")], **{**kwargs, "generator": own})
        with (
            self.TURN,
            torch.random.fork_rng([device] if device.type == "cuda" else []),
        ):  # it takes none: a GPU's dropout
            torch.manual_seed(int(torch.randint(2**31, (), generator=self._of(torch.device("cpu")), device="cpu")))
            return func(*args, **kwargs)

    def _of(self, device: torch.device) -> torch.Generator:
        if device.type not in self.generators:
            self.generators[device.type] = torch.Generator(device).manual_seed(self.seed)
        return self.generators[device.type]


@contextlib.contextmanager
def isolated() -> Iterator[None]:
    """Under it, the caller's settings are ignored: inference mode, no gradients, another default device, autocast."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))  # which turns gradients on as well
        stack.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda", "mps"):  # its cache would keep weights that a step has changed
            stack.enter_context(torch.autocast(kind, enabled=False, cache_enabled=False))
        yield


@contextlib.contextmanager
def deterministic(device: str) -> Iterator[None]:
    """On a GPU, the same numbers each time: a setting of the whole process, so that trainings there take turns."""
    if torch.device(device).type != "cuda":
        yield
        return
    with GPU, torch.backends.cudnn.flags(enabled=True, deterministic=True):
        yield


def best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def checked(device: str | torch.device) -> str:
    """The name of a device, or a ValueError that says which there are."""
    gpus = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))] if torch.cuda.is_available() else []
    found = ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]
    return str(device) if str(device) in found else unknown("device", str(device), found)


def precision(device: str) -> str:
    """``"bfloat16"`` where training is faster in it, else ``"float32"``.

    On a CPU a few steps decide, once a machine: they are kept in the cache folder. A CUDA device has bfloat16 from
    compute capability 8 on; MPS trains in float32.
    """
    kind = torch.device(device).type
    if kind == "cpu":
        seconds = probe(processor())
        return "bfloat16" if seconds["bfloat16"] < GAIN * seconds["float32"] else "float32"
    return "bfloat16" if kind == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8 else "float32"


def processor() -> str:
    """What the speed of a precision hangs on."""
    return f"{torch.cpu.get_capabilities().get('cpu_name', 'CPU')}, torch {torch.__version__}"


@cache
def probe(name: str) -> dict[str, float]:
    """Seconds that a training step of 64 images takes here in each precision, kept under ``name``."""
    path = cache_dir() / "precision.json"
    kept: dict[str, dict[str, float]] = {}
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # missing, damaged, of others: measured anew
        kept = dict(json.loads(path.read_text()))
        return {dtype: float(kept[name][dtype]) for dtype in DTYPES}
    seconds = _measure()
    with contextlib.suppress(OSError), whole_file(path) as file:  # a full disk is no reason to stop
        file.write(json.dumps({**kept, name: seconds}, indent=1).encode())
    return seconds


def _measure(tries: int = 5) -> dict[str, float]:
    """The fastest of a few steps in turn, so that other work on the machine meets both alike."""
    keep_memory()
    with Random(0):
        model = EmbeddingNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        images = torch.randn(64, 1, 28, 28).contiguous(memory_format=torch.channels_last)
    seconds = dict.fromkeys(DTYPES, float("inf"))
    for i in range(tries + 1):  # the first warms up
        for dtype in DTYPES:
            began = time.perf_counter()
            with autocast("cpu", dtype):
                embeddings = model(images)
            embeddings.sum().backward()
            if i:
                seconds[dtype] = min(seconds[dtype], time.perf_counter() - began)
    return seconds


def autocast(device: str | torch.device, precision: str) -> torch.autocast:
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bfloat16")


@cache
def keep_memory() -> None:
    """Have glibc keep freed memory: by default it gives each step's activations back and faults them in again."""
    with contextlib.suppress(OSError, AttributeError):  # no glibc, no need
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 2**25)  # M_MMAP_THRESHOLD: blocks of up to 32 MB from the heap; larger ones are given back
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: keep its top
