import numpy as np
from numpy.typing import NDArray

def suppress(
    boxes: NDArray[np.float32],
    areas: NDArray[np.float32],
    threshold: float,
    limit: int,
    suppressed: NDArray[np.uint8],
    kept: NDArray[np.intp],
) -> int: ...
