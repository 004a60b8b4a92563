"""The pose box."""

from tddfa.drawing.pose_box import calc_pose, plot_pose_box, viz_pose

__all__ = ["calc_pose", "plot_pose_box", "viz_pose"]
