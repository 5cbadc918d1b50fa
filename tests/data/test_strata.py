import json
from collections import Counter
from pathlib import Path

import h5py
import ismrmrd
import numpy as np
import pytest
from ismrmrd.xsd.ismrmrdschema import (
    acquisitionSystemInformationType,
    measurementInformationType,
)
from raw_sources import (
    acquisition,
    coil_kspace,
    dicom_slice,
    header,
    save_dicom,
    save_fastmri,
    save_mrd,
)
from sources import random_pixels, save_nifti, save_picture, save_subjects

from mrirecon.data import PrepareConfig, SliceStore, prepare, read_source
from mrirecon.data.readers.folder import PictureSubject
from mrirecon.data.readers.mrd_header import parse_traits
from mrirecon.data.splits import assign_splits
from mrirecon.data.strata import Stratum, find_strata

SCANNER = {"field_strength": "3 T", "scanner": "SIEMENS Prisma", "institution": "A hospital"}


def person(name: str) -> PictureSubject:
    return PictureSubject(name, name, None, (Path(name),), None, is_single_file=False)


def strata_of(path: Path | list[Path], *traits: str, table: Path | None = None) -> set[Stratum]:
    source = read_source(path)
    headers = {subject.name: subject.headers() for subject in source.subjects}
    return set(find_strata(source, headers, traits, table).values())


def described_header() -> bytes:
    document = ismrmrd.xsd.CreateFromDocument(header((16, 12), (16, 12)))
    document.acquisitionSystemInformation = acquisitionSystemInformationType(
        systemVendor="SIEMENS",
        systemModel="Prisma",
        systemFieldStrength_T=2.89362,
        institutionName="A hospital",
    )
    document.measurementInformation = measurementInformationType(
        patientPosition="HFS", protocolName="t2 tse"
    )
    text: str = document.toXML("utf-8")
    return text.encode()


def test_dicom_tells_protocol_and_scanner(tmp_path: Path) -> None:
    elements = {
        "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "Prisma",
        "MagneticFieldStrength": 2.89362,
        "InstitutionName": "A  hospital",
        "ProtocolName": "t2 tse",
    }
    save_dicom(tmp_path / "told" / "1.dcm", dicom_slice(random_pixels(1), **elements))
    save_dicom(tmp_path / "not" / "1.dcm", dicom_slice(random_pixels(1)))

    assert read_source(tmp_path / "told").subjects[0].traits == {"protocol": "t2 tse", **SCANNER}
    assert read_source(tmp_path / "not").subjects[0].traits == {"protocol": "t1 axial"}


def test_fastmri_tells_its_acquisition_and_the_scanner_of_its_header(tmp_path: Path) -> None:
    kspace = coil_kspace(0, 1, 16, 12)[0][None]
    save_fastmri(tmp_path / "a.h5", kspace=kspace, acquisition="CORPD_FBK")
    save_fastmri(tmp_path / "b.h5", kspace=kspace)
    with h5py.File(tmp_path / "b.h5", "a") as file:
        file["ismrmrd_header"] = described_header()

    plain, described = read_source(tmp_path).subjects
    assert plain.traits == {"protocol": "CORPD_FBK"}
    assert described.traits == {"protocol": "t2 tse", **SCANNER}


def test_mrd_tells_protocol_and_scanner(tmp_path: Path) -> None:
    lines = [acquisition(coil_kspace(0, 2, 16, 12)[0][..., n], n) for n in range(12)]
    save_mrd(tmp_path / "a.mrd", described_header(), lines)

    assert read_source(tmp_path).subjects[0].traits == {"protocol": "t2 tse", **SCANNER}


@pytest.mark.parametrize("broken", [b"", b"<xml", b"<a/>", b"\xff" * 9])
def test_a_header_that_tells_nothing_has_no_traits(broken: bytes) -> None:
    assert parse_traits(broken) == {}


def test_bids_tells_the_contrast_and_its_json_the_scanner(tmp_path: Path) -> None:
    for number, contrast in enumerate(("T1w", "FLAIR")):
        save_nifti(tmp_path / f"sub-{number}_{contrast}.nii.gz", random_pixels(number, (4, 5, 6)))
    save_nifti(tmp_path / "head_T1w.nii.gz", random_pixels(9, (4, 5, 6)))
    told = {"Manufacturer": "SIEMENS", "ManufacturersModelName": "Prisma"}
    told |= {"MagneticFieldStrength": 3, "InstitutionName": "A hospital"}
    (tmp_path / "sub-0_T1w.json").write_text(json.dumps(told))
    (tmp_path / "sub-1_FLAIR.json").write_text("[1,")

    plain, first, second = read_source(tmp_path).subjects
    assert plain.traits == {}
    assert first.traits == {"protocol": "T1w", **SCANNER}
    assert second.traits == {"protocol": "FLAIR"}


