"""Regressor networks, one module each; `Config.arch` names one.

A module has two functions::

    build(widen_factor, num_params)   a `tddfa.backbone.Backbone` with fresh weights
    sizes(state)                      (widen_factor, num_params) of a checkpoint, None if it is
                                      another network's

Loading, ONNX export, training and evaluation go through `tddfa.backbone`; importing this package
imports no network.
"""
