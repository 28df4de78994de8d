"""Let torch read our checkpoints as weights only, without running code that they hold.

MMEngine allows its own classes while it loads a checkpoint, and falls back to the unsafe
way, with a warning, when it meets another. These are the ones it leaves out.
"""

import numpy as np
import torch
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

torch.serialization.add_safe_globals(
    [OneCycleParamScheduler, *{type(np.dtype(code)) for code in ("f4", "i4", "u1", "?")}]
)
