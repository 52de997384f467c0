"""The device and the precision of a training. The faster precision is measured, not taken from a processor flag."""

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
GAIN = 0.95  # bfloat16 is used if its time is below this share of float32's; else the more exact float32


class Random(TorchDispatchMode):
    """A context in which this thread draws random numbers from its own generators, seeded as by ``manual_seed``.

    It neither reads nor changes the process's generators: threads don't change each other's numbers.
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
        ):  # this function takes no generator: dropout on a GPU
            torch.manual_seed(int(torch.randint(2**31, (), generator=self._of(torch.device("cpu")), device="cpu")))
            return func(*args, **kwargs)

    def _of(self, device: torch.device) -> torch.Generator:
        if device.type not in self.generators:
            self.generators[device.type] = torch.Generator(device).manual_seed(self.seed)
        return self.generators[device.type]


@contextlib.contextmanager
def isolated() -> Iterator[None]:
    """A context that ignores the caller's settings: inference mode, no gradients, default device, autocast."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))  # which turns gradients on as well
        stack.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda", "mps"):  # a cache would keep weights from before a step
            stack.enter_context(torch.autocast(kind, enabled=False, cache_enabled=False))
        yield


@contextlib.contextmanager
def deterministic(device: str) -> Iterator[None]:
    """On a GPU, the same numbers each time. The setting is the whole process's, so trainings on a GPU take turns."""
    if torch.device(device).type != "cuda":
        yield
        return
    with GPU, torch.backends.cudnn.flags(enabled=True, deterministic=True):
        yield


def best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def checked(device: str | torch.device) -> str:
    """The name of a device. Raises ValueError, with the names of all devices here, if there is no such device."""
    gpus = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))] if torch.cuda.is_available() else []
    found = ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]
    return str(device) if str(device) in found else unknown("device", str(device), found)


def precision(device: str) -> str:
    """``"bfloat16"`` where training is faster in it, else ``"float32"``.

    On a CPU a few steps are timed, once per machine; their times are kept in the cache folder. A CUDA device uses
    bfloat16 from compute capability 8 on. MPS uses float32.
    """
    kind = torch.device(device).type
    if kind == "cpu":
        seconds = probe(processor())
        return "bfloat16" if seconds["bfloat16"] < GAIN * seconds["float32"] else "float32"
    return "bfloat16" if kind == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8 else "float32"


def processor() -> str:
    """The processor and the version of torch: the speed of a precision depends on both."""
    return f"{torch.cpu.get_capabilities().get('cpu_name', 'CPU')}, torch {torch.__version__}"


@cache
def probe(name: str) -> dict[str, float]:
    """Seconds of one training step of 64 images here, for each precision. The cache keeps them under ``name``."""
    path = cache_dir() / "precision.json"
    kept: dict[str, dict[str, float]] = {}
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # no valid entry for this machine: measure
        kept = dict(json.loads(path.read_text()))
        return {dtype: float(kept[name][dtype]) for dtype in DTYPES}
    seconds = _measure()
    with contextlib.suppress(OSError), whole_file(path) as file:  # a full disk is no reason to stop
        file.write(json.dumps({**kept, name: seconds}, indent=1).encode())
    return seconds


def _measure(tries: int = 5) -> dict[str, float]:
    """Seconds of the fastest of a few steps. The precisions alternate: other work slows both equally."""
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
    """Make glibc keep freed memory. By default it returns each step's activations to the system, which costs time."""
    with contextlib.suppress(OSError, AttributeError):  # no glibc, no need
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 2**25)  # M_MMAP_THRESHOLD: blocks of up to 32 MB from the heap; larger ones are given back
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: keep its top
