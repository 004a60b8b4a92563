"""Important lines, how to break each, and the test that must notice; `mutants.py` tries them.

By hand: thresholds, signs, axes, one too many, a rename forgotten, a check left out.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A broken line.

    Attributes
    ----------
    what : str
        In words.
    path : str
        File of the checkout.
    line, broken : str
        Text that is in it exactly once, and what takes its place.
    test : str
        The test that must fail, as pytest is told it.
    """

    what: str
    path: str
    line: str
    broken: str
    test: str


MUTANTS = (
    Mutant(
        "of two triangles the farther wins",
        "Sim3DR/_rasterize_loops.h",
        "nearer = z > (Floats)old;",
        "nearer = z < (Floats)old;",
        "tests/Sim3DR/test_rasterize.py::test_agrees_with_the_rule_tested_at_every_pixel",
    ),
    Mutant(
        "normals point inward",
        "Sim3DR/_normals.pyx",
        "nz = ux * vy - uy * vx",
        "nz = uy * vx - ux * vy",
        "tests/Sim3DR/test_normals.py::test_sphere_points_outward",
    ),
    Mutant(
        "NMS: a box is a pixel too narrow",
        "FaceBoxes/_nms.pyx",
        "x1 if x1 > boxes[j, 0] else boxes[j, 0]) + 1",
        "x1 if x1 > boxes[j, 0] else boxes[j, 0])",
        "tests/FaceBoxes/test_nms.py::test_equal_to_brute_force",
    ),
    Mutant(
        "NMS: what reaches the threshold stays",
        "FaceBoxes/_nms.pyx",
        ">= threshold",
        "> threshold",
        "tests/FaceBoxes/test_nms.py::test_overlap_of_just_the_threshold_removes",
    ),
    Mutant(
        "colors between pixels: weights swapped",
        "tddfa/drawing/_sampling.pyx",
        "upper = img[y0, x0, k] * (1.0 - wx) + img[y0, x1, k] * wx",
        "upper = img[y0, x0, k] * wx + img[y0, x1, k] * (1.0 - wx)",
        "tests/tddfa/drawing/test_sampling.py::test_three_channels_are_what_each_is_alone",
    ),
    Mutant(
        "boxes: size decoded with the center's variance",
        "FaceBoxes/box_coding.py",
        "size = priors[:, 2:] * np.exp(loc[:, 2:] * np.float32(SIZE_VARIANCE))",
        "size = priors[:, 2:] * np.exp(loc[:, 2:] * np.float32(CENTER_VARIANCE))",
        "tests/FaceBoxes/test_box_coding.py::test_worked_example",
    ),
    Mutant(
        "anchors: x and y swapped",
        "FaceBoxes/prior_box.py",
        "anchors += [(x, y, size) for y in offsets for x in offsets]",
        "anchors += [(y, x, size) for y in offsets for x in offsets]",
        "tests/FaceBoxes/test_prior_box.py::test_order",
    ),
    Mutant(
        "detector: mean color as RGB",
        "FaceBoxes/preprocess.py",
        "MEAN_BGR = (104.0, 117.0, 123.0)",
        "MEAN_BGR = (123.0, 117.0, 104.0)",
        "tests/FaceBoxes/test_preprocess.py::test_blob_is_the_picture_minus_the_mean",
    ),
    Mutant(
        "ROI: center moved up in place of down",
        "tddfa/roi.py",
        "center_y = bottom - (bottom - top) / 2 + mean_side * 0.14",
        "center_y = bottom - (bottom - top) / 2 - mean_side * 0.14",
        "tests/tddfa/test_roi.py::test_box_rule",
    ),
    Mutant(
        "crop at the border: one row too low",
        "tddfa/roi.py",
        "crop[y0 - top : y1 - top, x0 - left : x1 - left] = img[y0:y1, x0:x1]",
        "crop[y0 - top : y1 - top, x0 - left : x1 - left] = img[y0 - 1 : y1 - 1, x0:x1]",
        "tests/tddfa/test_roi.py::test_crop_equals_a_window_of_the_padded_picture",
    ),
    Mutant(
        "network's input: normalized by 127.5 twice",
        "tddfa/roi.py",
        "batch /= 128.0",
        "batch /= 127.5",
        "tests/tddfa/test_roi.py::test_network_input",
    ),
    Mutant(
        "parameters: expression before shape",
        "tddfa/params.py",
        "shape=coefficients[..., :n_shape, :],",
        "shape=coefficients[..., -n_shape:, :],",
        "tests/tddfa/test_params.py::test_parts_cover_the_vector_in_order",
    ),
    Mutant(
        "reconstruction: y up",
        "tddfa/reconstruct.py",
        "scales, shifts = (x, -y, z)",
        "scales, shifts = (x, y, z)",
        "tests/tddfa/test_reconstruct.py::test_equals_the_formulas",
    ),
    Mutant(
        "reconstruction: x counted from 1",
        "tddfa/reconstruct.py",
        "(left - x, top + y * size, -z)",
        "(left, top + y * size, -z)",
        "tests/tddfa/test_reconstruct.py::test_equals_the_formulas",
    ),
    Mutant(
        "pose: roll turns the other way",
        "tddfa/pose.py",
        "roll = math.atan2(r[1, 0] / cos_yaw, r[0, 0] / cos_yaw)",
        "roll = math.atan2(r[0, 1] / cos_yaw, r[0, 0] / cos_yaw)",
        "tests/tddfa/test_pose.py::test_angles_are_recovered",
    ),
    Mutant(
        "tracks: pairs below the threshold count",
        "tddfa/tracking/association.py",
        "gain = np.where(overlap >= least, overlap, 0.0)",
        "gain = np.where(overlap >= 0, overlap, 0.0)",
        "tests/tddfa/tracking/test_association.py::test_matches_are_one_to_one_and_overlap_enough",
    ),
    Mutant(
        "confirmation: a frame too early",
        "tddfa/tracking/confirmation.py",
        "if len(waiting) > wait:",
        "if len(waiting) >= wait:",
        "tests/tddfa/tracking/test_smoothing.py::test_confirmation_waits_as_long_as_it_may",
    ),
    Mutant(
        "smoothing: neighbors of the far end of the past",
        "tddfa/tracking/smoothing.py",
        "before = _run(face, list(past)[::-1], n_pre)",
        "before = _run(face, list(past), n_pre)",
        "tests/tddfa/tracking/test_smoothing.py::test_mean_goes_back_from_the_frame_itself",
    ),
    Mutant(
        "1 euro filter: speed not divided by time",
        "tddfa/tracking/one_euro.py",
        "gain * (step / dt - self._speed)\n        speed =",
        "gain * (step - self._speed)\n        speed =",
        "tests/tddfa/tracking/test_one_euro.py::test_one_euro_is_its_formula",
    ),
    Mutant(
        "blending: shares swapped",
        "tddfa/drawing/blend.py",
        "1 - alpha, part, alpha, 0, dst=part)",
        "alpha, part, 1 - alpha, 0, dst=part)",
        "tests/tddfa/drawing/test_blend.py::test_share_of_the_drawing",
    ),
    Mutant(
        "texture upside down",
        "tddfa/drawing/uv.py",
        "places[:, 1] = uv_h - 1 - places[:, 1]",
        "places[:, 1] = places[:, 1]",
        "tests/tddfa/drawing/test_overlays.py::test_uv_shows_the_picture_upright",
    ),
    Mutant(
        "OBJ: indices from 0",
        "tddfa/export/serialization.py",
        'format_indices(triangles, b"f ", 1 + k * n_vertices, paired=textured)',
        'format_indices(triangles, b"f ", k * n_vertices, paired=textured)',
        "tests/tddfa/export/test_serialization.py::test_obj_line_by_line",
    ),
    Mutant(
        "Exif 6 turned like 8",
        "tddfa/io/decode.py",
        "flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}",
        "flips = {2: 1, 3: -1, 4: 0, 6: 0, 7: -1, 8: 1}",
        "tests/tddfa/io/test_pictures.py::test_exif_orientation",
    ),
    Mutant(
        "a file may declare what it likes",
        "tddfa/io/container.py",
        "FREE_PIXELS, MAX_PIXELS_PER_BYTE = 1 << 25, 10_000",
        "FREE_PIXELS, MAX_PIXELS_PER_BYTE = 1 << 40, 10_000",
        "tests/tddfa/io/test_container.py::test_declared_beyond_what_a_file_can_hold",
    ),
    Mutant(
        "writing: in place, no rename",
        "tddfa/io/atomic.py",
        "        temporary.replace(target)\n",
        "        target.write_bytes(temporary.read_bytes())\n",
        "tests/tddfa/io/test_atomic.py::test_whoever_reads_meanwhile_has_the_old_file_whole",
    ),
    Mutant(
        "writing: the temporary file left behind after an error",
        "tddfa/io/atomic.py",
        "            temporary.unlink(missing_ok=True)",
        "            temporary.exists()",
        "tests/tddfa/io/test_atomic.py::test_full_disk_keeps_what_was_there",
    ),
    Mutant(
        "an output may overwrite an input",
        "tddfa/io/targets.py",
        "if key in read:",
        "if key in written:",
        "tests/tddfa/io/test_targets.py::test_input_by_any_name",
    ),
    Mutant(
        "pickles: any function may be called",
        "tddfa/pickles.py",
        '            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None',
        "            return super().find_class(module, name)",
        "tests/tddfa/test_pickles.py::test_malicious_pickle_is_not_executed",
    ),
    Mutant(
        "checkpoints: a function of any module may be asked for",
        "tddfa/checkpoint_head.py",
        "trusted = module in _TRUSTED and name not in _LOADERS",
        "trusted = name not in _LOADERS",
        "tests/tddfa/test_checkpoint_head.py::test_foreign_pickle",
    ),
    Mutant(
        "cache: a damaged network is used",
        "tddfa/onnx_cache.py",
        'if digest(cached) == cached.stem.rpartition("-")[2]:',
        "if digest(cached):",
        "tests/tddfa/test_onnx_cache.py::test_damaged_file_is_made_anew",
    ),
    Mutant(
        "PyTorch after a fork: no word, and it hangs",
        "tddfa/torch_process.py",
        "return os.getpid() not in _AT_WORK_IN",
        "return False",
        "tests/tddfa/test_processes.py::test_objects_in_other_processes",
    ),
    Mutant(
        "video: times a unit of the clock late",
        "tddfa/video/reader.py",
        "yield Frame(index, float(pts * unit), square, pts=pts, stored=stored)",
        "yield Frame(index, float((pts + 1) * unit), square, pts=pts + 1, stored=stored)",
        "tests/tddfa/video/test_video.py::test_sound_is_trimmed_with_the_pictures",
    ),
)
