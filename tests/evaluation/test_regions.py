"""Regions of interest: where masks are found, what is scored in them, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation_cases import CPU, SAMPLING, SHAPE, make_dataset
from PIL import Image

from mrirecon.data import PrepareConfig, SliceDataset, SliceStore, prepare
from mrirecon.evaluation import Region, baselines, parse_regions
from mrirecon.evaluation.reconstruct import reconstruct_batches
from mrirecon.evaluation.regions import find_masks, make_mask
from mrirecon.evaluation.run import ScoredSlices, score_slices
from mrirecon.evaluation.strata import split_by_lesion
from mrirecon.metrics import get_protocol, psnr, ssim_in_region


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a Kaggle-like folder of two people, two slices each, with a mask of the second slice."""
    generator = np.random.default_rng(0)
    for person in ("P1", "P2"):
        for number in (1, 2):
            folder = tmp_path / "kaggle" / person
            save(folder / f"{person}_{number}.tif", generator.integers(20, 255, SHAPE))
            lesion = np.zeros(SHAPE)
            if number == 2:
                lesion[10:20, 8:16] = 255
            save(folder / f"{person}_{number}_mask.tif", lesion)
    return tmp_path / "kaggle"


def open_test_set(source: Path, folder: Path) -> SliceDataset:
    store = prepare(source, folder / "store.h5", PrepareConfig(splits="test")).path
    return SliceDataset(SliceStore(store), "test")


def score(dataset: SliceDataset, regions: tuple[Region, ...]) -> ScoredSlices:
    return score_slices(
        [baselines],
        dataset,
        SAMPLING,
        seed=5,
        protocol=get_protocol("per_slice"),
        batch_size=3,
        device=CPU,
        regions=regions,
    )


def test_masks_beside_the_images_are_scored_where_they_are(source: Path, tmp_path: Path) -> None:
    dataset = open_test_set(source, tmp_path)
    scores = score(dataset, parse_regions([f"tumour={source}"])).scores
    inside = [s for s in scores if s.region == "tumour"]
    assert {(s.subject, s.slice) for s in inside} == {("P1", 1), ("P2", 1)}  # the second slices
    assert {s.n_pixels for s in inside} == {80}
    (batch,) = reconstruct_batches([baselines], dataset.batches(4), SAMPLING, seed=5, device=CPU)
    region = torch.zeros(SHAPE, dtype=torch.bool)
    region[10:20, 8:16] = True
    for score_of in inside:
        row = ["P1", "P1", "P2", "P2"].index(score_of.subject) + score_of.slice
        images = batch.images[score_of.method][row], batch.target[row]
        expected = ssim_in_region(*images, region, data_range=1.0, window="uniform")
        assert score_of.ssim == pytest.approx(float(expected), abs=1e-5)
        expected = psnr(*images, data_range=1.0, region=region)
        assert score_of.psnr == pytest.approx(float(expected), abs=1e-3)


def test_masks_in_a_folder_of_their_own_have_the_images_names(source: Path, tmp_path: Path) -> None:
    dataset = open_test_set(source, tmp_path)
    region = Region("lesion", tmp_path / "masks")
    save(tmp_path / "masks" / "P2" / "P2_1.png", np.ones(SHAPE))
    found = find_masks(region, dataset.store, "test")
    assert list(found.values()) == [tmp_path / "masks" / "P2" / "P2_1.png"]
    assert {s.subject for s in score(dataset, (region,)).scores if s.region == "lesion"} == {"P2"}


def test_an_image_without_a_mask_is_no_mask_of_itself(source: Path, tmp_path: Path) -> None:
    dataset = open_test_set(source, tmp_path)
    (source / "P1" / "P1_2_mask.tif").unlink()
    found = find_masks(Region("tumour", source), dataset.store, "test")
    assert len(found) == 3
    assert all(path.stem.endswith("_mask") for path in found.values())


def test_background_and_object_share_out_the_image(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    scores = score(dataset, parse_regions(["background", "object"])).scores
    parts = {
        name: {s.slice: s.n_pixels for s in scores if s.region == name and s.subject == "anna"}
        for name in ("image", "background", "object")
    }
    for number, n_pixels in parts["image"].items():
        assert parts["background"][number] + parts["object"][number] == n_pixels
    y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij")
    assert parts["object"][10] == int((x**2 + y**2 < 0.4).sum())


def test_what_an_object_encloses_belongs_to_it() -> None:
    ring = torch.zeros(12, 12)
    ring[2:9, 2:9] = 1
    ring[4:7, 4:7] = 0
    ring[11, 11] = 1  # a speck
    assert int(make_mask(Region("object"), ring, None).sum()) == 49


def test_slices_with_and_without_a_lesion_are_apart(source: Path, tmp_path: Path) -> None:
    dataset = open_test_set(source, tmp_path)
    scores = score(dataset, parse_regions([f"tumour={source}", "background"])).scores
    strata = split_by_lesion(scores)
    assert set(strata) == {"all", "with tumour", "without tumour"}
    assert {s.slice for s in strata["with tumour"]} == {1}
    assert {s.slice for s in strata["without tumour"]} == {0}


@pytest.mark.parametrize("text", ["tumour", "image=.", "=."])
def test_a_region_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--region: expected background, object or NAME=FOLDER"):
        parse_regions([text])


def test_a_region_without_masks_or_of_another_size_is_refused(source: Path, tmp_path: Path) -> None:
    dataset = open_test_set(source, tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match=r"--region lesion: expected masks .*empty, got none"):
        score(dataset, (Region("lesion", empty),))
    save(empty / "P1" / "P1_1.png", np.ones((5, 5)))
    with pytest.raises(ValueError, match=r"P1_1\.png: expected the slice's size \(32, 28\), got"):
        score(dataset, (Region("lesion", empty),))
    (empty / "P1" / "P1_1.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"P1_1\.png: expected a picture of a mask, got"):
        score(dataset, (Region("lesion", empty),))
    with pytest.raises(NotADirectoryError, match="--region: expected a folder of masks"):
        parse_regions([f"tumour={tmp_path / 'nowhere'}"])
    with pytest.raises(ValueError, match="each name once"):
        parse_regions(["object", "object"])
