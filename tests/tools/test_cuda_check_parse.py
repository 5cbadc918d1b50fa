import pytest
from cuda_check.occupancy import occupancy
from cuda_check.parse import Code, Resources, parse_code, parse_resources, short_name

# As nvcc 13 prints for two kernels, the second with a function that it calls.
PTXAS = """\
ptxas info    : 296 bytes gmem, 24 bytes cmem[4]
ptxas info    : Compiling entry function '_Z4meanIfEv' for 'sm_75'
ptxas info    : Function properties for _Z4meanIfEv
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 42 registers, used 1 barriers, 32 bytes smem, 392 bytes cmem[0]
ptxas info    : Compile time = 10.785 ms
ptxas info    : Compiling entry function '_Z4meanIfEv' for 'sm_80'
ptxas info    : Function properties for _Z4meanIfEv
    40 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 46 registers, used 0 barriers, 40 bytes cumulative stack size
ptxas info    : Function properties for __internal_slowpath
    16 bytes stack frame, 4 bytes spill stores, 0 bytes spill loads
"""

NVDISASM = """\
\t.section\t.nv.info._Z4meanIfEv,"",@"SHT_CUDA_INFO"
\t//----- nvinfo : EIATTR_MAX_THREADS
\t.align\t\t4
.L_139:
        /*0064*/ \t.byte\t0x04, 0x05
        /*0066*/ \t.short\t(.L_141 - .L_140)
.L_140:
        /*0068*/ \t.word\t0x00000100
        /*006c*/ \t.word\t0x00000001
\t.section\t.text._Z4meanIfEv,"ax",@progbits
.text._Z4meanIfEv:
        /*0000*/                   LDC.64 R4, c[0x0][0x228] ;
        /*0010*/              @!P0 LDG.E.64.CONSTANT R2, desc[UR6][R4.64] ;
        /*0020*/                   LDG.E.U8 R7, desc[UR6][R4.64] ;
        /*0030*/              @UP1 DADD R2, R2, R8 ;
        /*0040*/                   MUFU.RCP64H R9, R3 ;
        /*0050*/                   F2F.F64.F32 R10, R11 ;
        /*0060*/                   LDS.128 R12, [R4] ;
        /*0070*/               @P2 STG.E desc[UR6][R4.64], R7 ;
        /*0080*/                   STG.E.128 desc[UR6][R4.64], R12 ;
\t.section\t.text._Z4copyv,"ax",@progbits
        /*10000*/                   LDGSTS.E.BYPASS.128 [R0], desc[UR6][R4.64] ;
        /*10010*/                   I2F.U32.RP R7, R6 ;
"""


def test_resources_are_read_for_each_architecture() -> None:
    assert parse_resources(PTXAS) == {
        ("_Z4meanIfEv", "sm_75"): Resources(registers=42, shared=32, stack=0, spills=0),
        ("_Z4meanIfEv", "sm_80"): Resources(registers=46, shared=0, stack=56, spills=24),
    }


def test_code_is_read_for_each_kernel() -> None:
    assert parse_code(NVDISASM) == {
        "_Z4meanIfEv": Code(threads=256, fp64=3, loads=(8, 64), stores=(32, 128)),
        "_Z4copyv": Code(threads=1024, fp64=0, loads=(128,), stores=()),
    }


@pytest.mark.parametrize(
    ("demangled", "short"),
    [
        (
            "void a::(anonymous namespace)::compare<double, a::Window>(a::Ssim<double>)",
            "compare<double, Window>",
        ),
        ("mrirecon::(anonymous namespace)::scan(int*)", "scan"),
        ("void a::sort<(a::Order)2, true>(a::Items)", "sort<(Order)2, true>"),
    ],
)
def test_names_are_short(demangled: str, short: str) -> None:
    assert short_name(demangled) == short


# Blocks of a multiprocessor as NVIDIA's cuda_occupancy.h counts them, which agreed on 2000 more.
@pytest.mark.parametrize(
    ("architecture", "threads", "registers", "shared_bytes", "expected"),
    [
        ("sm_75", 384, 65, 18362, 2 * 12 / 32),
        ("sm_75", 640, 209, 12777, 0),
        ("sm_80", 128, 40, 0, 12 * 4 / 64),
        ("sm_80", 128, 32, 10240, 14 * 4 / 64),  # 1 KiB of each block is the system's
        ("sm_90", 32, 16, 0, 32 / 64),
        ("sm_90", 256, 48, 19520, 5 * 8 / 64),
        ("sm_120", 256, 46, 21168, 4 * 8 / 48),
    ],
)
def test_occupancy_is_that_of_cuda(
    architecture: str, threads: int, registers: int, shared_bytes: int, expected: float
) -> None:
    found = occupancy(architecture, threads=threads, registers=registers, shared_bytes=shared_bytes)
    assert found == expected
