"""A match between two processes that work with other tiers of the kernel than the fastest.

The fastest is in the other sessions of the suite, and none at all in those of test_kills.
"""

import pyarrow.parquet as pq
from kernel_tiers import require_tier
from known_people import reference
from two_processes import true_match

FEW = ("--dataset", "few", "--their-dataset", "few")


def test_engines_differ_and_the_list_is_right(fresh, tmp_path):
    for party, tier in ((fresh.advertiser, "portable"), (fresh.channel, "avx2")):
        party.environment = {"COMMONGROUND_KERNEL": require_tier(tier)}
    fresh.serve()
    out = tmp_path / "list.parquet"
    fresh.advertiser.type("match", *FEW, "--out", out)
    expected = sorted(reference("advertiser", i) for i in true_match("few"))
    assert sorted(pq.read_table(out)["reference"].to_pylist()) == expected
