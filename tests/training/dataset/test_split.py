from training.dataset.split import is_held_out_crop, is_held_out_picture


def test_a_third_of_pictures_is_held_out():
    names = [f"photo_{i}_1.jpg" for i in range(6000)]
    assert 0.31 < sum(map(is_held_out_picture, names)) / len(names) < 0.355


def test_the_share_of_crops_is_held_out():
    names = [f"celeba/{i:05d}.webp" for i in range(100_000)]
    assert 0.23 < sum(is_held_out_crop(name, 4) for name in names) / len(names) < 0.27


def test_photos_of_one_name_and_frames_of_one_block_stay_together():
    assert len({is_held_out_picture(f"img/afw_77_{i}.webp") for i in range(20)}) == 1
    assert len({is_held_out_crop(f"ytf/{i:05d}.webp") for i in range(400, 420)}) == 1
    assert len({is_held_out_crop(f"mine/anna_{i}.jpg") for i in range(20)}) == 1
