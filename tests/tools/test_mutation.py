from pathlib import Path

import pytest
from mutation.build import Commands
from mutation.faults import Fault, put_into_copy, read_faults

TOOL = Path(__file__).parents[2] / "tools" / "mutation"
KERNEL = "void f() {\n  barrier();\n  barrier();\n  use(1);\n}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    source = tmp_path / "root" / "csrc" / "cuda" / "sum.cu"
    source.parent.mkdir(parents=True)
    source.write_text(KERNEL)
    return tmp_path / "root"


def fault_of(old: str, new: str = "") -> Fault:
    return Fault("sum", "a fault", "csrc/cuda/sum.cu", old, new, ("tests",))


def test_a_fault_is_put_into_the_copy_alone(root: Path, tmp_path: Path) -> None:
    put_into_copy(fault_of("use(1)", "use(2)"), root, tmp_path / "copy")
    assert "use(2)" in (tmp_path / "copy/csrc/cuda/sum.cu").read_text()
    assert (root / "csrc/cuda/sum.cu").read_text() == KERNEL


@pytest.mark.parametrize(("old", "count"), [("barrier();", 2), ("use(3)", 0)])
def test_a_fault_must_name_one_place(root: Path, tmp_path: Path, old: str, count: int) -> None:
    text = f"csrc/cuda/sum.cu: a fault: expected once, found {count} times"
    with pytest.raises(ValueError, match=text):
        put_into_copy(fault_of(old), root, tmp_path / "copy")


def test_a_list_names_its_file_and_tests(tmp_path: Path) -> None:
    path = tmp_path / "sum.toml"
    path.write_text('tests = ["a", "-k", "b"]\n[[fault]]\nwhat = "w"\nold = "x"\nnew = "y"\n')
    assert read_faults(path) == [Fault("sum", "w", "csrc/cuda/sum.cu", "x", "y", ("a", "-k", "b"))]
    path.write_text('tests = []\n[[fault]]\nwhat = "w"\nold = "x"\nnews = "y"\n')
    with pytest.raises(ValueError, match=r"sum\.toml: w: .*news"):
        read_faults(path)


def test_every_cuda_file_has_faults_that_stand_in_it_once(tmp_path: Path) -> None:
    root = TOOL.parents[1]
    lists = {path.stem: read_faults(path) for path in (TOOL / "faults").glob("*.toml")}
    assert lists.keys() == {path.stem for path in (root / "csrc" / "cuda").glob("*.cu")}
    for faults in lists.values():
        for fault in faults:
            assert (root / fault.file).read_text().count(fault.old) == 1, fault.what
            assert fault.old != fault.new


def test_commands_of_the_build_take_the_copy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listing = (
        "c++ -I/source/csrc -x c++ -O3 -MD -MT a.o -MF a.d -o a/cuda/sum.cu.o "
        "-c /source/csrc/cuda/sum.cu\n"
        ": && c++ -shared  -o mrirecon_emulated.so a/cuda/sum.cu.o a/cuda/max.cu.o && :\n"
    )
    monkeypatch.setattr("mutation.build._run", lambda command, folder: listing)
    commands = Commands(Path("/source"), tmp_path)
    copy = Path("/copy")
    assert " ".join(commands.compile_command("sum", copy, copy / "sum.o")) == (
        "c++ -I/copy/csrc -x c++ -O1 -MD -MT a.o -MF /copy/sum.d -o /copy/sum.o "
        "-c /copy/csrc/cuda/sum.cu"
    )
    assert commands.link_command("sum", copy / "sum.o", copy / "x.so") == [
        *("c++", "-shared", "-o", "/copy/x.so", "/copy/sum.o", "a/cuda/max.cu.o")
    ]
