"""Wrong shapes are found in the first calls of each test, and no longer looked for in its loops."""

import pytest
import torch

from learners.training.segments import SegmentSampler

checking = pytest.importorskip("tests.support.typechecking")


def test_a_wrong_shape_is_refused_until_a_test_has_had_its_calls():
    right, wrong = torch.zeros(1, 5, 2), torch.zeros(5, 2)
    with pytest.raises(Exception, match="states"):
        SegmentSampler(wrong, 2, (0,))
    for _ in range(checking.CALLS):
        SegmentSampler(right, 2, (0,))
    with pytest.raises(IndexError):
        SegmentSampler(wrong[0], 2, (0,))
