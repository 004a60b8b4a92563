"""The reference's contract, where it is wider than the new API's.

The modules that users of the reference import (`TDDFA`, `TDDFA_ONNX`, `FaceBoxes.FaceBoxes`,
`utils`, `bfm`, …) take their classes from here. Nothing else of the project uses them;
docs/migrating.md lists every name.
"""
