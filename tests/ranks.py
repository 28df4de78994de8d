"""Runs a function in several processes that form one gloo group, as torchrun would."""

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import distributed, multiprocessing


def run_on_ranks(function: Callable[[], Any], folder: Path, world_size: int = 2) -> list[Any]:
    """Return what ``function`` returned in each process, in the order of the ranks.

    Args:
        function: Of a module that a new process can import by name (not of a test
            module); its result is of tensors, numbers, strings, lists and dicts.
        folder: An empty folder for the rendezvous and the results.
        world_size: Number of processes.
    """
    multiprocessing.spawn(_run, (function, folder, world_size), nprocs=world_size)
    return [torch.load(folder / f"{rank}.pt") for rank in range(world_size)]


def _run(rank: int, function: Callable[[], Any], folder: Path, world_size: int) -> None:
    os.environ["LOCAL_RANK"] = str(rank)
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=world_size
    )
    torch.save(function(), folder / f"{rank}.pt")
    distributed.barrier()  # Neither leaves while the other still talks to it.
    # A runner refers to itself; a parallel model that outlives its group has threads of gloo
    # that abort the process when it ends.
    gc.collect()
    distributed.destroy_process_group()
