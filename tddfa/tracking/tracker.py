"""Follow all faces of a video.

Each frame goes through these steps::

    cut? ---yes--> forget all tracks
      |
    follow: align every track where it was, check it          (one batch, both networks)
      |
    detect: at a cut, every n-th frame, and when a track fails; match boxes to tracks
      |
    born after 2 confirmations, dead after m frames without being seen
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np

from tddfa.aligner import Aligner
from tddfa.detector import Detector
from tddfa.face import Face
from tddfa.face_box import face_boxes_of, landmark_roi
from tddfa.face_check.check import FaceCheck
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.face_check.mirror_agreement import MirrorAgreement
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.quarter_turns import found_turned
from tddfa.roi import parse_roi_box_from_bbox
from tddfa.tracking.association import iou_matrix, match
from tddfa.tracking.changed_part import ChangedPart, Part
from tddfa.tracking.face_finder import FaceFinder
from tddfa.tracking.face_observer import FaceObserver, Observation
from tddfa.tracking.lying_search import LyingSearch, common_quarters
from tddfa.tracking.settings import TrackerSettings
from tddfa.tracking.shot_change import ShotDetector
from tddfa.tracking.track import Track
from tddfa.upright import in_plane_roll, needed_turns

__all__ = ["FaceTracker", "TrackerSettings"]

# Detections from this score on confirm a track.
_WEAK = 0.2
# A detection belongs to a track from this overlap on.
_MATCH = 0.25
# A track that overlaps its detection less than this is aligned anew from the detection.
_DRIFTED = 0.45
# Two tracks with more overlap than this follow the same face.
_SAME = 0.55
# Frames after losing a face at which the whole picture is searched for it.
_RETRY = frozenset({1, 2, 4, 7, 10, 14, 19})
# So often, in frames, the detector vouches for a face that the cheap check cannot see.
_VOUCH = 3
# A face that the check was sure of is checked again after so many frames, unless it moves more than
# a little; sure it is from this score on. So are faces that are not confirmed, or were lost.
_CHECK_EVERY, _SURE = 4, 0.6
# So often, in frames, an empty scene is searched.
_EMPTY = 3
# A picture that stands still gives no confirmations; it has this many more frames' time.
_STILL_AGE = 1


class FaceTracker:
    """Follow the faces of one video; call it with its frames in order.

    Parameters
    ----------
    detector : Detector
        Such as FaceBoxes, see `tddfa.detectors`.
    aligner : Aligner
        ``TDDFA`` or ``TDDFA_ONNX``.
    settings : TrackerSettings, optional
        Thresholds and intervals.
    check : FaceCheck, optional
        Says how new faces are rolled, so that also videos that lie are followed; by default the one
        behind the detector, if any.

    Attributes
    ----------
    cut : bool
        Whether the last frame began a new shot; ids are never carried over a cut.
    detections : int
        How often a picture was searched so far, or a part of it.

    Examples
    --------
    >>> from tddfa import FaceAligner
    >>> from tddfa.io.pictures import imread
    >>> networks = FaceAligner()
    >>> tracker = FaceTracker(networks.detector, networks.aligner)
    >>> portrait = imread("examples/inputs/astronaut.png")
    >>> [(face.track_id, face.confirmed) for frame in [portrait] * 3 for face in tracker(frame)]
    [(1, False), (1, False), (1, True)]
    """

    def __init__(
        self,
        detector: Detector,
        aligner: Aligner,
        settings: TrackerSettings | None = None,
        check: FaceCheck | None = None,
    ) -> None:
        self.settings = settings or TrackerSettings()
        if isinstance(detector, CheckedDetector) and detector.agreement is None:
            detector = detector.asking(MirrorAgreement(aligner))
        self.finder = FaceFinder(detector, min(_WEAK, self.settings.high), check)
        self.observer = FaceObserver(self.finder, aligner, upright=self.settings.upright)
        self.cut = False
        self.detections = 0
        self._lying = LyingSearch(self.finder)
        self._shots = ShotDetector()
        self._tracks: list[Track] = []
        self._ids = count(1)
        self._since_detection = 0
        self._coarse = False
        # By whether the search is a coarse one.
        self._changes = {False: ChangedPart(), True: ChangedPart()}

    def __call__(self, image: ImageArray) -> list[Face]:
        """Follow the faces into the next frame.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8
            BGR frame.

        Returns
        -------
        list of Face
            Every face that is seen in this frame, also those not yet ``confirmed``, by id.
        """
        self.cut = self._shots(image)
        if self.cut:
            self._tracks = []
            self._forget_searches()
        self._since_detection += 1
        self._follow(image)
        if self._must_detect():
            self._detect(image)
        elif self._since_detection >= self.settings.detect_every:
            self._look_for_new(image)
        alive = [track for track in self._tracks if not self._is_dead(track)]
        if len(alive) < len(self._tracks):  # what was a face may be one again, and stand still
            self._forget_searches()
        self._tracks = alive
        for track in self._tracks:
            track.age += 1
        return [self._report(track) for track in self._tracks if not track.misses]

    def _forget_searches(self) -> None:
        for changes in self._changes.values():
            changes.forget()

    def _confirmed(self, track: Track) -> bool:
        return track.hits >= self.settings.birth or track.age >= _STILL_AGE + self.settings.birth

    def _is_dead(self, track: Track) -> bool:
        return track.misses > (self.settings.death if self._confirmed(track) else 0)

    def _report(self, track: Track) -> Face:
        return replace(track.face, confirmed=self._confirmed(track))

    def _follow(self, image: ImageArray) -> None:
        """Align every track from its last landmarks and judge what came out."""
        rois = [track.roi_box for track in self._tracks]
        turns = self._turns([t.face.param for t in self._tracks])
        known = [self._known(track) for track in self._tracks]
        seen = self._observe(image, rois, turns, known)
        strays = self._strays(seen)
        for i, (track, observation) in enumerate(zip(self._tracks, seen, strict=True)):
            if i in strays or not observation.plausible:
                track.miss()
            elif observation.seen:
                self._accept(track, observation, observation.face.score)
                track.by_detector = False
            elif not track.misses:
                # Perhaps only hard to see: the detector will be asked.
                unseen = track.unseen + 1
                self._accept(track, observation, 0.9 * track.face.score, hit=False)
                track.unseen = unseen
            else:
                track.miss()

    def _known(self, track: Track) -> float | None:
        """Return the score of a face that need not be checked in this frame, if nothing moves."""
        calm = self._confirmed(track) and not (track.misses or track.unseen or track.by_detector)
        fresh = track.unchecked < _CHECK_EVERY - 1
        return track.checked_score if calm and fresh and track.checked_score >= _SURE else None

    def _observe(
        self,
        image: ImageArray,
        rois: list[list[float]],
        turns: list[float],
        known: list[float | None] | None = None,
    ) -> list[Observation]:
        """Align and judge; what need not be turned is not mentioned."""
        return self.observer(image, rois, turns if any(turns) else None, known=known)

    def _turns(self, params: Sequence[FloatArray]) -> list[float]:
        """Return by how many degrees ROIs of faces with these parameters are turned upright."""
        if not (self.settings.upright and params):
            return [0.0] * len(params)
        return needed_turns(in_plane_roll(np.stack(params))).tolist()

    def _strays(self, seen: Sequence[Observation]) -> set[int]:
        """Return tracks that have moved over to the face of another one."""
        strays: set[int] = set()
        if len(seen) < 2:
            return strays
        overlap = iou_matrix(*2 * ([landmark_roi(item.face.landmarks) for item in seen],))
        for i, j in zip(*np.nonzero(np.triu(overlap > _SAME, 1)), strict=True):
            if not strays & {i, j} and seen[i].plausible and seen[j].plausible:
                # The one that is lost, unconfirmed or has come the farther way.
                strays.add(max((int(i), int(j)), key=lambda k: self._strayed(k, seen[k])))
        return strays

    def _strayed(self, index: int, observation: Observation) -> tuple[bool, bool, float]:
        track = self._tracks[index]
        surprise = round(track.surprise(observation.face.landmarks), 1)
        return track.misses > 0, not self._confirmed(track), surprise - 1e-4 * track.age

    def _must_detect(self) -> bool:
        if self.cut:
            return True
        if all(track.misses for track in self._tracks) and self._since_detection >= _EMPTY:
            return True
        return any(
            track.misses in _RETRY
            or track.unseen >= (_VOUCH if track.by_detector and self._confirmed(track) else 1)
            for track in self._tracks
        )

    def _look_for_new(self, image: ImageArray) -> None:
        """Search for new faces, as nothing is amiss; small ones are found every other time."""
        self._coarse = not self._coarse
        changes = self._changes[self._coarse]
        if any(track.misses or track.unseen for track in self._tracks):
            changes.forget()  # the detector is to say something about these, too
        part = changes(image)
        self._since_detection = 0
        if part is not None:
            self._detect(image, coarse=self._coarse, part=part)

    def _detect(self, image: ImageArray, *, coarse: bool = False, part: Part | None = None) -> None:
        """Search a picture, or a part of it, and bring tracks and detections together."""
        self._since_detection = 0
        self.detections += 1
        boxes = self._search(image, coarse, part)
        places = face_boxes_of([track.roi_box for track in self._tracks])
        overlap = iou_matrix(places, boxes)
        pairs = match(overlap, _MATCH)
        again: list[tuple[Track, FloatArray]] = []
        for row, column in pairs:
            track, box = self._tracks[row], boxes[column]
            if track.misses or overlap[row, column] < _DRIFTED:
                again.append((track, box))
            if track.misses:
                continue
            track.hits += not self._shots.still
            track.by_detector, track.unseen = track.unseen > 0 or track.by_detector, 0
            track.face = replace(track.face, score=max(track.face.score, float(box[4])))
        for row in set(range(len(self._tracks))) - {row for row, _ in pairs}:
            if self._tracks[row].unseen:  # neither the check nor the detector sees it
                self._tracks[row].unseen = 0
                self._tracks[row].miss()
        free = sorted(set(range(len(boxes))) - {column for _, column in pairs})
        self._regain(image, again)
        self._begin(image, boxes[free])

    def _search(self, image: ImageArray, coarse: bool, part: Part | None) -> FloatArray:
        """Search as the faces that are followed lie, else upright, and then turned."""
        turning = self.settings.upright and self.finder.check is not None
        params = [track.face.param for track in self._tracks]
        if turning and params:
            quarters = common_quarters(in_plane_roll(np.stack(params)).tolist())
            if quarters:
                return found_turned(partial(self.finder.detect, coarse=coarse), image, quarters)
        if part is None:
            boxes = self.finder.detect(image, coarse=coarse)
        else:
            boxes = self.finder.detect_in(image, part, coarse=coarse)
        nobody = not (params or (boxes[:, 4] >= self.settings.high).any())
        return self._lying(image) if turning and nobody else boxes

    def _regain(self, image: ImageArray, found: list[tuple[Track, FloatArray]]) -> None:
        """Take tracks up again, that were lost or have drifted, where the detector sees a face."""
        observations = self._observe_boxes(image, [box for _, box in found])
        for (track, box), seen in zip(found, observations, strict=True):
            if not seen.plausible or self._taken(seen, but=track):
                continue
            before, after = iou_matrix(
                face_boxes_of([track.roi_box, landmark_roi(seen.face.landmarks)]), [box]
            )[:, 0]
            if track.misses or after > before:
                self._accept(track, seen, max(float(box[4]), seen.face.score), hit=track.misses > 0)
                track.by_detector = not seen.seen

    def _begin(self, image: ImageArray, boxes: FloatArray) -> None:
        """Begin tracks at detections that no track claims."""
        boxes = boxes[boxes[:, 4] >= self.settings.high]
        boxes = boxes[np.argsort(-np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1), kind="stable")]
        for box, seen in zip(boxes, self._observe_boxes(image, list(boxes)), strict=True):
            limit = self.settings.max_faces
            if limit is not None and len(self._tracks) >= limit:
                lost = [track for track in self._tracks if track.misses]
                if not lost:
                    return
                self._tracks.remove(lost[0])
            if seen.plausible and not self._taken(seen):
                score = max(float(box[4]), seen.face.score)
                face = replace(seen.face, track_id=next(self._ids), score=score, confirmed=False)
                track = Track(face, landmark_roi(seen.face.landmarks), by_detector=not seen.seen)
                self._tracks.append(track)

    def _observe_boxes(self, image: ImageArray, boxes: list[FloatArray]) -> list[Observation]:
        """Align at detections, and once more from the landmarks found there."""
        if not boxes:
            return []
        if self.settings.upright:
            own = self.finder.roi_boxes(image, np.stack(boxes))
        else:
            own = [parse_roi_box_from_bbox(box) for box in boxes]
        first = self.observer.align(image, own)
        rois = [landmark_roi(landmarks) for _, landmarks in first]
        # Landmarks gone astray leave the detection's own ROI.
        usable = iou_matrix(rois, boxes).diagonal() > 0
        return self._observe(
            image,
            [roi if good else given for roi, given, good in zip(rois, own, usable, strict=True)],
            self._turns([param for param, _ in first]),
        )

    def _taken(self, seen: Observation, but: Track | None = None) -> bool:
        """Whether another track follows this face already."""
        others = [t.roi_box for t in self._tracks if t is not but and not t.misses]
        return bool((iou_matrix([landmark_roi(seen.face.landmarks)], others) > _SAME).any())

    def _accept(self, track: Track, seen: Observation, score: float, *, hit: bool = True) -> None:
        """Take over an observation; a frame that copies the last one is no new confirmation."""
        smooth = min(1.0, max(0.0, 0.5 * (track.face.score + score)))
        face = replace(seen.face, track_id=track.face.track_id, score=smooth)
        track.follow(face, sure=hit)
        if seen.checked:
            track.checked_score, track.unchecked = seen.face.score, 0
        else:
            track.unchecked += 1
        if hit:
            track.hits += not self._shots.still
            track.unseen = 0
