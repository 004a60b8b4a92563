"""Helpers under the names that users of the reference know."""

from tddfa.drawing.landmark_picture import (
    crop_img,
    cv_draw_landmark,
    draw_landmarks,
    get_suffix,
    parse_roi_box_from_bbox,
    parse_roi_box_from_landmark,
    plot_image,
)

__all__ = [
    "crop_img",
    "cv_draw_landmark",
    "draw_landmarks",
    "get_suffix",
    "parse_roi_box_from_bbox",
    "parse_roi_box_from_landmark",
    "plot_image",
]
