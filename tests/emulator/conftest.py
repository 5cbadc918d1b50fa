from types import ModuleType

import pytest
from emulator_cases import ORDERS


@pytest.fixture(params=ORDERS)
def ordered(emulator: ModuleType, request: pytest.FixtureRequest) -> ModuleType:
    """Give the emulator in each order of CUDA threads."""
    emulator.configure(order=request.param)
    return emulator
