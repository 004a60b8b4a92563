"""The names that users of the reference import, with the reference's contract.

The implementation is in `tddfa`; new code imports it from there. docs/migrating.md lists every name
and what differs.
"""
