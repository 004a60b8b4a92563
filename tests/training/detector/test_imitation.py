import pytest
import torch

from FaceBoxes.network import FaceBoxesNet
from training.detector import imitation
from training.detector.trainer import DetectorTrainer, initialize


def answers(*faces, anchors=40):
    """Zero boxes, even logits, and another detector's scores, 0 but for `faces`."""
    wanted = torch.zeros(1, anchors)
    for anchor, score in faces:
        wanted[0, anchor] = score
    shape = (1, anchors)
    return torch.zeros(*shape, 4), torch.zeros(*shape, 2), torch.zeros(*shape, 4), wanted


def imitation_loss(loc, conf, wanted_loc, wanted, classes, offsets=None, told=()):
    """The loss with boxes that know better at the anchors `told`."""
    known = torch.zeros(wanted.shape, dtype=torch.bool)
    known[0, list(told)] = True
    offsets = torch.zeros_like(loc) if offsets is None else offsets
    return imitation.imitation_loss(loc, conf, wanted_loc, wanted, classes, offsets, known)


def logits(wanted):
    return torch.stack([(1 - wanted).log(), wanted.log()], dim=2).clamp_min(-30)


def test_the_same_answers_cost_nothing():
    loc, _, wanted_loc, wanted = answers((3, 0.9), (7, 0.2), (8, 0.01))
    total, parts = imitation_loss(loc, logits(wanted), wanted_loc, wanted, torch.zeros(1, 40))
    assert float(total) == pytest.approx(0, abs=1e-5) and set(parts) == {"boxes", "scores"}


def test_a_half_sure_answer_pulls_to_its_score():
    loc, conf, wanted_loc, wanted = answers((3, 0.2))
    conf = conf.clone().requires_grad_()
    total, _ = imitation_loss(loc, conf, wanted_loc, wanted, torch.zeros(1, 40))
    total.backward()
    # The gradient of cross entropy is probability minus target.
    assert 0 < float(conf.grad[0, 3, 1]) < float(conf.grad[0, :, 1].max())


def test_boxes_count_where_the_other_sees_a_face():
    loc, conf, wanted_loc, wanted = answers((3, 0.9), (7, 0.1))
    near, far = loc.clone(), loc.clone()
    near[0, 7], far[0, 3] = 5.0, 5.0
    classes = torch.zeros(1, 40)
    assert float(imitation_loss(near, conf, wanted_loc, wanted, classes)[1]["boxes"]) == 0
    assert float(imitation_loss(far, conf, wanted_loc, wanted, classes)[1]["boxes"]) > 1


@pytest.mark.parametrize("kind", [1, -1])
def test_faces_that_the_other_misses_count_neither_way(kind):
    loc, conf, wanted_loc, wanted = answers((3, 0.9))
    conf = conf.clone()
    conf[0, 20] = torch.tensor([-9.0, 9.0])
    classes = torch.zeros(1, 40, dtype=torch.long)
    with_mistake = imitation_loss(loc, conf, wanted_loc, wanted, classes)[1]["scores"]
    classes[0, 20] = kind
    without = imitation_loss(loc, conf, wanted_loc, wanted, classes)[1]["scores"]
    assert float(without) < float(with_mistake) - 5


def test_pictures_without_faces_teach_by_a_mean():
    loc, conf, wanted_loc, wanted = answers()
    classes = torch.zeros(1, 40, dtype=torch.long)
    scores = imitation_loss(loc, conf, wanted_loc, wanted, classes)[1]["scores"]
    assert float(scores) == pytest.approx(0.6931, abs=1e-3)


def test_a_pupil_comes_near_its_teacher():
    torch.manual_seed(0)
    teacher, pupil = FaceBoxesNet(), FaceBoxesNet()
    initialize(teacher)
    with torch.no_grad():
        for head in teacher.conf:  # so that it sees faces here and there
            head.weight.mul_(20)
            head.bias.zero_()
    initialize(pupil)
    trainer = DetectorTrainer(pupil, 0.02, 400, "cpu", teacher=teacher.eval())
    pictures = torch.randint(0, 256, (2, 128, 128, 3), dtype=torch.uint8)
    count = 4 * 4 * 21 + 2 * 2 + 1
    trainer.step_count = 200  # past the warm-up
    classes = torch.zeros(2, count, dtype=torch.long)
    told = torch.zeros(2, count, dtype=torch.bool)
    batch = (pictures, classes, torch.zeros(2, count, 4), told)
    losses = [float(trainer.step(*batch)["loss"]) for _ in range(25)]
    assert losses[-1] < losses[12] < losses[0]


def test_the_other_has_no_word_where_boxes_know_better():
    loc, conf, wanted_loc, wanted = answers((20, 0.8))
    classes = torch.zeros(1, 40, dtype=torch.long)
    classes[0, 5], classes[0, 6] = 1, -1
    conf = conf.clone()
    conf[0, :, 0] = 30  # nothing anywhere,
    conf[0, 5] = torch.tensor([0.0, 30.0])  # but at anchor 5, which the other is blind to,
    conf[0, 6] = torch.tensor([0.0, 30.0])  # and at 6, which counts neither way.
    offsets = loc + 1
    loc[0, 5] = 1
    told = (5, 6, 20)
    assert float(imitation_loss(loc, conf, wanted_loc, wanted, classes, offsets, told)[0]) < 1e-6
    # The other's face at 20 is one again,
    assert float(imitation_loss(loc, conf, wanted_loc, wanted, classes, offsets, (5, 6))[0]) > 5
    # and missing that of the boxes costs.
    conf[0, 5] = torch.tensor([30.0, 0.0])
    assert float(imitation_loss(loc, conf, wanted_loc, wanted, classes, offsets, told)[0]) > 5
    loc[0, 5] = 9
    far = imitation_loss(loc, conf, wanted_loc, wanted, classes, offsets, told)[1]["boxes"]
    assert float(far) > 5
