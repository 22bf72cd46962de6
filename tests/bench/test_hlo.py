"""The reader of XLA's text, on a small program written by hand."""

import pytest

from bench.gpu import hlo

TEXT = """HloModule jit_train, is_scheduled=true

%fused_gather (param_0: u8[1000,64], param_1: s32[8]) -> f32[8,64] {
  %param_0 = u8[1000,64]{1,0} parameter(0)
  %param_1 = s32[8]{0} parameter(1)
  ROOT %gather.1 = f32[8,64]{1,0} gather(%param_0, %param_1), offset_dims={1}
}

%fused_update (param_0.1: f32[100,4], param_1.1: f32[4]) -> f32[100,4] {
  %param_0.1 = f32[100,4]{1,0} parameter(0)
  %param_1.1 = f32[4]{0} parameter(1)
  %bitcast.1 = f32[1,4]{1,0} bitcast(%param_1.1)
  %zero = s32[] constant(0)
  ROOT %dus = f32[100,4]{1,0} dynamic-update-slice(%param_0.1, %bitcast.1, %zero, %zero)
}

%small (p.1: f32[4]) -> f32[4] {
  %p.1 = f32[4]{0} parameter(0)
  ROOT %negate.1 = f32[4]{0} negate(%p.1)
}

%large (p.2: f32[4]) -> f32[4] {
  %p.2 = f32[4]{0} parameter(0)
  %first = f32[4]{0} negate(%p.2)
  ROOT %second = f32[4]{0} negate(%first)
}

%other_body (b: (s32[])) -> (s32[]) {
  %b = (s32[]) parameter(0)
  %count = s32[] get-tuple-element(%b), index=0
  %next = s32[] add(%count, %count), metadata={op_name="jit(train)/while/body/add"}
  ROOT %out = (s32[]) tuple(%next)
}

%step_body (s: (u8[1000,64], s32[8], f32[100,4], f32[4], s32[])) -> (f32[4]) {
  %s = (u8[1000,64]{1,0}, s32[8]{0}, f32[100,4]{1,0}, f32[4]{0}, s32[]) parameter(0)
  %table = u8[1000,64]{1,0} get-tuple-element(%s), index=0
  %rows = s32[8]{0} get-tuple-element(%s), index=1
  %kept = f32[100,4]{1,0} get-tuple-element(%s), index=2
  %x = f32[4]{0} get-tuple-element(%s), index=3
  %level = s32[] get-tuple-element(%s), index=4
  %picked = f32[8,64]{1,0} fusion(%table, %rows), kind=kLoop, calls=%fused_gather, \
metadata={op_name="jit(train)/while/body/step/gather"}
  %updated = f32[100,4]{1,0} fusion(%kept, %x), kind=kLoop, calls=%fused_update
  %chosen = f32[4]{0} conditional(%level, %x, %x), \
branch_computations={%small, %large}
  %sent-start = f32[4]{0:S(5)} copy-start(%chosen)
  %sent = f32[4]{0:S(5)} copy-done(%sent-start)
  ROOT %result = (f32[4]) tuple(%chosen)
}

ENTRY %main (a: s32[]) -> s32[] {
  %a = s32[] parameter(0)
  %loop = (f32[4]) while(%a), condition=%less, body=%step_body
  %other = (s32[]) while(%a), condition=%less, body=%other_body
  ROOT %copy = s32[] copy(%a)
}
"""


def test_a_step_is_read_from_the_text_of_a_program():
    step = hlo.read_step(TEXT, "step")
    names = [kernel.name for kernel in step.kernels]
    assert names == ["picked", "updated", "first", "second", "sent-start"]
    assert (step.num_conditionals, step.num_transfers) == (1, 1)
    by_name = {kernel.name: kernel for kernel in step.kernels}
    # Of the table it reads what it picks; the rows are read, the result written.
    assert by_name["picked"].num_bytes == 8 * 64 * 4 + 8 * 4 + 8 * 64 * 4
    assert by_name["picked"].origin.endswith("step/gather")
    # One row is read and written in place.
    assert by_name["updated"].num_bytes == 2 * 4 * 4
    assert by_name["second"].num_bytes == 2 * 4 * 4


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("f32[2,3]{1,0}", 24),
        ("(bf16[4]{0}, pred[])", 9),
        ("u8[0]", 0),
        ("token[]", 0),
    ],
)
def test_bytes_of_shapes(shape, expected):
    assert hlo.num_bytes(shape) == expected


def test_a_program_without_the_loop_is_refused():
    with pytest.raises(ValueError, match="no loop with anything of 'absent'"):
        hlo.read_step(TEXT, "absent")