def test_a_person_of_two_contrasts_is_in_a_stratum_of_both(tmp_path: Path) -> None:
    for contrast in ("T2w", "T1w"):
        save_nifti(tmp_path / f"sub-1_{contrast}.nii", random_pixels(1, (4, 5, 6)))
    save_nifti(tmp_path / "sub-2_T1w.nii", random_pixels(1, (4, 5, 7)))

    assert strata_of(tmp_path, "protocol", "matrix") == {
        ("T1w + T2w", "5 x 4"),
        ("T1w", "5 x 4"),
    }
    assert strata_of(tmp_path) == {()}


def test_sources_are_told_apart_by_their_names(tmp_path: Path) -> None:
    here = save_subjects(tmp_path / "here", n_subjects=2)
    there = tmp_path / "there"
    save_picture(there / "P2" / "P2_1.png", random_pixels(5))
    save_picture(there / "P3" / "P3_1.png", random_pixels(5, (6, 7)))

    assert strata_of([here, there], "source", "matrix") == {
        ("here", "8 x 10"),
        ("here + there", "8 x 10"),
        ("there", "6 x 7"),
    }


def test_a_table_gives_traits_to_the_persons_it_names(tmp_path: Path) -> None:
    """The Kaggle set's table names patients without the date of their scan."""
    save_subjects(tmp_path / "in", n_subjects=3)
    for number in (1, 2, 3):
        (tmp_path / "in" / f"P{number}").rename(tmp_path / "in" / f"P{number}_1996")
    table = tmp_path / "data.csv"
    table.write_text("sex,Patient,grade\nf,P1,2\nf,P2_1996,3\nm,P3,\nm,P,9\n", encoding="utf-8-sig")

    assert strata_of(tmp_path / "in", "grade", "sex", table=table) == {
        ("2", "f"),
        ("3", "f"),
        ("unknown", "m"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", r"t\.csv: expected a column with names of persons, such as P1, got none"),
        ("", r"t\.csv: expected a column with names of persons, such as P1, got none"),
        ('a,b\n"P1,2\n', r"t\.csv: expected a table \(CSV\), got an error: .*"),
        ("name,grade\nP1,2\n", "stratify_by: expected some of grade, matrix, source, got 'sex'"),
    ],
)
def test_tables_and_traits_that_do_not_fit_are_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=2)
    (tmp_path / "t.csv").write_text(text)

    with pytest.raises(ValueError, match=message):
        strata_of(source, "sex", table=tmp_path / "t.csv")


def test_each_stratum_gets_its_share_but_for_less_than_two_persons(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    fractions = (0.7, 0.2, 0.1)
    for seed in range(40):
        sizes = rng.integers(1, 25, size=int(rng.integers(1, 9)))
        strata = {f"{s}-{n}": (f"{s}",) for s, size in enumerate(sizes) for n in range(size)}
        if len(strata) < 3:
            continue
        subjects = [person(name) for name in strata]
        given = assign_splits(subjects, fractions, seed=seed, strata=strata)
        assert given == assign_splits(subjects[::-1], fractions, seed=seed, strata=strata)
        total = Counter(given.values())
        for stratum, size in enumerate(sizes):
            counts = Counter(given[f"{stratum}-{n}"] for n in range(size))
            for split, n_all in total.items():
                assert abs(counts[split] - size * n_all / len(strata)) < 2


def test_strata_of_ten_persons_are_shared_out_exactly() -> None:
    strata = {f"{s}-{n}": (s,) for s in "abcde" for n in range(10)}

    given = assign_splits([person(name) for name in strata], seed=5, strata=strata)

    for stratum in "abcde":
        counts = Counter(given[f"{stratum}-{n}"] for n in range(10))
        assert counts == {"train": 8, "val": 1, "test": 1}


def test_the_seed_decides_which_of_many_small_strata_is_tested() -> None:
    strata = {str(n): (str(n),) for n in range(30)}
    subjects = [person(name) for name in strata]

    tested = [
        frozenset(
            name
            for name, split in assign_splits(subjects, seed=seed, strata=strata).items()
            if split == "test"
        )
        for seed in range(8)
    ]

    assert {len(names) for names in tested} == {3}
    assert len(set(tested)) > 4


def test_a_store_lists_the_persons_of_each_stratum_by_split(tmp_path: Path) -> None:
    for number in range(12):
        contrast = "T1w" if number < 10 else "T2w"
        save_nifti(tmp_path / "in" / f"sub-{number}_{contrast}.nii", random_pixels(1, (4, 5, 6)))
    config = PrepareConfig(stratify_by=("protocol",))

    done = prepare(tmp_path / "in", tmp_path / "store.h5", config)

    assert sum(done.strata.values(), Counter()) == done.n_subjects
    assert done.uneven_strata == (("T2w",),)
    with SliceStore(done.path) as store:
        assert store.provenance["strata"] == [
            {"traits": {"protocol": "T1w"}, "persons": dict(done.strata["T1w",])},
            {"traits": {"protocol": "T2w"}, "persons": dict(done.strata["T2w",])},
        ]
        t2 = {s.split for s in store.subjects if "T2w" in s.name}
        assert t2 == set(done.strata["T2w",])
