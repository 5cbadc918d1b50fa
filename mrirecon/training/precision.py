"""The arithmetic of the networks: which floating-point format, and how gradients survive it."""

import torch

from mrirecon.training.config import Precision

_BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")  # as torch.cpu names them
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def network_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """Return the format of the networks' arithmetic on a device; "auto" decides by the device."""
    if precision != "auto":
        return _DTYPES[precision]
    if device.type == "cuda":
        has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities = torch.cpu.get_capabilities()
        has_bfloat16 = any(capabilities.get(name) for name in _BFLOAT16_INSTRUCTIONS)
    return torch.bfloat16 if has_bfloat16 else torch.float32


def make_autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context of the networks' arithmetic; may be entered again and again."""
    dtype = network_dtype(precision, device)
    is_short = dtype != torch.float32
    return torch.autocast(device.type, dtype if is_short else torch.bfloat16, is_short)


def make_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:
    """Return what scales losses, so that gradients do not vanish in float16; idle otherwise.

    A step whose gradients overflow is left out and the scale halved (Micikevicius et al. 2018,
    arXiv 1710.03740, section 3.2).
    """
    return torch.amp.GradScaler(device.type, enabled=precision == "float16")
