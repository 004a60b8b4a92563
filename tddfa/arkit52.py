"""The 52 blendshapes of Apple's ARKit: names, in the order that files of coefficients have.

Source: ``ARFaceAnchor.BlendShapeLocation`` of ARKit's documentation. Left and right are the
subject's own.
"""

NAMES = (
    *("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft"),
    *("eyeSquintLeft", "eyeWideLeft"),
    *("eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight"),
    *("eyeSquintRight", "eyeWideRight"),
    *("jawForward", "jawRight", "jawLeft", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight"),
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *("noseSneerLeft", "noseSneerRight", "tongueOut"),
)


def capitalized(name: str) -> str:
    """Return a name as Live Link Face, Unity and Perfect Sync avatars spell it.

    Examples
    --------
    >>> capitalized("jawOpen")
    'JawOpen'
    """
    return name[0].upper() + name[1:]


def mirrored(name: str) -> str:
    """Return the name of the same movement in a mirror.

    Examples
    --------
    >>> mirrored("eyeBlinkLeft"), mirrored("jawRight"), mirrored("jawOpen")
    ('eyeBlinkRight', 'jawLeft', 'jawOpen')
    """
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    if name.endswith("Right"):
        return name.removesuffix("Right") + "Left"
    return name


MIRRORED = [NAMES.index(mirrored(name)) for name in NAMES]
"""Places of the mirror partners: ``coefficients[:, MIRRORED]`` are those of mirrored faces."""
